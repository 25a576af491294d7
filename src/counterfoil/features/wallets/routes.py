"""A member's account is linked, points go to it and come back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from counterfoil.chain.client import asked
from counterfoil.core.calendar import text_instant
from counterfoil.core.entry import id_number
from counterfoil.core.errors import SignInRefused
from counterfoil.core.operation import Operation
from counterfoil.features.wallets.bodies import (
    Assignment,
    Link,
    Linked,
    NewNonce,
    NewReturn,
    NewWithdrawal,
    Nonce,
    Returns,
)
from counterfoil.features.wallets.proofs import Proofs, proofs_of, worker_of
from counterfoil.features.wallets.rules import STATEMENT, signed_in, to_sign
from counterfoil.gateway.auth import Operator
from counterfoil.gateway.looks import looked_up
from counterfoil.gateway.moves import Done, Key, move, posted
from counterfoil.gateway.problems import declared
from counterfoil.gateway.state import Gateway, gateway_of
from counterfoil.gateway.views import MEMBER_ID
from counterfoil.store.desk import member_name
from counterfoil.store.kinds import Stray, Wallets
from counterfoil.store.records import every, recorded
from counterfoil.store.verbs_wallets import shown

router = APIRouter(prefix="/v1", tags=["wallets"])
Reference = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}:[0-9]{1,19}$", examples=["0x" + "00" * 32 + ":0"])]


@router.post("/members/{member}/wallet/nonce", status_code=201, response_model=Nonce, responses=declared(404, 410, 422))
def nonce(request: Request, member: MEMBER_ID, caller: Operator, body: NewNonce | None = None) -> Response:
    """What the member's wallet is to sign; a nonce given before is void."""
    uri, chain_id = _page(request), _chain_id(request)
    account = body.account if body is not None else None

    def view(given: dict[str, Any]) -> BaseModel:
        return Nonce(
            nonce=given["nonce"], domain=uri.partition("://")[2].partition("/")[0], uri=uri, chain_id=chain_id,
            statement=STATEMENT, issued_at=given["issued_at"], expires_at=given["until"],
            message=None if account is None else to_sign(account.lower(), given, uri, chain_id),
        )  # fmt: skip

    return posted(request, Operation("wallet_nonce", caller.party, member=id_number(member), more={}), view)


@router.put("/members/{member}/wallet", response_model=Linked, responses=declared(404, 409, 410, 422))
def link(request: Request, member: MEMBER_ID, body: Link, caller: Operator) -> Response:
    """Link the account that signed: later withdrawals go to it, earlier ones stay where they are."""
    signed = signed_in(body.message, bytes.fromhex(body.signature[2:]), _page(request), _chain_id(request))
    more = {
        "account": signed.account, "nonce": signed.nonce, "expires_at": signed.expires_at, "not_before": signed.not_before,
    }  # fmt: skip
    op = Operation("link_wallet", caller.party, member=id_number(member), by=caller.credential, more=more)
    return posted(request, op, lambda facts: _linked(gateway_of(request), id_number(facts["member"])))


@router.get("/members/{member}/wallet", response_model=Linked, responses=declared(404))
def wallet(request: Request, member: MEMBER_ID, caller: Operator) -> Linked:
    """The account that a member's withdrawals go to."""
    who = looked_up(request, member, caller, gateway_of(request).known())
    return _linked(gateway_of(request), who.member)


@router.delete("/members/{member}/wallet", status_code=204, responses=declared(404, 409, 410))
def unlink(request: Request, member: MEMBER_ID, caller: Operator) -> Response:
    """The member has no account any more; what is in wallets stays there, and what comes back from it is nobody's."""
    op = Operation("unlink_wallet", caller.party, member=id_number(member), by=caller.credential, more={})
    return posted(request, op, None)


@router.get("/members/{member}/withdrawals", response_model=Proofs, responses=declared(404))
def claimable(request: Request, member: MEMBER_ID, caller: Operator) -> Proofs:
    """What was ever withdrawn to the accounts that are or were the member's, with proofs. Others may have used them too."""
    who = looked_up(request, member, caller, gateway_of(request).known())
    accounts = {one["account"] for one in _linked(gateway_of(request), who.member).history}
    return proofs_of(request, sorted(accounts))


@router.post("/withdrawals", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422))
async def withdraw(request: Request, body: NewWithdrawal, caller: Operator, key: Key = None) -> Response:
    """Points leave for the member's account; they can be claimed there once the settlement they fall in is final."""
    return await move(
        request, "withdraw", caller, key, body, external_id=body.external_id, member=id_number(body.member),
        points=body.points, currency=body.currency,
    )  # fmt: skip


@router.post("/returns", status_code=201, response_model=Done, responses=declared(404, 409, 422))
async def take_back(request: Request, body: NewReturn, caller: Operator, key: Key = None) -> Response:
    """Book what an event on chain gave back, once for each event.

    `status` says what was done: `given_back`, `redeemed`, or `suspense` with the reason in `why`: then it waits to be
    assigned. A `partner` that may not burn is named in `not_redeemed`; the points are the member's again.
    """
    more = {**body.model_dump(include={"block", "index", "partner"}), "account": body.account.lower()}
    return await move(
        request, "redeem" if body.partner else "give_back", caller, key, body, external_id=f"{body.block}:{body.index}",
        points=body.points, currency=body.currency, more=more,
    )  # fmt: skip


@router.get("/returns", response_model=Returns, responses=declared())
def returns(request: Request, _caller: Operator, state: Literal["waiting", "assigned"] | None = None) -> dict[str, Any]:
    """Returns that went to suspense."""
    with gateway_of(request).engine.connect() as connection:
        found = every(connection, Stray)
    return {
        "data": [{**shown(name, one), "at": text_instant(one.at)} for name, one in found if state in {None, one.state}]
    }


@router.post(
    "/returns/{reference}/assignment", status_code=201, response_model=Done, responses=declared(404, 409, 410, 422)
)
async def assign(
    request: Request, reference: Reference, body: Assignment, caller: Operator, key: Key = None
) -> Response:
    """Book a return in suspense as the member's whose points it is."""
    return await move(
        request, "assign_return", caller, key, body, member=id_number(body.member), more={"reference": reference}
    )


def _linked(gateway: Gateway, number: int) -> Linked:
    with gateway.engine.connect() as connection:
        held = recorded(connection, Wallets, f"{number}:") or Wallets([])
    history = [
        {"account": one.account, "since": text_instant(one.since),
         "until": None if one.until is None else text_instant(one.until)}
        for one in held.accounts
    ]  # fmt: skip
    now = held.linked
    return Linked(
        member=member_name(number),
        account=now.account if now else None,
        since=text_instant(now.since) if now else None,
        history=history,
    )


def _page(request: Request) -> str:
    """The page that sign-in messages are for. Raises SignInRefused in livemode without one."""
    gateway = gateway_of(request)
    if gateway.livemode and not gateway.wallet_page.startswith("https://"):
        raise SignInRefused("uri", "no wallet page is set for this gateway (COUNTERFOIL_WALLET_PAGE)")
    return gateway.wallet_page


def _chain_id(request: Request) -> int:
    w3 = worker_of(request).cycle.w3
    return int(asked(lambda: w3.eth.chain_id))
