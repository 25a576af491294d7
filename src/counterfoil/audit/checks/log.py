"""The log: rebuilt from its bundles, compared with every hash tile, header and checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.evidence import Missing
from counterfoil.audit.report import Finding
from counterfoil.chain.signer import origin_of, read_checkpoint
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import TILE, tile_path
from counterfoil.core.log import Frontier, leaf_hash, node_hash

RECORD = 34  # bytes in a bundle: uint16 length, 32 bytes
CHECKPOINT_BYTES = 4096
PACE = 10_000


def log(case: Case) -> Iterator[Finding]:
    """The bundles give every header's root; hash tiles agree; no leaf is beyond what was signed."""
    sizes = {n: one.header.closing.log_size for n, one in case.headers.items() if case.trusted(n)}
    expected = max(sizes.values(), default=0)
    for finding in _bundles(case, expected):
        case.good_leaves = 0
        yield finding
    if case.log_size < expected and case.good_leaves is None:
        number = min(n for n, size in sizes.items() if size > case.log_size)
        text = f"the log has {case.log_size} leaves, the header {sizes[number]}: cut off or rolled back"
        yield case.finding("log", text, number)
    signed_sizes = {size for _name, size, _root in _readable(case)}
    rebuilt = _Rebuilt(signed_sizes | set(sizes.values()))
    rebuilt.run(case)
    case.roots, case.good_leaves = rebuilt.roots, case.log_size
    for number, size in sizes.items():
        header = case.headers[number].header.closing
        if size <= case.log_size and rebuilt.roots[size] != header.log_root:
            start = case.first_leaf(number)
            leaf = next((i for i in rebuilt.suspects if start <= i < size), None)
            text = "the leaves do not give the header's log_root"
            if leaf is not None:
                text += f"; leaf {leaf} is not what its hash tile says"
            yield case.finding("log", text, number, leaf=leaf)
            case.good_leaves = min(start, case.good_leaves)
            break  # every later root covers the same leaves
    if case.good_leaves == case.log_size:
        for path, place in rebuilt.wrong:
            text = f"{path} is missing" if place is None else f"{path}: hash {place} is not that of the leaves"
            yield Finding("log", text, leaf=None if place is None or "/0/" not in path else _index(path, place))
    covered = max([expected, *signed_sizes])
    if case.log_size > covered:
        text = f"the log has {case.log_size} leaves, headers and checkpoints cover {covered}"
        yield Finding("log", text, leaf=covered)


def checkpoints(case: Case) -> Iterator[Finding]:
    """Each checkpoint is signed by the contract's key and commits to this log: no second view of it was given out."""
    seen: dict[int, tuple[str, bytes]] = {}
    for name in case.public.names("checkpoints"):
        try:
            size, root = _read(case, name)
        except Unreadable as error:
            yield Finding("checkpoints", f"checkpoints/{name}: {error.why}")
            continue
        if name.isascii() and name.isdigit() and int(name[:20]) != size:
            yield Finding("checkpoints", f"checkpoints/{name} is of size {size}")
        other = seen.setdefault(size, (name, root))
        if other[1] != root:
            text = f"split view: checkpoints/{other[0]} and checkpoints/{name} are both signed at size {size}"
            yield Finding("checkpoints", text)
    by_size = {one.header.closing.log_size: n for n, one in reversed(case.headers.items()) if case.trusted(n)}
    open_end = False
    for size, (name, root) in sorted(seen.items()):
        if size in by_size:
            if root != case.headers[by_size[size]].header.closing.log_root:
                text = f"split view: checkpoints/{name} was signed for another log of {size} leaves"
                yield case.finding("checkpoints", text, by_size[size])
        elif size > case.log_size:
            if case.good_leaves == case.log_size:
                text = f"checkpoints/{name} was signed at {size} leaves, the log has {case.log_size}: rolled back"
                yield Finding("checkpoints", text)
            open_end = True
        elif size > (case.good_leaves or 0):
            open_end = True  # the log itself is broken there, and named
        elif root != case.roots[size]:
            yield Finding("checkpoints", f"split view: checkpoints/{name} was signed for another log")
    if open_end:
        raise Lacks("the log as its headers have it")


def _read(case: Case, name: str) -> tuple[int, bytes]:
    content = case.public.read(f"checkpoints/{name}", CHECKPOINT_BYTES)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("checkpoint", "is not text") from error
    size, root = read_checkpoint(text, origin_of(case.chain.programme), case.chain.checkpoint_key)
    if not 0 <= size < 2**63:
        raise Unreadable("checkpoint", f"of {size} leaves")
    return size, root


def _readable(case: Case) -> Iterator[tuple[str, int, bytes]]:
    for name in case.public.names("checkpoints"):
        try:
            yield name, *_read(case, name)
        except Unreadable:
            continue  # `checkpoints` names it


def _bundles(case: Case, expected: int) -> Iterator[Finding]:
    """Read leaf data, bundle by bundle, as far as there is any."""
    number = 0
    while True:
        path, content = tile_path("entries", number, TILE), b""
        try:
            content = case.public.read(path, TILE * RECORD)
        except Missing:
            path = _partial(case, number)
            if not path:
                return
            content = case.public.read(path, TILE * RECORD)
        width = int(path.rpartition("/")[2]) if ".p/" in path else TILE
        if len(content) != RECORD * width:
            yield Finding("log", f"{path} has {len(content)} bytes, not {RECORD * width}", leaf=TILE * number)
            return
        for at in range(0, len(content), RECORD):
            if content[at : at + 2] != b"\x00\x20":
                leaf = TILE * number + at // RECORD
                yield Finding("log", f"{path}: the record of leaf {leaf} does not announce 32 bytes", leaf=leaf)
            case.leaves += content[at + 2 : at + RECORD]
        if not number % 40:
            case.progress("log", case.log_size, max(expected, case.log_size))
        if width < TILE:
            return
        number += 1


def _partial(case: Case, number: int, level: int | str = "entries") -> str:
    """The widest partial tile there, or nothing."""
    folder = tile_path(level, number, 1).rpartition("/")[0]
    names = case.public.names(folder)
    widths = [int(one) for one in names if one.isascii() and one.isdigit() and len(one) <= 3]
    widths = [one for one in widths if 0 < one < TILE and str(one) in names]
    return f"{folder}/{max(widths)}" if widths else ""


@dataclass(slots=True)
class _Rebuilt:
    """One pass over the leaves: roots at the sizes wanted, and what the hash tiles say otherwise."""

    wanted: set[int]
    roots: dict[int, bytes] = field(default_factory=dict)
    suspects: list[int] = field(default_factory=list)  # leaves that are not what their hash tile says
    wrong: list[tuple[str, int | None]] = field(default_factory=list)  # tile, place of the wrong hash

    def run(self, case: Case) -> None:
        """Hash everything once."""
        frontier, hashes = Frontier(), list[bytes]()
        if 0 in self.wanted:
            self.roots[0] = frontier.root()
        above: list[bytes] = []
        for index in range(case.log_size):
            data = bytes(case.leaves[32 * index : 32 * index + 32])
            frontier.append(data)
            hashes.append(leaf_hash(data))
            if frontier.size in self.wanted:
                self.roots[frontier.size] = frontier.root()
            if len(hashes) == TILE:
                self._tile(case, 0, index // TILE, hashes)
                above.append(_top(hashes))
                hashes = []
            if not index % PACE:
                case.progress("log", index, case.log_size)
        if hashes:
            self._tile(case, 0, case.log_size // TILE, hashes)
        level = 1
        while above:
            higher = []
            for number in range(-(-len(above) // TILE)):
                part = above[TILE * number : TILE * number + TILE]
                self._tile(case, level, number, part)
                if len(part) == TILE:
                    higher.append(_top(part))
            above, level = higher, level + 1

    def _tile(self, case: Case, level: int, number: int, hashes: list[bytes]) -> None:
        path = tile_path(level, number, len(hashes))
        try:
            content = case.public.read(path, TILE * 32)
        except Missing:
            self.wrong.append((path, None))
            return
        if content == b"".join(hashes):
            return
        wrong = [i for i, one in enumerate(hashes) if content[32 * i : 32 * i + 32] != one] or [len(hashes)]
        self.wrong.append((path, wrong[0]))
        if level == 0:
            self.suspects += [TILE * number + i for i in wrong]


def _top(hashes: list[bytes]) -> bytes:
    """The root of a full tile."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def _index(path: str, place: int) -> int:
    """The leaf of a place in a tile of level 0."""
    parts = path.removeprefix("tile/0/").partition(".p/")[0].replace("x", "").split("/")
    return TILE * int("".join(parts)) + place
