"""Bank statements: camt.053.001.08 of ISO 20022 as lines, pure. What is not understood is refused by line and element."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import date

from lxml import etree

from counterfoil.core.rulebook.payments import Incoming, Line
from counterfoil.features.bank.document import Node, document

VERSION = "camt.053.001.08"
_MICRO_DIGITS = 6
_RETURNS = {"RRTN", "UPDD", "PRDD", "RPCR", "UPCT"}  # external bank transaction codes: money on its way back


def statements(xml: bytes, accounts: Collection[str]) -> tuple[list[Incoming], str]:
    """The statements of a file and its text; raises BankFileUnreadable, also for one that is of none of these accounts."""
    root = document(xml, VERSION)
    top = root.one("BkToCstmrStmt")
    found = [_statement(one, accounts) for one in top.all("Stmt")]
    if not found:
        raise top.wrong("has no Stmt")
    if len({(one.account, one.id) for one in found}) < len(found):
        raise top.wrong("has two statements of one account under the same Id")
    return found, root.whole


def _statement(node: Node, accounts: Collection[str]) -> Incoming:
    iban = node.one("Acct/Id/IBAN")
    if iban.text not in accounts:
        raise iban.wrong("is not an account of this programme")
    name = node.one("Id").text
    lines = [line for place, entry in enumerate(node.all("Ntry"), 1) for line in _lines(entry, name, place, iban.text)]
    _check_balances(node, lines)
    # a bank that makes the same statement again says another time at most
    parts = [each for each in node.element if not each.tag.endswith("}CreDtTm")]
    content = b"".join(etree.tostring(each, method="c14n", with_tail=False) for each in parts)
    return Incoming(name, iban.text, hashlib.sha256(content).hexdigest(), lines)


def _check_balances(node: Node, lines: list[Line]) -> None:
    """What it opened with and the lines are what it closes with, where it is whole and says both."""
    balances: dict[str, tuple[int, str]] = {}
    for one in node.all("Bal"):
        kind = one.word("Tp/CdOrPrtry/Cd")
        if kind is not None:
            balances[kind] = _amount(one)
    opened, closed = balances.get("OPBD") or balances.get("PRCD"), balances.get("CLBD")
    if opened is None or closed is None or node.maybe("StmtPgntn") is not None:
        return
    moved = sum(line.amount_micros for line in lines if line.booked)
    if opened[0] + moved != closed[0]:
        raise node.wrong("its entries do not lead from the opening to the closing balance")


def _lines(entry: Node, statement: str, place: int, own: str) -> Iterator[Line]:
    """One for each transaction where the bank gives their amounts, else one for the entry."""
    booked, on = entry.one("Sts/Cd").text == "BOOK", _day(entry)
    whole, currency = _amount(entry)
    batch = entry.word("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")
    for part, (one, micros) in enumerate(_parts(entry, whole, currency), 1):
        sides = [
            (one.word(f"RltdPties/{side}Acct/Id/IBAN"), one.word(f"RltdPties/{side}/Pty/Nm"))
            for side in (("Dbtr", "Cdtr") if micros > 0 else ("Cdtr", "Dbtr"))
        ]
        iban, holder = next(((iban, holder) for iban, holder in sides if iban not in {None, own}), sides[0])
        texts = [each.text for each in one.all("RmtInf/Ustrd") + one.all("RmtInf/Strd/CdtrRefInf/Ref")]
        reason = one.word("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
        code = entry.word("BkTxCd/Domn/Fmly/SubFmlyCd")
        returned = reason is not None or code in _RETURNS or entry.word("RvslInd") in {"true", "1"}
        yield Line(
            0, statement, f"{place}.{part}", on, micros, currency, booked, one.word("Refs/EndToEndId"),
            one.word("Refs/PmtInfId") or batch, iban, holder, " ".join(texts), reason, returned,
        )  # fmt: skip


def _parts(entry: Node, whole: int, currency: str) -> list[tuple[Node, int]]:
    details = entry.all("NtryDtls/TxDtls")
    if len(details) == 1:
        return [(details[0], whole)]
    if all(one.maybe("Amt") is not None for one in details):
        amounts = [_amount(one, entry) for one in details]
        if sum(micros for micros, _currency in amounts) == whole and {c for _micros, c in amounts} == {currency}:
            return [(one, micros) for one, (micros, _currency) in zip(details, amounts, strict=True)]
    return [(entry, whole)]


def _amount(node: Node, entry: Node | None = None) -> tuple[int, str]:
    """Signed micros and currency; a transaction without a sign of its own has its entry's."""
    amount = node.one("Amt")
    sign = (node.maybe("CdtDbtInd") or (entry or node).one("CdtDbtInd")).text
    whole, _, part = amount.text.partition(".")
    if not (whole.isdecimal() and whole.isascii() and (not part or (part.isdecimal() and part.isascii()))):
        raise amount.wrong(f"{amount.text!r} is not an amount")
    if len(whole) > 12 or len(part) > _MICRO_DIGITS:
        raise amount.wrong(f"{amount.text!r} has too many digits")
    if sign not in {"CRDT", "DBIT"}:
        raise node.wrong(f"CdtDbtInd is {sign!r}, neither CRDT nor DBIT")
    micros = int(whole + part.ljust(_MICRO_DIGITS, "0"))
    return micros if sign == "CRDT" else -micros, str(amount.element.get("Ccy"))


def _day(entry: Node) -> date:
    found = entry.maybe("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    if found is None:
        raise entry.wrong("lacks BookgDt")
    try:
        return date.fromisoformat(found.text[:10])
    except ValueError:
        raise found.wrong(f"{found.text!r} is not a date") from None
