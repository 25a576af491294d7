"""What one gateway process holds: books, writer, keys. Set up once by the app, found on `request.app.state.gateway`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import Request

from counterfoil.chain.signer import CheckpointSigner, Signer
from counterfoil.core.counterfoil import Promise, promise_json
from counterfoil.core.entry import group_of, place_of
from counterfoil.core.errors import ReadOnly
from counterfoil.core.log import path_in
from counterfoil.core.operation import Answer, Operation
from counterfoil.store import books, registry
from counterfoil.store.engine import Engine
from counterfoil.store.posting import Group
from counterfoil.store.writer import Writer

PROMISES_KEPT = 256
CREDENTIAL_SECONDS = 1.0  # a revoked key works no longer than this


@dataclass(slots=True)
class Gateway:
    """One process's share of the coalition."""

    engine: Engine
    writer: Writer
    counterfoil: Signer
    checkpoint: CheckpointSigner
    programme: bytes
    livemode: bool
    read_only: ReadOnly | None = None
    crash: Callable[[str], None] = lambda point: None
    promised: dict[int, dict[str, object]] = field(default_factory=dict)
    callers: dict[str, tuple[float, registry.Caller]] = field(default_factory=dict)

    def now(self) -> int:
        """The posting instant of a sandbox's test clock, or the machine's."""
        return registry.now(self.engine)

    def known(self) -> registry.Programme:
        """The programme with its parties."""
        with self.engine.connect() as connection:
            return registry.load(connection)

    def caller(self, key: str) -> registry.Caller:
        """Who an API key belongs to; remembered for a moment. Raises Unauthenticated."""
        known = self.callers.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        self.callers.pop(key, None)
        caller = registry.authenticate(self.engine, key)
        if len(self.callers) > 10_000:
            self.callers.clear()
        self.callers[key] = (time.monotonic() + CREDENTIAL_SECONDS, caller)
        return caller

    async def post(self, operations: Sequence[Operation]) -> list[dict[str, object]]:
        """Post operations and give each answer's body, with its counterfoil. Raises ReadOnly."""
        if self.read_only is not None:
            raise self.read_only
        self.crash("api.received")
        answers, group = await asyncio.wrap_future(self.writer.submit(operations))
        self.crash("api.answering")
        missing = {group_of(a.entry) for a in answers if a.entry and (group is None or group_of(a.entry) != group.id)}
        old = await asyncio.to_thread(books.groups, self.engine, sorted(missing)) if missing else {}
        return self.bodies(answers, ([group] if group else []) + list(old.values()))

    def bodies(self, answers: Sequence[Answer], groups: Sequence[Group]) -> list[dict[str, object]]:
        """Answers as they go out. One signature per group; it is deterministic, so a replay carries the same."""
        signed = {group.id: (group, self._promised(group)) for group in groups}
        bodies = []
        for answer in answers:
            body: dict[str, object] = {}
            if answer.ok and answer.entry:
                group, shared = signed[group_of(answer.entry)]
                place = place_of(answer.entry)
                body["id"] = f"ent_{answer.entry:016x}"
                body["counterfoil"] = {
                    **shared, "entry": "0x" + group.hashes[place].hex(), "place": place, "count": group.count,
                    "path": path_in(group.levels, place),
                }  # fmt: skip
            body.update(answer.facts)
            body["_ok"], body["_replayed"] = answer.ok, answer.replayed
            bodies.append(body)
        return bodies

    def _promised(self, group: Group) -> dict[str, object]:
        """What a group's counterfoils share; signed once for all the requests it answered."""
        shared = self.promised.get(group.id)
        if shared is None:
            promise = Promise(self.programme, group.id, group.root, group.committed_at, group.settle_by)
            shared = promise_json(promise, self.counterfoil.sign(promise.digest()))
            if len(self.promised) > PROMISES_KEPT:
                self.promised.clear()
            self.promised[group.id] = shared
        return shared


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves a request."""
    gateway: Gateway = request.app.state.gateway
    return gateway
