"""Own wallets: what leaves, and what comes back from whoever has the tokens; counted by account, and each event once."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from counterfoil.audit.rules.before import Before, expect, points_of, require_value, taken
from counterfoil.audit.rules.refunds import graced
from counterfoil.audit.shapes import Misshapen, Wrong
from counterfoil.core.entry import Entry, LotMade, Move, Place
from counterfoil.core.holdings import Lot
from counterfoil.core.wallet import NOTHING


def withdraw(entry: Entry, before: Before) -> None:
    """In burn order, to one account; it is counted there for ever."""
    assert entry.wallet is not None
    if entry.wallet.block != NOTHING or entry.wallet.index:
        raise Misshapen("a withdrawal that names an event")
    points = points_of(entry)
    expect(entry, taken(entry, before, points, Place.WITHDRAWN), "burn order")
    books, who = before.books, before.who
    currency = who.lots[entry.moves[0].entry, entry.moves[0].index].terms.currency
    name = (entry.wallet.account, currency)
    books.withdrawn[name] = books.withdrawn.get(name, 0) + points
    for move in entry.moves:
        books.wallets.add(who.member, who.lots[move.entry, move.index])


def give_back(entry: Entry, before: Before) -> None:
    """First what the same member withdrew, then what others did, in burn order; past ones with grace; an event once."""
    assert entry.wallet is not None
    books, event = before.books, (entry.wallet.block, entry.wallet.index)
    if entry.wallet.block == NOTHING:
        raise Misshapen("points that come back by no event")
    if event in books.events:
        raise Wrong("it books an event a second time")
    books.events.add(event)
    points = left = points_of(entry)
    moves: list[Move] = []
    lots: list[LotMade] = []
    currency = before.who.terms_of(entry.moves[0].entry, entry.moves[0].index).currency
    for lot, own in _in_wallets(before, currency):
        if not left:
            break
        part, past = min(left, lot.withdrawn), lot.terms.expires_at <= entry.at
        left -= part
        target = (Place.RENEWED if past else Place.AVAILABLE) if own else Place.GIFTED
        moves.append(Move(lot.entry, lot.index, Place.WITHDRAWN, target, part))
        if own and past:
            lots.append(LotMade(0, part, graced(entry, lot, before.books.rules, len(lots))))
        elif not own:
            until = graced(entry, lot, before.books.rules, len(lots)).expires_at if past else lot.terms.expires_at
            terms = structs.replace(
                lot.terms, expires_at=until, available_at=0, origin_entry=0, origin_index=0, prepaid=0
            )
            lots.append(LotMade(0, part, terms))
    expect(entry, moves, "what the same member withdrew first, each in burn order")
    if entry.lots != tuple(lots):
        raise Wrong("its lots are not those of what it gives back")
    books.returned[currency] = books.returned.get(currency, 0) + points
    books.given = entry
    for (lot, own), move in zip(list(_in_wallets(before, currency)), moves, strict=False):
        if lot.withdrawn == move.points:
            books.wallets.remove(lot)
        assert own or move.target is Place.GIFTED


def _in_wallets(before: Before, currency: int) -> Iterator[tuple[Lot, bool]]:
    """Lots of a currency in wallets in the order they come back to this member, and whether they are its own."""
    for lot in before.who.withdrawn(currency):
        yield lot, True
    for handle, number, index in before.books.wallets.of(currency):
        if handle != before.who.member:
            yield before.books.holders[handle].lots[number, index], False


def redeem(entry: Entry, before: Before) -> None:
    """What the giving back right before it brought is used, all of it, in its order."""
    given = before.books.given
    if given is None or entry.refers_to != given.id or entry.id != given.id + 1:
        raise Wrong("it does not use what the entry before it gave back")
    require_value(entry, before)
    moves, made = [], 0
    for move in given.moves:
        name = (move.entry, move.index)
        if move.target is not Place.AVAILABLE:
            name, made = (given.id, made), made + 1
        moves.append(Move(*name, Place.AVAILABLE, Place.BURNED, move.points))
    if any((move.entry, move.index) not in before.who.lots for move in moves):
        raise Wrong("it uses what was given back to another member")
    expect(entry, moves, "what was given back")
