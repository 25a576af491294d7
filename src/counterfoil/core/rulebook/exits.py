"""Orderly exit: a partner leaves, its members' points stay good elsewhere, and a reserve stands for what it still owes."""

from __future__ import annotations

from counterfoil.core.accounts import RESERVE, kept_for
from counterfoil.core.entry import Entry, Paid, Verb
from counterfoil.core.journal import Journal
from counterfoil.core.reserves import reserve_for


def exit_partner(journal: Journal, partner: int, owed_micros: int, breakage_bp: int) -> Entry:
    """Set the reserve aside: what is owed at use for the points outstanding, less estimated breakage, rounded up."""
    micros = reserve_for(owed_micros, breakage_bp)
    paid = (Paid(partner, kept_for(RESERVE, partner), micros),) if micros else ()
    return journal.post(Verb.EXIT, (), partner=partner, value_micros=breakage_bp, paid=paid)
