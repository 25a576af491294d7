"""The files of each settlement against the manifest in its header, and the rulebooks against each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.evidence import Folder, Missing, settlement_name
from counterfoil.audit.published import Rules, read_rules
from counterfoil.audit.report import Finding
from counterfoil.core.errors import Unreadable
from counterfoil.core.files import ENTRIES, LIABILITIES, RULEBOOK, FileHash, manifest_hash
from counterfoil.core.rulebook.contracts import Contract

PIECE = 2**20
_RULEBOOK_FILE = "rulebook.json"
_FILES = {ENTRIES, LIABILITIES, RULEBOOK}


def manifest(case: Case) -> Iterator[Finding]:
    """The list of files gives the header's manifest; the rulebook is the one listed."""
    for number, one in case.headers.items():
        case.require(number)
        names = [file.name for file in one.files]
        if sorted(names) != sorted(_FILES) or manifest_hash(one.files) != one.header.closing.manifest:
            yield case.finding("manifest", "the files listed are not those of the header's manifest", number)
            continue
        yield from _same(case, number, "manifest", case.public, {RULEBOOK: _RULEBOOK_FILE})


def files(case: Case) -> Iterator[Finding]:
    """The sealed files have the sizes and hashes listed."""
    folder = case.sealed_folder()
    for number in case.headers:
        case.require(number)
        yield from _same(case, number, "files", folder, {ENTRIES: ENTRIES, LIABILITIES: LIABILITIES})


def rulebook(case: Case) -> Iterator[Finding]:
    """Rulebooks are of this programme, agree on every version of a contract, and one is that of the contract."""
    known: dict[tuple[int, int], Contract] = {}
    fixed, before = False, None
    for number, one in case.headers.items():
        case.require(number)
        try:
            content = case.public.read(settlement_name(number, _RULEBOOK_FILE))
            rules = read_rules(content, case.chain.programme)
        except Missing:
            raise Lacks(settlement_name(number, _RULEBOOK_FILE)) from None  # `manifest` names it
        except Unreadable as error:
            yield case.finding("rulebook", str(error), number)
            continue
        listed = {file.name: file.sha256 for file in one.files}
        if listed.get(RULEBOOK) != hashlib.sha256(content).digest():
            raise Lacks(f"{settlement_name(number, _RULEBOOK_FILE)} as in the manifest")
        for (partner, version), terms in rules.contracts.items():
            if known.setdefault((partner, version), terms) != terms:
                text = f"version {version} of partner {partner}'s contract has other terms than before"
                yield case.finding("rulebook", text, number)
        yield from _backdated(case, number, rules, before)
        before = rules
        same = hashlib.sha256(content).digest() == case.chain.rulebook
        fixed = fixed or same
        if rules.zone != case.programme.zone:
            yield case.finding("rulebook", "its zone is not that of programme.json", number)
        for partner, name in rules.names.items():
            if case.programme.parties.get(partner) != name:
                yield case.finding("rulebook", f"it names partner {partner} otherwise than programme.json", number)
    if case.headers and not fixed:  # all of these may have been closed before the contract stood
        raise Lacks(f"the rulebook whose SHA-256 is 0x{case.chain.rulebook.hex()}, as fixed in the contract")


def _backdated(case: Case, number: int, rules: Rules, before: Rules | None) -> Iterator[Finding]:
    """Terms announced in a settlement hold from then on, not before: the past is not rewritten, nor forgotten."""
    if before is None:
        return
    for gone in sorted(before.earn_rules - rules.earn_rules):
        yield case.finding(
            "rulebook", f"the version of an earn rule with hash {gone} was published, and is there no more", number
        )
    opened_at = case.headers[number - 1].header.closing.closed_at
    for (partner, version), terms in rules.contracts.items():
        if (partner, version) not in before.contracts and terms.since < opened_at:
            text = f"version {version} of partner {partner}'s contract begins before the settlement in which it was announced"
            yield case.finding("rulebook", text, number)


def rules_of(case: Case, number: int) -> Rules | None:
    """A settlement's rulebook if it can be read; `rulebook` and `manifest` name what is wrong with it."""
    try:
        return read_rules(case.public.read(settlement_name(number, _RULEBOOK_FILE)), case.chain.programme)
    except Unreadable:
        return None


def _same(case: Case, number: int, check: str, folder: Folder, paths: Mapping[str, str]) -> Iterator[Finding]:
    listed = {file.name: file for file in case.headers[number].files}
    for name, file in paths.items():
        path = settlement_name(number, file)
        expected = listed.get(name)
        if expected is None:
            raise Lacks(f"{name} in the manifest")  # `manifest` names it
        try:
            found = _hash(folder, path, name)
        except Missing:
            yield case.finding(check, f"{path} is missing", number)
            continue
        if found != expected:
            yield case.finding(check, f"{path} is not the file of the manifest", number)


def _hash(folder: Folder, path: str, name: str) -> FileHash:
    file, size = folder.open(path)
    digest = hashlib.sha256()
    with file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return FileHash(name, size, digest.digest())
