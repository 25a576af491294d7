"""The embedded chain: what was answered survives everything that may happen to the process."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from eth_account import Account
from eth_utils import keccak

from counterfoil.chain import embedded
from counterfoil.chain.embedded import ChainFailed, ChainLocked, ChainMismatch, EmbeddedChain
from counterfoil.chain.embedded_store import ChainStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

from tests.chain.counter import FUNDED, KEY, OTHER, READ, deploy, everything, open_chain, post, sign, word

pytestmark = pytest.mark.timeout(120)


def test_everything_is_the_same_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        contract = deploy(chain)
        for nonce in range(1, 6):
            chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
        before = everything(chain)
    for _ in range(2):
        with open_chain(path) as chain:
            assert everything(chain) == before
            assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == 5
    with open_chain(path) as chain:
        chain.request("eth_sendRawTransaction", [sign(6, to=contract)])
        assert everything(chain)[: len(before)] == before
        assert chain.request("eth_blockNumber") == "0x7"


def test_another_chain_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        genesis = chain.request("eth_getBlockByNumber", ["0x0"])
    for changed, fact, expected, found in (
        ({"chain_id": 5}, "chain id", "5", str(embedded.CHAIN_ID)),
        ({"gas_limit": 30_000_000}, "gas limit", "30000000", "60000000"),
        ({"funded": {}}, f"genesis balance of {KEY.address}", None, str(10**24)),
        ({"funded": FUNDED | {OTHER.address: 1}}, f"genesis balance of {OTHER.address}", "1", None),
    ):
        with pytest.raises(ChainMismatch) as caught:
            open_chain(path, **changed)
        assert (caught.value.fact, caught.value.expected, caught.value.found) == (fact, expected, found)
    with open_chain(path, funded={KEY.address.lower(): 10**24}) as chain:
        assert chain.request("eth_getBlockByNumber", ["0x0"]) == genesis
    books = tmp_path / "books.sqlite"
    with closing(sqlite3.connect(books)) as connection:
        connection.execute("CREATE TABLE entry (id INTEGER)")
    kept = books.read_bytes()
    with pytest.raises(ChainMismatch, match="application_id"):
        EmbeddedChain(books, funded=FUNDED)
    assert books.read_bytes() == kept, "a foreign file is not touched"
    (tmp_path / "text").write_text("no database at all, but long enough to have a header" * 40)
    with pytest.raises(ChainMismatch, match="file format"):
        EmbeddedChain(tmp_path / "text", funded=FUNDED)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    opener = "import sys, sqlite3\nfrom pathlib import Path\nfrom counterfoil.chain.embedded_store import *\n"
    opener += "try: ChainStore(Path(sys.argv[1]))\nexcept ChainLocked as error: print('locked', error.path)\n"
    with open_chain(path) as chain:
        deploy(chain)
        with pytest.raises(ChainLocked) as caught:
            EmbeddedChain(path, funded=FUNDED)
        assert caught.value.path == path
        run = subprocess.run([sys.executable, "-c", opener, str(path)], capture_output=True, text=True, check=True)
        assert run.stdout == f"locked {path}\n"
        chain.request("eth_sendRawTransaction", [sign(1)])
    run = subprocess.run([sys.executable, "-c", opener, str(path)], capture_output=True, text=True, check=True)
    assert run.stdout == ""


def test_closed_and_failed_chains_say_so(tmp_path: Path) -> None:
    chain = EmbeddedChain(None, funded=FUNDED)
    chain.close()
    chain.close()
    with pytest.raises(ChainFailed, match="closed"):
        chain.request("eth_blockNumber")
    assert post(chain, "eth_blockNumber")["error"] == {"code": -32603, "message": "the chain is closed"}

    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        contract = deploy(chain)
        before = everything(chain)
        connection = chain._store._connection
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        big = sign(1, data="0x60406000f3" + "5b" * 40_000, gas=2 * 10**6)
        with pytest.raises(ChainFailed, match="full"):
            chain.request("eth_sendRawTransaction", [big])
        with pytest.raises(ChainFailed, match="full"):
            chain.request("eth_blockNumber")
    with open_chain(path) as chain:
        assert everything(chain)[: len(before)] == before
        nonce = int(chain.request("eth_getTransactionCount", [KEY.address]), 16)
        chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])


def test_threads(tmp_path: Path) -> None:
    """Eight senders and eight readers at once: every transaction in, every read whole."""
    keys = [Account.from_key(bytes([place]) * 32) for place in range(11, 19)]
    path, each = tmp_path / "chain.sqlite", 12
    with open_chain(path, funded={key.address: 10**20 for key in [KEY, *keys]}) as chain:
        contract = deploy(chain)
        done = threading.Event()

        def send(key: Any) -> list[str]:
            return [post(chain, "eth_sendRawTransaction", sign(n, key, to=contract))["result"] for n in range(each)]

        def read(_: int) -> int:
            reads = 0
            while not done.is_set():
                block = chain.request("eth_getBlockByNumber", ["latest", True])
                logs = chain.request("eth_getLogs", [{"blockHash": block["hash"]}])
                receipt = chain.request("eth_getTransactionReceipt", [block["transactions"][0]["hash"]])
                assert receipt["logs"] == logs
                reads += 1
            return reads

        with ThreadPoolExecutor(16) as pool:
            readers = [pool.submit(read, place) for place in range(8)]
            try:
                sent = [tx_hash for hashes in pool.map(send, keys) for tx_hash in hashes]
            finally:
                done.set()
            assert all(reader.result() > 0 for reader in readers)
        assert len(set(sent)) == len(keys) * each
        assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == len(sent)
        before = everything(chain)
    with open_chain(path, funded={key.address: 10**20 for key in [KEY, *keys]}) as chain:
        assert everything(chain) == before


def in_child(work: Callable[[Any], None]) -> tuple[int, int]:
    """Fork a child that runs ``work`` with the writing end of a pipe; return its id and the reading end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            with os.fdopen(writing, "w", buffering=1) as pipe:
                work(pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return child, reading


def kill_drill(path: Path, kills: int, seed: int) -> int:
    """Kill a sender again and again; raise AssertionError if anything it reported is lost or changed.

    Returns how many transactions were reported over all rounds.
    """
    dice, reported, contract = random.Random(seed), dict[str, str](), ""
    with open_chain(path) as chain:
        contract = deploy(chain)

    def send_for_ever(pipe: Any) -> None:
        with open_chain(path) as chain:
            nonce = int(chain.request("eth_getTransactionCount", [KEY.address]), 16)
            while True:
                tx_hash = chain.request("eth_sendRawTransaction", [sign(nonce, to=contract)])
                receipt = chain.request("eth_getTransactionReceipt", [tx_hash])
                pipe.write(f"{tx_hash} {keccak(json.dumps(receipt).encode()).hex()} {receipt['blockHash']}\n")
                nonce += 1

    for _ in range(kills):
        child, reading = in_child(send_for_ever)
        with os.fdopen(reading) as pipe:
            lines = [pipe.readline() for _ in range(dice.randrange(1, 8))]
            time.sleep(dice.uniform(0.0, 0.05))  # anywhere within the next few
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert all(lines), "the sender ended by itself"
            lines += pipe.read().splitlines()
        reported |= dict(line.strip().split(" ", 1) for line in lines)
        with open_chain(path) as chain:
            for tx_hash, rest in reported.items():
                receipt = chain.request("eth_getTransactionReceipt", [tx_hash])
                assert receipt is not None, f"{tx_hash} was reported and is lost"
                assert rest == f"{keccak(json.dumps(receipt).encode()).hex()} {receipt['blockHash']}"
            head = int(chain.request("eth_blockNumber"), 16)
            blocks = [chain.request("eth_getBlockByNumber", [hex(n)]) for n in range(head + 1)]
            assert all(block["parentHash"] == before["hash"] for before, block in pairwise(blocks))
            logs = chain.request("eth_getLogs", [{"fromBlock": "0x0"}])
            assert len(logs) == 2 * (head - 1), "one block holds the deployment, every other two logs"
            assert word(chain.request("eth_call", [{"to": contract, "data": READ}]), 0) == head - 1
            chain.request("eth_sendRawTransaction", [sign(head, to=contract)])
            assert int(chain.request("eth_blockNumber"), 16) == head + 1
    return len(reported)


def test_nothing_reported_is_lost_by_kill_9(tmp_path: Path) -> None:
    assert kill_drill(tmp_path / "chain.sqlite", kills=12, seed=1) >= 12


def test_the_drill_catches_a_missing_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: a store that writes but never commits must not pass."""
    path, good = tmp_path / "chain.sqlite", ChainStore.commit
    parent = os.getpid()

    def writes_only(store: ChainStore, facts: Any = None) -> None:
        if os.getpid() == parent:
            return good(store, facts)
        if not store._connection.in_transaction:
            store._connection.execute("BEGIN IMMEDIATE")
        rows = [(key, value) for key, value in store._buffer.items() if value is not None]
        store._connection.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", rows)
        store._connection.executemany("INSERT INTO bloom VALUES (?, ?)", store._blooms.items())
        return store.discard()

    monkeypatch.setattr(ChainStore, "commit", writes_only)
    with pytest.raises(AssertionError, match="is lost"):
        kill_drill(path, kills=8, seed=2)


def test_killed_inside_the_commit(tmp_path: Path) -> None:
    """Everything of the block is written, COMMIT is not: the block is not there, and nothing is torn."""
    path = tmp_path / "chain.sqlite"
    with open_chain(path) as chain:
        contract = deploy(chain)
        before = everything(chain)

    class Dying:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def execute(self, statement: str, *parameters: Any) -> Any:
            if statement == "COMMIT":
                os.kill(os.getpid(), signal.SIGKILL)
            return self._connection.execute(statement, *parameters)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    def die_at_commit(_: Any) -> None:
        chain = EmbeddedChain(path, funded=FUNDED)
        chain._store._connection = Dying(chain._store._connection)  # type: ignore[assignment]
        chain.request("eth_sendRawTransaction", [sign(1, to=contract)])

    child, reading = in_child(die_at_commit)
    os.close(reading)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with open_chain(path) as chain:
        assert everything(chain) == before
        chain.request("eth_sendRawTransaction", [sign(1, to=contract)])


def test_killed_while_being_created(tmp_path: Path) -> None:
    """A genesis is whole or absent: whatever the moment, the next opening works."""
    dice = random.Random(3)
    for place in range(12):
        path = tmp_path / f"{place}.sqlite"

        def create(pipe: Any, path: Path = path) -> None:
            pipe.write("\n")
            EmbeddedChain(path, funded=FUNDED)
            time.sleep(1)

        child, reading = in_child(create)
        with os.fdopen(reading) as pipe:
            pipe.readline()
            time.sleep(dice.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        with open_chain(path) as chain:
            deploy(chain)
