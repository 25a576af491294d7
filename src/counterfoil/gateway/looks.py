"""Looking at a member: what there is, and the act that says that an operator looked."""

from __future__ import annotations

from fastapi import Request

from counterfoil.core.entry import id_number
from counterfoil.core.errors import UnknownMember
from counterfoil.core.holdings import Holdings
from counterfoil.core.operation import Operation
from counterfoil.gateway.state import gateway_of
from counterfoil.store import books, registry
from counterfoil.store.kinds import LookUp
from counterfoil.store.records import recorded
from counterfoil.store.registry import Caller, Programme
from counterfoil.store.verbs_operator import look_name


def looked_up(request: Request, member: str, caller: Caller, programme: Programme) -> Holdings:
    """What the member has. That an operator looked is an act in the log, once for each credential and local day."""
    gateway, number = gateway_of(request), id_number(member)
    now = gateway.now()
    who = books.holdings(gateway.engine, number, now)
    if who is None:
        raise UnknownMember(member)
    if registry.is_operator(caller) and gateway.read_only is None:
        name = look_name(now, programme.zone, number, caller.credential)
        with gateway.engine.connect() as connection:
            noted = recorded(connection, LookUp, name) is not None
        if not noted:
            gateway.writer.submit([Operation("look_up", caller.party, member=number, by=caller.credential)]).result()
    return who
