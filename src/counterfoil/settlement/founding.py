"""The settlement contract of a programme, deployed once with the partners and currencies registered by then."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.chain.outbox import Outbox
from counterfoil.chain.settlement import (
    DAY_SECONDS,
    NOBODY,
    SANDBOX_COLLATERAL_MICROS,
    Partner,
    Setup,
    deploy,
    deploy_test_money,
    deposit_test_money,
)
from counterfoil.core.accounts import OPERATOR
from counterfoil.store.registry import Programme
from counterfoil.store.rulebook import rulebook_hash


@dataclass(frozen=True, slots=True)
class Charter:
    """What a settlement contract is deployed with and keeps for good; contracts/README.md says what each is for."""

    window_seconds: int = 0
    answer_seconds: int = 2 * DAY_SECONDS
    delay_seconds: int = 7 * DAY_SECONDS
    bond_micros: int = 1_000_000_000
    closed_loop: bool = False
    guardian: str = NOBODY


def deployed(
    programme: Programme, outbox: Outbox, token: str | None, charter: Charter, counterfoil_key: str, checkpoint_key: bytes
) -> str | None:  # fmt: skip
    """The new contract's address; None while no partner has a signer. Without a token a sandbox gets money and deposits."""
    partners = tuple(Partner(p.number, p.signer, p.floor_micros) for p in programme.partners() if p.signer is not None)
    if not partners:
        return None
    money = token or deploy_test_money(outbox)
    currencies = tuple((n, programme.currency_name(n)) for n in programme.currency_numbers())
    contract = deploy(
        outbox,
        Setup(
            programme.programme, rulebook_hash(programme), money, charter.window_seconds, counterfoil_key, checkpoint_key,
            partners, currencies, charter.answer_seconds, charter.delay_seconds, charter.bond_micros, charter.closed_loop,
            charter.guardian,
        ),
    )  # fmt: skip
    if token is None:
        planned = {p.number: programme.parties[p.number].collateral_micros for p in partners}
        amounts = {n: SANDBOX_COLLATERAL_MICROS if micros is None else micros for n, micros in planned.items()}
        amounts = {n: micros for n, micros in amounts.items() if micros} | {OPERATOR: SANDBOX_COLLATERAL_MICROS}
        deposit_test_money(outbox, contract, amounts, "deposit")
    return contract.address
