"""What a sale would earn, read without the fence and written nowhere."""

from __future__ import annotations

from msgspec import structs

from counterfoil.core.errors import UnknownPartner
from counterfoil.core.journal import Journal
from counterfoil.core.operation import Answer, Operation
from counterfoil.store import json_text, registry
from counterfoil.store.decide import decide, refused
from counterfoil.store.desk import Desk
from counterfoil.store.engine import Engine, snapshot
from counterfoil.store.reach import Books
from counterfoil.store.records import Records, reader
from counterfoil.store.state import State


def calculate(engine: Engine, op: Operation) -> Answer:
    """The answer that an earn of a basket would have now; for no member (0) what the rules give without caps of members."""
    verb = "earn" if op.member else "calculate"
    with snapshot(engine) as connection:
        programme = registry.load(connection)
        if op.partner not in programme.parties:
            return refused(UnknownPartner(str(op.partner)))
        journal = Journal(programme.programme, 0, registry.clock_or_machine(programme.clock))
        desk = Desk(programme, journal, State(), reach=Books(connection), records=Records(reader(connection)))
        answer = decide(desk, structs.replace(op, verb=verb, external_id=None))
    if not answer.ok:
        return answer
    told = {**answer.facts, "verb": "calculation", "caps": "all" if op.member else "without the member's"}
    return Answer(True, 0, json_text.dumps(told))
