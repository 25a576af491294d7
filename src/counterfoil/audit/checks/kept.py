"""Counterfoils that somebody kept: each promise is the programme's, leads to its group's root, and was honoured."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.audit.case import Case, Lacks
from counterfoil.audit.evidence import Kept, kept
from counterfoil.audit.report import Finding
from counterfoil.chain.signer import recover
from counterfoil.core.entry import entry_id
from counterfoil.core.log import root_of


def counterfoils(case: Case) -> Iterator[Finding]:
    """Signature, path, and the entry in the log below the size of the first final header due by the promise.

    A promise that no final header is due for yet is not broken.
    """
    if case.counterfoils is None:
        raise Lacks("--counterfoils FILE, answers that somebody kept")
    wanted = {one.counterfoil.entry for one in kept(case.counterfoils)}
    places = _places(case, wanted)
    signers: dict[tuple[bytes, bytes], str | None] = {}
    unclear = ""
    for one in kept(case.counterfoils):
        promise, signature = one.counterfoil.promise, one.counterfoil.signature
        key = (promise.digest(), signature)
        if key not in signers:
            signers[key] = recover(*key)
        text = _malformed(case, one, signers[key])
        if text is not None:
            yield _finding(one, text)
            continue
        due = min((n for n in case.chain.final if n >= promise.settle_by), default=None)
        if due is None:
            continue
        if due not in case.headers or not case.trusted(due) or case.good_leaves != case.log_size:
            unclear = f"the log up to settlement {due}"
            continue
        size, leaf = case.headers[due].header.closing.log_size, places.get(one.counterfoil.entry)
        if leaf is None or leaf >= size:
            text = f"broken promise: not in the log of settlement {due}, promised for {promise.settle_by}"
            yield _finding(one, text, due, case.headers[due].hash)
        elif text := _elsewhere(case, one, leaf):
            yield _finding(one, text, due, case.headers[due].hash, leaf)
    if unclear:
        raise Lacks(unclear)


def _malformed(case: Case, one: Kept, signer: str | None) -> str | None:
    promise = one.counterfoil.promise
    if promise.programme != case.chain.programme:
        return "it is of another programme"
    if signer != case.chain.counterfoil_key:
        return "it is not signed by the programme's counterfoil key"
    if not one.counterfoil.included():
        return "its path does not lead from the entry to the signed root"
    number = entry_id(promise.group, one.counterfoil.place)
    if one.answer_id is not None and one.answer_id != f"ent_{number:016x}":
        return f"the answer names {one.answer_id[:40]!r}, its counterfoil ent_{number:016x}"
    return None


def _elsewhere(case: Case, one: Kept, leaf: int) -> str | None:
    """Groups go into the log whole: around the leaf stands the group that was signed."""
    first, count = leaf - one.counterfoil.place, one.counterfoil.count
    group = [case.leaf(i) for i in range(first, first + count)] if first >= 0 and count <= case.log_size else []
    known = [data for data in group if data is not None]
    if len(known) != count or root_of(known) != one.counterfoil.promise.root:
        return "the log has another group around the entry than was signed"
    return None


def _places(case: Case, wanted: set[bytes]) -> dict[bytes, int]:
    """Where the entries stand in the log, the first place of each."""
    found: dict[bytes, int] = {}
    for index in range(case.log_size):
        data = case.leaf(index)
        if data is not None and data in wanted:
            found.setdefault(data, index)
    return found


def _finding(
    one: Kept, text: str, number: int | None = None, header: bytes | None = None, leaf: int | None = None
) -> Finding:
    promise, place = one.counterfoil.promise, one.counterfoil.place
    fits = promise.group < 2**48 and place < 2**16  # an id has room for no more
    entry = entry_id(promise.group, place) if fits else None
    return Finding("counterfoils", f"line {one.line}: {text}", number, entry, header, leaf)
