"""Closing: from the range that a close fixed to positions, supply, roots and manifest. Pure but for the reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from counterfoil.core import claim_tree, netting
from counterfoil.core.claim_tree import ClaimTree
from counterfoil.core.files import (
    ENTRIES,
    LIABILITIES,
    RULEBOOK,
    Hasher,
    hashed,
    manifest_hash,
    pack_entry,
    pack_liabilities,
)
from counterfoil.core.settlement import NOTHING, Closing, Supply, pack_supply
from counterfoil.core.sum_tree import SumTree
from counterfoil.store import books, json_text, registry, settlements
from counterfoil.store.engine import Engine, writing


def compute(engine: Engine, number: int, crash: Callable[[str], None] = lambda point: None) -> None:
    """Fold settlement `number`, move its liabilities, fix its closing: state closing becomes closed, in one commit."""
    row: Any = settlements.one(engine, number)
    if row.state != "closing":
        return
    previous: Any = settlements.one(engine, number - 1)
    rules: str = json_text.loads(row.manifest)["rulebook"]
    before = json_text.loads(previous.totals) if previous is not None else None
    fold, entries = settlements.Fold(), Hasher(ENTRIES)
    for one in books.leaves(engine, row.first_leaf, row.log_size):
        fold.add(one)
        entries.add(pack_entry(one.body))
    positions = netting.positions(fold.nets)
    refers_to = sorted(settlements.settlement_of(engine, fold.originals) - {number})
    with engine.connect() as connection:
        programme = registry.load(connection)
    with writing(engine) as connection:
        old = before["currencies"] if before else {}
        supplies, packed, totals_of = [], b"", {}
        settlements.move_claims(connection, number, fold.withdrawn)
        claims = ClaimTree(settlements.claims(connection, number))
        withdrawn = claim_tree.totals(claims.leaves)
        for currency in programme.currency_numbers():
            was = old.get(str(currency), {"depth": 0, "supply": 0, "returned": 0})
            changes = fold.outstanding.get(currency, {})
            depth, total = settlements.move_liabilities(connection, number, currency, changes, was["depth"])
            leaves = [leaf for _member, leaf in settlements.liabilities(connection, number, currency)]
            tree = SumTree(currency, depth, leaves)
            assert tree.root.sum == total
            returned = was["returned"] + fold.returned.get(currency, 0)
            supply = Supply(currency, tree.root.hash, total, withdrawn.get(currency, 0), returned)
            supplies.append(supply)
            packed += pack_liabilities(currency, depth, leaves)
            totals_of[str(currency)] = {
                "depth": depth, "custodial": total, "withdrawn": supply.withdrawn, "returned": returned,
                "supply": supply.tokens, "change": supply.tokens - was["supply"],
            }  # fmt: skip
        files = [entries.done(), hashed(LIABILITIES, packed), hashed(RULEBOOK, rules.encode())]
        closing = Closing(
            programme.programme, number, bytes.fromhex(before["closing_hash"][2:]) if before else NOTHING,
            row.closed_at, row.log_size, bytes(row.log_root), claims.root, manifest_hash(files),
            netting.pack(positions.words()), pack_supply(supplies),
        )  # fmt: skip
        totals = {
            "currencies": totals_of,
            "exact": _by_party(positions.exact),
            "rounded": _by_party(positions.rounded),
            "rounding": positions.rounding,
            "issued": _by_party(fold.issued),
            "burned": _by_party(fold.burned),
            "flows": [[payer, payee, micros] for (payer, payee), micros in sorted(fold.flows.items())],
            "refers_to": refers_to,
            "closing_hash": "0x" + closing.hash().hex(),
            "claim_root": "0x" + claims.root.hex(),
            "manifest": "0x" + closing.manifest.hex(),
            "gross": "0x" + closing.gross.hex(),
            "supply_words": "0x" + closing.supply.hex(),
            "previous_closing": "0x" + closing.previous_closing.hex(),
        }
        manifest = {
            "files": [file.as_json() for file in files],
            "rulebook": rules,
        }
        settlements.record(connection, number, state="closed", totals=totals, manifest=manifest)
        crash("settlement.computed")


def closing_of(row: Any, programme: bytes) -> Closing:
    """The closing of a closed settlement's row."""
    totals = json_text.loads(row.totals)

    def raw(name: str) -> bytes:
        return bytes.fromhex(totals[name][2:])

    return Closing(
        programme, row.number, raw("previous_closing"), row.closed_at, row.log_size, bytes(row.log_root),
        raw("claim_root"), raw("manifest"), raw("gross"), raw("supply_words"),
    )  # fmt: skip


def _by_party(values: dict[int, int]) -> dict[str, int]:
    return {str(number): value for number, value in sorted(values.items()) if value}
