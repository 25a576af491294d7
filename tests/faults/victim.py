"""Processes that die. This one imports everything and opens nothing; each task runs in a fork, which may kill itself.

`python tests/faults/victim.py` reads a task per line of JSON, answers how the fork ended and what it returned.
Nothing but the fork has threads, connections or files, so a fork is as good as a process started anew, and quicker.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import create_engine, event

from counterfoil.app import FEATURES
from counterfoil.chain.client import Web3, connect
from counterfoil.chain.embedded import EmbeddedChain
from counterfoil.chain.signer import Signer, checkpoint_key, key_file, origin_of
from counterfoil.features.points.routes import HOT
from counterfoil.gateway import problems
from counterfoil.gateway.observe import Metrics, Observed, configure_logging
from counterfoil.gateway.state import Gateway
from counterfoil.settlement import closing
from counterfoil.settlement.cycle import Cycle, header_of
from counterfoil.settlement.invoicing import invoice
from counterfoil.store import bulk, engine, invoices, registry, sequencer, settlements, tables
from counterfoil.store.memory import BooksMemory
from counterfoil.store.posting import Poster
from counterfoil.store.writer import Writer

Crash = Callable[[str], None]
OPERATOR, COUNTERFOIL = b"\1" * 32, b"\2" * 32
SIGNERS = [b"\3" * 32, b"\4" * 32, b"\5" * 32]


def killer(point: str, count: int = 1) -> Crash:
    """Dies by SIGKILL when it comes to `point` for the `count`-th time."""
    left = [count]

    def crash(at: str) -> None:
        if at == point:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()  # no step further, in whichever thread this is

    return crash


def application() -> FastAPI:
    """What app.build puts together, without opening anything."""
    app = FastAPI()
    problems.install(app)
    for router in FEATURES:
        app.include_router(router)
    app.middleware_stack = Observed(app.build_middleware_stack(), app, HOT, Metrics())
    return app


APP = application()
TRANSPORT = httpx.ASGITransport(APP)


def api(database: str, folder: str, point: str, path: str, headers: dict[str, str], body: Any) -> list[Any]:
    """One request at a gateway of its own."""
    crash, books = killer(point), engine.open_books(database)
    with books.connect() as connection:
        programme = registry.load(connection)
    keys = Path(folder) / "keys"
    checkpoint = checkpoint_key(keys / "checkpoint.key", origin_of(programme.programme))
    writer = Writer(Poster(books, crash))
    counterfoil = key_file(keys / "counterfoil.key")
    APP.state.gateway = Gateway(
        books, writer, counterfoil, checkpoint, programme.programme, livemode=False, crash=crash
    )

    return asyncio.run(sent(path, headers, body))


async def sent(path: str, headers: dict[str, str], body: Any) -> list[Any]:
    async with httpx.AsyncClient(transport=TRANSPORT, base_url="http://till", verify=False, trust_env=False) as client:
        answer = await client.post(path, json=body, headers=headers)
        return [answer.status_code, answer.json()]


def sequence(database: str, point: str) -> int:
    """The log, brought up to date."""
    return sequencer.sequence(engine.open_books(database), killer(point))[0]


def cycle_of(database: str, folder: str, crash: Crash) -> Cycle:
    books, operator = engine.open_books(database), Signer(OPERATOR)
    funded = {Web3.to_checksum_address(operator.address): 10**26}
    chain = connect(EmbeddedChain(Path(folder) / "chain.db", funded=funded).provider) if folder else connect("http://x")
    writer = Writer(Poster(books, crash))
    return Cycle(
        books, chain, BooksMemory(books), operator, Signer(COUNTERFOIL).address, b"\6" * 32,
        lambda operations: writer.submit(operations).result(), crash=crash,
    )  # fmt: skip


def expire(database: str, point: str, now: int) -> int:
    """The job, without the chain."""
    return cycle_of(database, "", killer(point)).run_due(now)


def close(database: str, point: str, now: int) -> int:
    """A close, without the chain."""
    return cycle_of(database, "", killer(point)).close(now)


def compute(database: str, point: str, number: int) -> None:
    """The closing of a settlement whose range is fixed, without the chain."""
    closing.compute(engine.open_books(database), number, killer(point))


def invoiced(database: str, point: str, count: int = 1) -> int:
    """The documents of all closed settlements: how many settlements this process looked at."""
    books, crash, looks = engine.open_books(database), killer(point, count), 0
    while invoice(books, crash):
        looks += 1
    return looks


def settle(database: str, folder: str, point: str = "", count: int = 1) -> dict[str, Any]:
    """All steps that are due, and the partners' signatures as soon as a header waits for them."""
    cycle = cycle_of(database, folder, killer(point, count))
    cycle.run()
    for row in settlements.every(cycle.engine):
        if row.state == "closed" and row.header is not None:
            contract = cycle.contract()
            assert contract is not None
            digest = header_of(row).digest(contract.chain_id, contract.address)
            for at, secret in enumerate(SIGNERS):
                cycle.sign(row.number, 16 + at, Signer(secret).sign(digest))
            cycle.run()
    contract = cycle.contract()
    assert contract is not None
    sender = Web3.to_checksum_address(cycle.operator.address)
    words = {str(n): moved for n, moved in contract.settled().items()}
    return {
        "last": contract.final().number, "supply": contract.supply(), "words": words,
        "sent": cycle.w3.eth.get_transaction_count(sender),
    }  # fmt: skip


def commit_early() -> None:
    """Planted: entries are committed before what belongs to them."""
    whole = bulk.insert

    def insert(connection: Any, table: Any, rows: Any) -> None:
        whole(connection, table, rows)
        if table is tables.entry:
            connection.connection.commit()

    bulk.insert = insert


def close_in_two() -> None:
    """Planted: the settlement's row is committed before the number moves on."""
    whole = vars(settlements)["append"]

    def append(connection: Any) -> Any:
        def after(*of: Any) -> None:
            if "INTO settlement" in of[2]:
                connection.connection.commit()

        event.listen(connection, "after_cursor_execute", after)
        return whole(connection)

    vars(settlements)["append"] = append


def number_apart() -> None:
    """Planted: a number is committed before the document that bears it."""
    whole = vars(invoices)["_next"]

    def apart(connection: Any, name: str) -> int:
        number: int = whole(connection, name)
        if name.startswith("series:"):
            connection.connection.commit()
        return number

    vars(invoices)["_next"] = apart


def forget_tx() -> None:
    """Planted: the outbox does not remember what it signed."""
    BooksMemory.remember = lambda self, name, value: None  # type: ignore[method-assign]


TASKS: dict[str, Callable[..., Any]] = {
    "api": api, "sequence": sequence, "expire": expire, "close": close, "compute": compute,
    "invoiced": invoiced, "settle": settle,
}  # fmt: skip
PLANTS: dict[str, Callable[[], None]] = {
    "commit_early": commit_early,
    "close_in_two": close_in_two,
    "forget_tx": forget_tx,
    "number_apart": number_apart,
}


def in_fork(asked: dict[str, Any], out: int) -> None:
    try:
        if "plant" in asked:
            PLANTS[asked["plant"]]()
        os.write(out, json.dumps(TASKS[asked["task"]](**asked["args"])).encode())
        os._exit(0)
    except BaseException:  # noqa: BLE001 a fork must not come back into the loop below
        traceback.print_exc()
        os._exit(1)


def main() -> None:
    configure_logging("critical")
    engine.migrate = lambda connection: None
    for url in ("postgresql+psycopg://", "sqlite://"):
        create_engine(url)  # imports the drivers, connects to nothing
    asyncio.run(sent("/v1/earns", {}, {}))  # refused without opening anything: what is built on first use is built now
    gc.collect()
    gc.freeze()  # what is here stays shared with the forks
    print("ready", flush=True)
    for line in sys.stdin:
        asked, (read, write) = json.loads(line), os.pipe()
        child = os.fork()
        if not child:
            gc.disable()
            os.close(read)
            in_fork(asked, write)
        os.close(write)
        with os.fdopen(read) as answer:
            returned = answer.read()
        _pid, status = os.waitpid(child, 0)
        print(json.dumps({"status": status, "returned": json.loads(returned or "null")}), flush=True)


if __name__ == "__main__":
    main()
