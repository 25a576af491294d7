"""Cash by bank: what was agreed, payments of a final settlement, statements matched to them, partners that fail to pay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import structs

from counterfoil.core.errors import (
    BankEntryAssigned,
    InvalidRequest,
    StatementDiffers,
    UnknownBankEntry,
    UnknownPayment,
)
from counterfoil.core.operation import Operation
from counterfoil.core.rulebook import payment_files, payments
from counterfoil.core.rulebook.payments import Bank, Cash, Clearing, Incoming, Line, Payment, Rejection, Today
from counterfoil.store.desk import Desk
from counterfoil.store.kinds import BankFile, Cashbook, Due, Statement
from counterfoil.store.terms import partner

Facts = dict[str, object]
Version = TypeVar("Version", bound=Cash | Clearing)
NOT_BOOKED, UNMATCHED = "not_booked", "unmatched"


def agree_clearing(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The operator's bank account and terms, from the open settlement on."""
    since = desk.programme.open_settlement
    made: Clearing = structs.replace(op.asked["clearing"], since=since)
    bank = desk.programme.bank
    _keep(desk, Bank(_with(bank.clearing, made), bank.partners))
    return None, {"since_settlement": since, "currency": made.currency}


def agree_cash(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """How a partner's positions are paid, from the open settlement on."""
    since, party, bank = desk.programme.open_settlement, partner(desk, op), desk.programme.bank
    made: Cash = structs.replace(op.asked["cash"], since=since)
    clearing = bank.clearing_at(since)
    if made.account is not None and clearing is None:
        raise InvalidRequest("cash", "the operator's own bank account must be agreed first")
    if made.mandate is not None and (clearing is None or clearing.creditor_id is None):
        raise InvalidRequest("mandate", "needs the operator's creditor identifier")
    partners = {**bank.partners, party.number: _with(bank.partners.get(party.number, []), made)}
    _keep(desk, Bank(bank.clearing, partners))
    cash = "token" if made.account is None else "bank"
    return None, {"partner": party.name, "cash": cash, "since_settlement": since}


def fall_due(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A settlement is final: the words of partners by bank are to be paid. A second time nothing happens."""
    settlement, today = int(op.asked["settlement"]), _today(desk)
    if desk.records.find(Due, str(settlement)) is not None:
        return None, {}
    book, made = _book(desk), []
    for number, word in op.asked["words"].items():
        owes = any(one.partner == number and _is_late(one, today) for one in _open(desk, book))
        one = payments.payment(today, settlement, number, word, owes=owes)
        if one is not None:
            made.append(one)
    for one in made:
        desk.records.keep(one.name, one)
        book.open.append(one.name)
    desk.records.keep(str(settlement), Due([one.partner for one in made]))
    desk.records.keep("", book)
    return None, {"payments": len(made)}


def take_statement(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """A file of statements: each is taken once, its lines are kept and matched."""
    file, told = op.asked["file"], []
    named = {f"{one.account}:{one.id}": one for one in op.asked["statements"]}
    found = {name: desk.records.find(Statement, name) for name in named}
    for name, known in found.items():  # all of the file or nothing
        if known is not None and known.digest != named[name].digest:
            raise StatementDiffers(named[name].id)
    for name, one in named.items():
        known = found[name]
        lines = _take_lines(desk, one) if known is None else [_line(desk, number) for number in known.lines]
        if known is None:
            desk.records.keep(name, Statement(one.digest, file, [line.number for line in lines]))
            if desk.records.find(BankFile, file) is None:
                desk.records.keep(file, BankFile(op.asked["xml"]))
        told.append({
            "id": one.id, "account": one.account, "status": "taken" if known is None else "known",
            "entries": [{"id": line.id, "result": line.result, "payments": line.payments} for line in lines],
        })  # fmt: skip
    return None, {"statements": told}


def take_report(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """What a bank turned down is asked for again by the next file; the same report twice changes nothing more."""
    today, told = _today(desk), []
    for rejection in op.asked["rejections"]:
        for one, trial in _rejected(desk, rejection):
            anew = payments.reject(one, trial, rejection.reason, today)
            desk.records.keep(one.name, one)
            told.append({
                "payment": one.name, "file": trial, "reason": rejection.reason,
                "result": "reopened" if anew else "known",
            })  # fmt: skip
    return None, {"rejections": told}


def _rejected(desk: Desk, rejection: Rejection) -> list[tuple[Payment, int]]:
    """The payments a bank turned down, and the file each stood in; none for what is not ours."""
    for short in _shorts(desk):
        named = payment_files.read_end_to_end(rejection.end_to_end or "", short)
        if named is not None:
            one = desk.records.find(Payment, named[0])
            return [] if one is None else [(one, named[1])]
        text = rejection.block or rejection.file or ""
        read = payment_files.read_batch(text, short)
        if read is not None:
            return [(one, read[2]) for one, _micros in _parts(desk, text, short)]
    return []


def assign_line(desk: Desk, op: Operation) -> tuple[None, Facts]:
    """The operator says which payment an unmatched line is for."""
    number, name = int(op.asked["line"]), str(op.asked["payment"])
    line, one = desk.records.find(Line, str(number)), desk.records.find(Payment, name)
    if line is None:
        raise UnknownBankEntry(f"bnk_{number:016x}")
    if line.result != UNMATCHED:
        raise BankEntryAssigned(line.id, line.result)
    if one is None:
        raise UnknownPayment(name)
    if one.clearing.currency != line.currency:
        raise InvalidRequest("payment", f"is in {one.clearing.currency}, the entry in {line.currency}")
    book = _book(desk)
    _apply(desk, book, line, [(one, line.amount_micros)])
    book.unmatched.remove(number)
    desk.records.keep(str(number), line)
    desk.records.keep("", book)
    return None, {"entry": line.id, "result": line.result, "payment": one.name, "left_micros": one.left_micros}


def fail(desk: Desk, partner: int) -> None:
    """The waterfall has started: the payments this partner failed to make say in which settlement, once."""
    for one in _open(desk, _book(desk)):
        if one.partner == partner and not one.failed_in and one.overdue(desk.journal.now, desk.programme.zone):
            one.failed_in = desk.programme.open_settlement
            desk.records.keep(one.name, one)


def _take_lines(desk: Desk, one: Incoming) -> list[Line]:
    book = _book(desk)
    lines = []
    for each in one.lines:
        line = structs.replace(each, number=book.lines)
        book.lines += 1
        if line.booked:
            _apply(desk, book, line, _match(desk, book, line))
        else:
            line.result = NOT_BOOKED
        if line.result == UNMATCHED:
            book.unmatched.append(line.number)
        desk.records.keep(str(line.number), line)
        lines.append(line)
    desk.records.keep("", book)
    return lines


def _match(desk: Desk, book: Cashbook, line: Line) -> list[tuple[Payment, int]]:
    """What a line pays: by the ids it names, by the block of a file, by amount and the other side's account."""
    for text in filter(None, (line.end_to_end, line.text)):
        named = _known(desk, [name for short in _shorts(desk) for name in payment_files.names_in(text, short)], line)
        if len(named) == 1:
            return [(named[0], line.amount_micros)]
        if named and sum(one.wanted_micros for one in named) == line.amount_micros:
            return [(one, one.wanted_micros) for one in named]
    parts = [part for short in _shorts(desk) for part in _parts(desk, line.batch or "", short)]
    if parts and sum(micros for _one, micros in parts) == line.amount_micros and payments.fits(parts[0][0], line):
        return parts
    return [
        (one, line.amount_micros)
        for one in _open(desk, book)
        if one.wanted_micros == line.amount_micros
        and one.cash.account is not None
        and one.cash.account.iban == line.iban
        and payments.fits(one, line)
    ][:1]


def _parts(desk: Desk, text: str, short: str) -> list[tuple[Payment, int]]:
    """Payments of a file or block by its id, with what a line that pays them brings or takes."""
    read = payment_files.read_batch(text, short)
    if read is None:
        return []
    settlement, kind, trial, place = read
    due = desk.records.find(Due, str(settlement)) or Due([])
    known = [one for n in due.partners if (one := desk.records.find(Payment, f"{settlement}-{n}")) is not None]
    blocks = payment_files.asked(known, kind, trial)
    sign = -1 if kind == payment_files.TRANSFERS else 1
    some = blocks[place - 1 : place] if place else blocks
    return [(payment, sign * one.micros) for block in some for payment, one in block.parts]


def _apply(desk: Desk, book: Cashbook, line: Line, parts: list[tuple[Payment, int]]) -> None:
    """Count a line for its payments; what it leaves open or closes is listed anew."""
    results, today = [], _today(desk)
    for one, micros in parts:
        results.append(payments.apply(one, line, micros, today))
        line.payments.append(one.name)
        book.banked[one.partner] = book.banked.get(one.partner, 0) + micros
        book.open = [name for name in book.open if name != one.name]
        if one.left_micros > 0:
            book.open.append(one.name)
            book.open.sort(key=_order)
        desk.records.keep(one.name, one)
        _release(desk, book, one.partner)
    line.result = next((one for one in results if one != "matched"), "matched" if results else UNMATCHED)


def _release(desk: Desk, book: Cashbook, partner: int) -> None:
    """What was withheld from a partner is sent once it owes nothing that is late."""
    today = _today(desk)
    own = [one for one in _open(desk, book) if one.partner == partner]
    if not any(_is_late(one, today) for one in own):
        for one in own:
            if payments.release(one, today):
                desk.records.keep(one.name, one)


def _is_late(one: Payment, today: Today) -> bool:
    return one.amount_micros < 0 and one.state(today.now, today.zone) in {"late", "failed"}


def _today(desk: Desk) -> Today:
    programme = desk.programme
    return Today(desk.journal.now, programme.zone, programme.open_settlement, programme.bank)


def _shorts(desk: Desk) -> list[str]:
    """What our ids begin with, now and before."""
    return list(dict.fromkeys(one.short for one in desk.programme.bank.clearing))


def _known(desk: Desk, names: Iterable[str], line: Line) -> list[Payment]:
    found = [desk.records.find(Payment, name) for name in names]
    return [one for one in found if one is not None and payments.fits(one, line)]


def _open(desk: Desk, book: Cashbook) -> list[Payment]:
    return [one for name in book.open if (one := desk.records.find(Payment, name)) is not None]


def _order(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split("-")))


def _line(desk: Desk, number: int) -> Line:
    found = desk.records.find(Line, str(number))
    assert found is not None
    return found


def _book(desk: Desk) -> Cashbook:
    return desk.records.find(Cashbook, "") or Cashbook()


def _with(versions: list[Version], made: Version) -> list[Version]:
    """A version replaces one that has not come into force yet, or another one of the same settlement."""
    return [one for one in versions if one.since < made.since] + [made]


def _keep(desk: Desk, bank: Bank) -> None:
    desk.records.keep("", bank)
    desk.revise(bank=bank)
