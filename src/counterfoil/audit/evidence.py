"""Evidence: the two exports and the kept counterfoils, read file by file into types.

Whatever the bytes, reading gives a type or raises Unreadable naming the file; a missing file is Missing, which a check may
turn into a finding or into "not run". Only regular files inside the folder are opened: a link that leads out of it, a
device or a pipe is refused, so a hostile export can neither hang the auditor nor make it read elsewhere.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from counterfoil.core.counterfoil import Counterfoil, hex_field
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import FileHash
from counterfoil.core.settlement import Header

JSON_BYTES = 64 * 2**20
LINE_BYTES = 2**20


class Missing(Unreadable):
    """A file that is not there."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An export's folder. Names are relative, with slashes."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> Folder:
        """The folder at `path`; raises Unreadable unless it is one."""
        try:
            if not path.is_dir():
                raise Unreadable(str(path), "is not a folder")
            return cls(path.resolve())
        except (OSError, ValueError, RuntimeError) as error:
            raise Unreadable(str(path), _reason(error)) from error

    def open(self, name: str) -> tuple[BinaryIO, int]:
        """A file and its size in bytes. Raises Missing, Unreadable."""
        try:
            path = (self.root / name).resolve()
            if not path.is_relative_to(self.root):
                raise Unreadable(name, "is a link that leads out of the folder")
            if not stat.S_ISREG(path.stat().st_mode):
                raise Unreadable(name, "is not a regular file")
            file = path.open("rb")
            return file, path.stat().st_size
        except FileNotFoundError as error:
            raise Missing(name, "is missing") from error
        except (OSError, ValueError, RuntimeError) as error:
            raise Unreadable(name, _reason(error)) from error

    def read(self, name: str, most: int = JSON_BYTES) -> bytes:
        """A whole file of at most `most` bytes. Raises Missing, Unreadable."""
        file, size = self.open(name)
        with file:
            if size > most:
                raise Unreadable(name, f"has {size} bytes, more than the {most} such a file can have")
            try:
                return file.read()
            except OSError as error:
                raise Unreadable(name, _reason(error)) from error

    def names(self, name: str) -> list[str]:
        """What is in a folder, sorted; nothing if it is not there. Raises Unreadable."""
        try:
            return sorted(one.name for one in (self.root / name).iterdir())
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RuntimeError) as error:
            raise Unreadable(name, _reason(error)) from error

    def json(self, name: str) -> Mapping[str, object]:
        """A file that holds one JSON object. Raises Missing, Unreadable."""
        return json_object(self.read(name), name)


@dataclass(frozen=True, slots=True)
class Programme:
    """programme.json: what the export says it is about. `parties`: names by number."""

    programme: bytes
    zone: str
    parties: dict[int, str]
    chain_id: int | None
    settlement: str | None
    settlements: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A settlement's header.json. `signatures` by partner; `tx` is the hash of what made it final, or None."""

    header: Header
    hash: bytes
    signatures: dict[int, bytes]
    files: tuple[FileHash, ...]
    tx: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A counterfoil that somebody kept; `answer_id` is the entry id of the answer around it, if it came with one."""

    line: int
    counterfoil: Counterfoil
    answer_id: str | None


def programme(folder: Folder) -> Programme:
    """Read programme.json. Raises Missing, Unreadable."""
    name = "programme.json"
    data = folder.json(name)
    try:
        chain_id, settlement, names = data.get("chain_id"), data.get("settlement"), data.get("parties")
        if data.get("version") != 1:
            raise Unreadable("version", "must be 1")
        if chain_id is not None and (type(chain_id) is not int or chain_id < 0):
            raise Unreadable("chain_id", "must be an integer or null")
        if settlement is not None and not isinstance(settlement, str):
            raise Unreadable("settlement", "must be an address or null")
        if not isinstance(names, Mapping) or not all(isinstance(one, str) for one in names.values()):
            raise Unreadable("parties", "must be an object of names by number")
        zone, count = data.get("zone"), data.get("settlements")
        if not isinstance(zone, str):
            raise Unreadable("zone", "must be the name of a time zone")
        if type(count) is not int or not 0 <= count < 10**6:
            raise Unreadable("settlements", "must be how many there are")
        parties = {_party(number): str(one) for number, one in names.items()}
        return Programme(hex_field(data, "programme", 32), zone, parties, chain_id, settlement, count)
    except Unreadable as error:
        raise Unreadable(name, str(error)) from error


def settlement_name(number: int, file: str) -> str:
    """The path of a settlement's file, in both exports."""
    return f"settlements/{number:06d}/{file}"


def settlement_numbers(folder: Folder) -> list[int]:
    """The numbers of the settlement folders that are there, in order. Other names are passed over."""
    names = folder.names("settlements")
    return sorted(int(one) for one in names if one.isascii() and one.isdigit() and len(one) == 6)


def signed(folder: Folder, number: int) -> Signed:
    """Read a settlement's header.json. Raises Missing, Unreadable."""
    name = settlement_name(number, "header.json")
    data = folder.json(name)
    try:
        header = Header.from_json(data.get("header"))
        given, files, tx = data.get("signatures"), data.get("files"), data.get("tx")
        if not isinstance(given, Mapping):
            raise Unreadable("signatures", "must be an object by partner")
        if not isinstance(files, list):
            raise Unreadable("files", "must be a list")
        if tx is not None and not isinstance(tx, str):
            raise Unreadable("tx", "must be a hash or null")
        signatures = {_party(one): hex_field(given, one, 65) for one in given}
        return Signed(header, header.hash(), signatures, tuple(_file(one) for one in files), tx)
    except Unreadable as error:
        raise Unreadable(name, str(error)) from error


def records(folder: Folder, name: str) -> Iterator[bytes]:
    """The bodies of an entries file, streamed. Raises Missing, Unreadable where it is cut."""
    file, size = folder.open(name)
    at = 0
    with file:
        while at < size:
            head = file.read(4)
            length = int.from_bytes(head, "big")
            if len(head) < 4 or at + 4 + length > size:
                raise Unreadable(name, f"the record at byte {at} runs past the end of the file")
            body = file.read(length)
            if len(body) != length:
                raise Unreadable(name, "changed while it was read")
            at += 4 + length
            yield body


def kept(path: Path) -> Iterator[Kept]:
    """The counterfoils of a JSON Lines file, streamed; blank lines are passed over. Raises Unreadable with the line."""
    folder = Folder.at(path.parent)
    try:
        file, _size = Folder(path.resolve().parent).open(path.resolve().name)  # a link named by the caller is fine
    except (OSError, RuntimeError, ValueError) as error:
        raise Unreadable(str(folder.root / path.name), _reason(error)) from error
    except Unreadable as error:
        raise Unreadable(str(path), error.why) from error
    with file:
        number = 0
        while line := file.readline(LINE_BYTES + 1):
            number += 1
            if not line.strip():
                continue
            where = f"{path} line {number}"
            if len(line) > LINE_BYTES:
                raise Unreadable(where, f"is longer than {LINE_BYTES} bytes")
            data = json_object(line, where)
            inside = data.get("counterfoil")
            answer_id = data.get("id")
            try:
                one = Counterfoil.from_json(inside if "counterfoil" in data else data)
            except Unreadable as error:
                raise Unreadable(where, str(error)) from error
            yield Kept(number, one, answer_id if isinstance(answer_id, str) and inside is not None else None)


def json_object(content: bytes, name: str) -> Mapping[str, object]:
    """One JSON object. Raises Unreadable naming where it stands."""
    try:
        data = orjson.loads(content)
    except ValueError as error:
        raise Unreadable(name, f"is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise Unreadable(name, "must hold a JSON object")
    return data


def _file(data: object) -> FileHash:
    if not isinstance(data, Mapping):
        raise Unreadable("files", "must be a list of objects")
    name, size = data.get("name"), data.get("size")
    if not isinstance(name, str) or type(size) is not int or not 0 <= size < 2**63:
        raise Unreadable("files", "each needs a name and a size")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Unreadable("files", "a name is not text") from error
    return FileHash(name, size, hex_field(data, "sha256", 32))


def _party(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 2**16):
        raise Unreadable(repr(text)[:40], "is not a party's number")
    return int(text)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "cannot be read"
