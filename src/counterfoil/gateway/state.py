"""What one gateway process holds: books, writer, keys. Set up once by the app, found on `request.app.state.gateway`."""

from __future__ import annotations

import asyncio
import time
from binascii import hexlify
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import Request

from counterfoil.chain.signer import CheckpointSigner, Signer
from counterfoil.core.counterfoil import Promise, promise_json
from counterfoil.core.entry import group_of, place_of
from counterfoil.core.operation import Answer, Operation
from counterfoil.core.refusals import ReadOnly
from counterfoil.store import books, credentials, json_text, registry
from counterfoil.store.engine import Engine
from counterfoil.store.posting import Group
from counterfoil.store.writer import Result, Writer


class Mailbox:
    """Outcomes on their way from the writer's thread to an event loop: one wake-up for all that one commit answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._outcomes: deque[tuple[asyncio.Future[Result], Outcome]] = deque()

    def address(self) -> tuple[asyncio.Future[Result], Callable[[Outcome], None]]:
        """A future of the loop, and what fulfils it from another thread."""
        waiter: asyncio.Future[Result] = self.loop.create_future()

        def deliver(outcome: Outcome) -> None:
            self._outcomes.append((waiter, outcome))
            if len(self._outcomes) == 1 and not self.loop.is_closed():  # else a wake-up is on its way
                self.loop.call_soon_threadsafe(self._open)

        return waiter, deliver

    def _open(self) -> None:
        while self._outcomes:
            waiter, outcome = self._outcomes.popleft()
            if waiter.done():  # who asked has gone
                continue
            if isinstance(outcome, Exception):
                waiter.set_exception(outcome)
            else:
                waiter.set_result(outcome)


PROMISES_KEPT = 256
WALLET_PAGE = "http://localhost:8080/wallet"  # of a sandbox: where a member signs that an account is its own
_PROVEN = b'{"id":"ent_%016x","counterfoil":{%b,"entry":"0x%b","place":%d,"count":%d,"path":[%b]}%b'
Outcome = Result | Exception
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
    wallet_page: str = WALLET_PAGE
    read_only: ReadOnly | None = None
    crash: Callable[[str], None] = lambda point: None
    promised: dict[int, bytes] = field(default_factory=dict)
    callers: dict[str, tuple[float, registry.Caller]] = field(default_factory=dict)
    mailbox: Mailbox | None = None

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
        caller = credentials.authenticate(self.engine, key)
        if len(self.callers) > 10_000:
            self.callers.clear()
        self.callers[key] = (time.monotonic() + CREDENTIAL_SECONDS, caller)
        return caller

    async def post(self, operations: Sequence[Operation]) -> list[tuple[Answer, bytes]]:
        """Post operations; each answer, and its body with the counterfoil. Raises ReadOnly."""
        if self.read_only is not None:
            raise self.read_only
        self.crash("api.received")
        loop = asyncio.get_running_loop()
        if self.mailbox is None or self.mailbox.loop is not loop:
            self.mailbox = Mailbox(loop)
        waiter, deliver = self.mailbox.address()
        self.writer.put(operations, deliver)
        answers, group = await waiter
        self.crash("api.answering")
        missing = {group_of(a.entry) for a in answers if a.entry and (group is None or group_of(a.entry) != group.id)}
        old = await asyncio.to_thread(books.groups, self.engine, sorted(missing)) if missing else {}
        bodies = self.bodies(answers, ([group] if group else []) + list(old.values()))
        return list(zip(answers, bodies, strict=True))

    def bodies(self, answers: Sequence[Answer], groups: Sequence[Group]) -> list[bytes]:
        """JSON of answers as they go out. One signature per group; it is deterministic, so a replay carries the same."""
        signed = {group.id: (group, self._promised(group)) for group in groups}
        bodies = []
        for answer in answers:
            body = answer.json
            if answer.ok and answer.entry:
                group, promise = signed[group_of(answer.entry)]
                place = place_of(answer.entry)
                body = _PROVEN % (
                    answer.entry, promise, hexlify(group.hashes[place]), place, group.count, group.paths[place],
                    b"}" if body == b"{}" else b"," + body[1:],
                )  # fmt: skip
            bodies.append(body)
        return bodies

    def _promised(self, group: Group) -> bytes:
        """What a group's counterfoils share, JSON without braces; signed once for all the requests it answered."""
        shared = self.promised.get(group.id)
        if shared is None:
            promise = Promise(self.programme, group.id, group.root, group.committed_at, group.settle_by)
            signed = promise_json(promise, self.counterfoil.sign(promise.digest()))
            shared = json_text.dumps(signed)[1:-1]
            if len(self.promised) > PROMISES_KEPT:
                self.promised.clear()
            self.promised[group.id] = shared
        return shared


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves a request."""
    gateway: Gateway = request.app.state.gateway
    return gateway
