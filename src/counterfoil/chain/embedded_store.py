"""The embedded chain and its file: py-evm over a key-value table in SQLite, one commit per block.

py-evm asks for four operations (get, set, delete, exists) on opaque bytes and makes no promise about the
order of its writes. So writes wait in a dict until the block is whole and then go down in one SQL
transaction: after a kill -9 the file holds a block with everything it needs, or nothing of it.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from typing import TYPE_CHECKING, Any, cast

from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.exceptions import CanonicalHeadNotFound
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.state import PragueTransactionExecutor
from eth.vm.forks.shanghai.constants import INITCODE_WORD_COST, MAX_INITCODE_SIZE
from eth.vm.spoof import SpoofTransaction
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, StateAPI
    from eth.vm.forks.london.transactions import UnsignedDynamicFeeTransaction
    from eth_typing import Address, ChecksumAddress

# "CfCh": says which program a SQLite file belongs to, so that the books are not opened as a chain.
APPLICATION_ID = 0x43664368
SCHEMA_VERSION = 1
# How long to wait for a predecessor that is still going down before calling the file locked.
LOCK_WAIT_SECONDS = 1.0
BLOB_TYPE = 3
DELEGATION_PREFIX = bytes.fromhex("ef0100")  # EIP-7702

_SCHEMA = (
    # WITHOUT ROWID: keys are random hashes, so one tree to write instead of a table and its index.
    "CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    # Beside the headers, because decoding 10,000 of them to search logs takes over a second.
    "CREATE TABLE IF NOT EXISTS bloom (number INTEGER PRIMARY KEY, bits BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS genesis (fact TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)


class ChainMismatch(Exception):
    """The file holds something else than asked for. Facts: ``fact`` (its name), ``expected``, ``found``."""

    def __init__(self, fact: str, *, expected: object, found: object) -> None:
        super().__init__(f"embedded chain: {fact} is {found} in the file, {expected} was asked for")
        self.fact, self.expected, self.found = fact, expected, found


class ChainLocked(Exception):
    """Another process (or another object in this one) has the chain's file open. Fact: ``path``."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"embedded chain: {path} is in use; one process may have it open")
        self.path = path


class ChainFailed(Exception):
    """The chain is closed, or a commit failed and nobody knows what reached the disk: open it again."""


class ChainStore(BaseDB):
    """A buffered key-value store in a SQLite file (in memory when ``path`` is None). Not thread-safe."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file and hold its lock. Raises ChainLocked, or ChainMismatch (not a chain)."""
        self._buffer: dict[bytes, bytes | None] = {}  # None: deleted since the last commit
        self._blooms: dict[int, bytes] = {}
        self._failed: str | None = None
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=LOCK_WAIT_SECONDS,
            isolation_level=None,  # transactions are written out below, none is implicit
            check_same_thread=False,
        )
        try:
            self._prepare("memory" if path is None else "wal")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            # The lowest byte is the primary code; BUSY has extended ones for a log under recovery.
            if path is not None and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise ChainLocked(path) from error
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise ChainMismatch("file format", expected="SQLite", found="something else") from error
            raise
        except ChainMismatch:
            self._connection.close()
            raise

    def _prepare(self, journal: str) -> None:
        run = self._connection.execute
        # Exclusive before the first access: then WAL needs no shared memory file and the lock stays.
        run("PRAGMA locking_mode = EXCLUSIVE")
        if run("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            for pragma, expected in (("application_id", APPLICATION_ID), ("user_version", SCHEMA_VERSION)):
                found = run(f"PRAGMA {pragma}").fetchone()[0]
                if found != expected:
                    raise ChainMismatch(pragma, expected=expected, found=found)
        run("PRAGMA synchronous = FULL")
        durability = (run("PRAGMA journal_mode = WAL").fetchone()[0], run("PRAGMA synchronous").fetchone()[0])
        assert durability == (journal, 2), durability  # 2 is FULL: the log is on disk when COMMIT returns
        run("BEGIN EXCLUSIVE")
        for statement in _SCHEMA:
            run(statement)
        run(f"PRAGMA application_id = {APPLICATION_ID}")
        run(f"PRAGMA user_version = {SCHEMA_VERSION}")
        run("COMMIT")

    def __getitem__(self, key: bytes) -> bytes:
        """Return the value, the buffer's before the file's; raises KeyError if there is none."""
        if key in self._buffer:
            value = self._buffer[key]
        else:
            row = self._connection.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
            value = None if row is None else row[0]
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        """Write to the buffer."""
        self._buffer[key] = value

    def __delitem__(self, key: bytes) -> None:
        """Delete in the buffer; raises KeyError if there is nothing."""
        self[key]
        self._buffer[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def note_bloom(self, number: int, bits: bytes) -> None:
        """Write the logs bloom (256 bytes) of block ``number`` with the next commit."""
        self._blooms[number] = bits

    def blooms(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """Return (number, bloom) of the committed blocks ``first`` to ``last``, both included."""
        query = "SELECT number, bits FROM bloom WHERE number BETWEEN ? AND ? ORDER BY number"
        return list(self._connection.execute(query, (first, last)))

    def genesis_facts(self) -> dict[str, str]:
        """Return what this chain was created with."""
        return dict(self._connection.execute("SELECT fact, value FROM genesis"))

    def commit(self, genesis_facts: Mapping[str, str] | None = None) -> None:
        """Make everything buffered durable in one SQL transaction.

        If SQLite fails here (disk full, I/O error) the frames may or may not be in the log on disk, and
        only a reopening can tell: raises ChainFailed, and so does all further work.
        """
        run, run_many = self._connection.execute, self._connection.executemany
        written = [(key, value) for key, value in self._buffer.items() if value is not None]
        deleted = [(key,) for key, value in self._buffer.items() if value is None]
        try:
            run("BEGIN IMMEDIATE")
            run_many("INSERT INTO kv VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", written)
            run_many("DELETE FROM kv WHERE key = ?", deleted)
            run_many("INSERT INTO bloom VALUES (?, ?)", self._blooms.items())
            run_many("INSERT INTO genesis VALUES (?, ?)", (genesis_facts or {}).items())
            run("COMMIT")
        except BaseException as error:  # an interrupt too: this connection would go on reading half a block
            self.close(f"a commit failed ({error!r}); open the chain again")
            if isinstance(error, sqlite3.Error):
                raise ChainFailed(self._failed) from error
            raise
        self.discard()

    def discard(self) -> None:
        """Forget what was buffered since the last commit."""
        self._buffer.clear()
        self._blooms.clear()

    def check_open(self) -> None:
        """Raise ChainFailed if the store is closed or failed."""
        if self._failed is not None:
            raise ChainFailed(self._failed)

    def close(self, why: str = "the chain is closed") -> None:
        """Release the file; what was not committed is gone. May be called twice."""
        self._failed = self._failed or why
        self._connection.close()


class EvmChain:
    """A py-evm chain with Prague's rules over a ChainStore, one block per transaction. Not thread-safe.

    The system contracts of EIP-2935 and EIP-4788 are not deployed: py-evm leaves them out.
    """

    def __init__(
        self, store: ChainStore, *, chain_id: int, gas_limit: int, funded: Mapping[ChecksumAddress, int]
    ) -> None:
        """Continue the store's chain, or write a genesis if it has no head. Raises ChainMismatch."""
        self._store = store
        facts = {"chain id": str(chain_id), "gas limit": str(gas_limit), "fork": PragueVM.fork}
        facts |= {f"genesis balance of {to_checksum_address(who)}": str(wei) for who, wei in funded.items()}
        kind = MiningChain.configure("EmbeddedEvm", chain_id=chain_id, vm_configuration=((0, PragueVM),))
        try:
            self.evm = kind(AtomicDB(store))
        except CanonicalHeadNotFound:
            header: Any = {"difficulty": 0, "gas_limit": gas_limit, "timestamp": int(time.time())}
            account: Any = {"nonce": 0, "code": b"", "storage": {}}
            state = {to_canonical_address(who): account | {"balance": wei} for who, wei in funded.items()}
            self.evm = cast("MiningChain", kind.from_genesis(AtomicDB(store), header, state))
            store.commit(facts)
        found = store.genesis_facts()
        for fact in sorted(found.keys() | facts.keys()):
            if found.get(fact) != facts.get(fact):
                raise ChainMismatch(fact, expected=facts.get(fact), found=found.get(fact))

    @property
    def head(self) -> BlockHeaderAPI:
        """The last block's header."""
        return self.evm.get_canonical_head()

    def next_header(self) -> BlockHeaderAPI:
        """Return the header, without content, of the block that a transaction sent now would get.

        Its time (seconds) is the clock's, but at least one after its parent's, as the protocol demands: more
        than one block a second lets chain time run ahead until a pause lets the clock catch up. PREVRANDAO
        (EIP-4399) is drawn here, before execution: so the code reads what the header will say, and estimates
        do not count on a zero.
        """
        parent = self.head
        now, random = max(parent.timestamp + 1, int(time.time())), secrets.token_bytes(32)
        return self.evm.create_header_from_parent(parent, gas_limit=parent.gas_limit, timestamp=now, mix_hash=random)

    def state(self, header: BlockHeaderAPI) -> StateAPI:
        """Return the state after the block of ``header``; every block's is kept."""
        return self.evm.get_vm(header).state

    def execute(
        self, header: BlockHeaderAPI, sender: Address, tx: UnsignedDynamicFeeTransaction
    ) -> tuple[ComputationAPI, int]:
        """Run an unsigned transaction at ``header`` for free and forget it; return it and the gas it used."""
        vm = cast("PragueVM", self.evm.get_vm(header.copy(base_fee_per_gas=0)))
        unsigned: Any = SpoofTransaction(tx.copy(nonce=vm.state.get_nonce(sender)), from_=sender)
        computation = vm.state.apply_transaction(unsigned)
        return computation, vm.finalize_gas_used(unsigned, computation)

    def mine(self, tx: SignedTransactionAPI) -> None:
        """Execute a transaction in a block of its own and make it durable before returning.

        Raises ValidationError, with nothing changed, if the rules do not admit it; ChainFailed from the file.
        """
        header = self.next_header()
        self._admit(tx, header)
        self.evm.header = header
        try:
            imported, _, _ = self.evm.mine_all((tx,))
            mined = imported.imported_block.header
            self._store.note_bloom(mined.block_number, mined.bloom.to_bytes(256, "big"))
            self._store.commit()
        finally:
            self._store.discard()  # after a failure: nothing of a block that did not become whole

    def _admit(self, tx: SignedTransactionAPI, header: BlockHeaderAPI) -> None:
        """Check, in geth's words, what py-evm leaves unchecked or says differently."""
        state, sender = self.state(header), tx.sender
        nonce, balance, code = state.get_nonce(sender), state.get_balance(sender), state.get_code(sender)
        words = 0 if tx.to else (len(tx.data) + 31) // 32
        floor = PragueTransactionExecutor.calc_data_floor_gas(tx, 0, 0)  # EIP-7623
        gas = max(tx.intrinsic_gas + words * INITCODE_WORD_COST, floor)
        price, base_fee = tx.max_fee_per_gas, cast("int", header.base_fee_per_gas)
        cost = tx.gas * price + tx.value
        for refused, why in (
            (tx.chain_id is None, "only replay-protected (EIP-155) transactions allowed over RPC"),
            (tx.chain_id != self.evm.chain_id, f"invalid chain id for signer: have {tx.chain_id}"),
            (tx.type_id == BLOB_TYPE, "transaction type not supported"),
            (tx.gas > header.gas_limit, "exceeds block gas limit"),
            (tx.gas < gas, f"intrinsic gas too low: gas {tx.gas}, minimum needed {gas}"),
            (words * 32 > MAX_INITCODE_SIZE, "max initcode size exceeded"),
            (tx.max_priority_fee_per_gas > price, "max priority fee per gas higher than max fee per gas"),
            (code and not code.startswith(DELEGATION_PREFIX), "sender not an eoa"),  # EIP-3607
            (tx.nonce < nonce, f"nonce too low: next nonce {nonce}, tx nonce {tx.nonce}"),
            (tx.nonce > nonce, f"nonce too high: next nonce {nonce}, tx nonce {tx.nonce}"),
            (price < base_fee, f"max fee per gas less than block base fee: {price}, baseFee: {base_fee}"),
            (
                balance < cost,
                f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}",
            ),
        ):
            if refused:
                raise ValidationError(why)
