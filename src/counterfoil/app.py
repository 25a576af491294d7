"""Floor 5, the table of contents: one line per feature, and the one place where books, chain and keys are put together."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from counterfoil.chain import signer
from counterfoil.chain.client import Web3, connect
from counterfoil.chain.embedded import EmbeddedChain
from counterfoil.core.refusals import ReadOnly
from counterfoil.features.acts.routes import router as acts
from counterfoil.features.bank.routes import router as bank
from counterfoil.features.budgets.routes import router as budgets
from counterfoil.features.claims.routes import router as claims
from counterfoil.features.disputes.routes import router as disputes
from counterfoil.features.earning.routes import router as earning
from counterfoil.features.exchange.routes import router as exchange
from counterfoil.features.health.routes import router as health
from counterfoil.features.invoices.routes import router as invoices
from counterfoil.features.liability.routes import Ledgers
from counterfoil.features.liability.routes import router as liability
from counterfoil.features.log.routes import router as log
from counterfoil.features.members.routes import router as members
from counterfoil.features.overview.routes import router as overview
from counterfoil.features.packs.routes import router as packs
from counterfoil.features.partners.routes import router as partners
from counterfoil.features.points import bodies
from counterfoil.features.points.routes import HOT
from counterfoil.features.points.routes import router as points
from counterfoil.features.programme.routes import router as programme_parts
from counterfoil.features.rewards.routes import router as rewards
from counterfoil.features.sandbox.routes import router as sandbox
from counterfoil.features.sending.routes import router as sending
from counterfoil.features.settlements.routes import router as settlements
from counterfoil.features.standing.routes import router as standing
from counterfoil.features.statements.routes import router as statements
from counterfoil.features.wallets.proofs import Trees
from counterfoil.features.wallets.proofs import router as claimable
from counterfoil.features.wallets.routes import router as wallets
from counterfoil.gateway import problems
from counterfoil.gateway.observe import Metrics, Observed
from counterfoil.gateway.state import WALLET_PAGE, Gateway
from counterfoil.settlement.cycle import CHARTER, Cycle
from counterfoil.settlement.founding import Charter
from counterfoil.settlement.worker import Worker
from counterfoil.store import credentials, registry, sequencer
from counterfoil.store.engine import Engine, open_books
from counterfoil.store.memory import BooksMemory
from counterfoil.store.posting import Poster
from counterfoil.store.writer import Writer

FEATURES = (
    points,
    earning,
    exchange,
    budgets,
    packs,
    rewards,
    disputes,
    standing,
    members,
    wallets,
    claimable,
    acts,
    claims,
    partners,
    programme_parts,
    statements,
    settlements,
    sending,
    liability,
    invoices,
    bank,
    log,
    sandbox,
    overview,
    health,
)
_WINDOW_SECONDS = 3 * 86_400
_GENESIS_WEI = 10**26  # the embedded chain's money has no worth; its operator has plenty


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build: see settings.Settings for what each field means."""

    home: Path
    database: str | None = None
    rpc: str | None = None
    zone: str = "Europe/Warsaw"
    livemode: bool = False
    operator_key: str | None = None
    settlement_token: str | None = None
    window_seconds: int | None = None
    fee_cap_gwei: int = 500
    worker_seconds: float = 1.0
    charter: Charter = CHARTER  # of a new contract, but for the window
    wallet_page: str = WALLET_PAGE


def build(plan: Plan) -> FastAPI:
    """The application, running: writer and worker are started here and stopped when the server ends."""
    plan.home.mkdir(parents=True, exist_ok=True)
    engine = open_books(plan.database or f"sqlite:///{plan.home.absolute()}/books.db")
    programme = registry.found(engine, zone=plan.zone, livemode=plan.livemode)
    keys = plan.home / "keys"
    operator = signer.key_file(keys / "operator.key", create=True)
    counterfoil = signer.key_file(keys / "counterfoil.key", create=True)
    origin = signer.origin_of(programme.programme)
    checkpoint = signer.checkpoint_key(keys / "checkpoint.key", origin)
    embedded = None
    if plan.rpc is None:
        funded = {Web3.to_checksum_address(operator.address): _GENESIS_WEI}
        embedded = EmbeddedChain(plan.home / "chain.db", funded=funded)
    metrics = Metrics()
    writer = Writer(Poster(engine), metrics.posted)
    gateway = Gateway(
        engine, writer, counterfoil, checkpoint, programme.programme, programme.livemode, plan.wallet_page
    )
    witness = Witness(plan.home / "checkpoint", checkpoint)
    gateway.read_only = witness.behind(engine)
    cycle = Cycle(
        engine, connect(embedded.provider if embedded else plan.rpc or ""), BooksMemory(engine), operator,
        counterfoil.address, checkpoint.public, lambda operations: writer.submit(operations).result(),
        charter=replace(plan.charter, window_seconds=_window(plan)), token=plan.settlement_token,
        fee_cap_wei=plan.fee_cap_gwei * 10**9,
    )  # fmt: skip
    cycle.blocked = gateway.read_only
    worker = Worker(cycle, plan.worker_seconds, witness.note)
    _operator_credential(plan, engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        close(app)

    app = FastAPI(
        title="Counterfoil", version="1", lifespan=lifespan, docs_url=None, redoc_url=None,
        separate_input_output_schemas=False,
        description="A coalition loyalty ledger: earn and burn across brands, settle and prove on chain.",
    )  # fmt: skip
    app.state.gateway, app.state.worker, app.state.metrics, app.state.embedded = (
        gateway,
        worker,
        metrics,
        embedded,
    )
    app.state.ledgers, app.state.trees = Ledgers(), Trees()
    problems.install(app)
    for router in FEATURES:
        app.include_router(router)
    _complete_openapi(app)
    # outermost, around what FastAPI wraps itself in: a hot request passes none of it
    app.middleware_stack = Observed(app.build_middleware_stack(), app, HOT, metrics)
    return app


def close(app: FastAPI) -> None:
    """Answer what waits, stop worker and chain. The lifespan does this; a test without a server calls it."""
    app.state.worker.close()
    app.state.gateway.writer.close()
    if app.state.embedded is not None:
        app.state.embedded.close()
    app.state.gateway.engine.dispose()


@dataclass(slots=True)
class Witness:
    """The last checkpoint signed, kept outside the database: books behind it were restored from an old copy.

    Several gateways may share the file: whoever comes later with an older checkpoint leaves it alone.
    """

    path: Path
    checkpoint: signer.CheckpointSigner
    _size: int = 0

    def note(self, size: int, root: bytes) -> None:
        """Keep a newer checkpoint, durably."""
        if size <= self._size:
            return
        with self.path.with_suffix(".lock").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            if size > self._kept()[0]:
                fresh = self.path.with_suffix(".new")
                with fresh.open("w", encoding="utf-8") as file:
                    file.write(self.checkpoint.note(size, root))
                    file.flush()
                    os.fsync(file.fileno())
                fresh.replace(self.path)
        self._size = size

    def _kept(self) -> tuple[int, bytes]:
        if not self.path.exists():
            return 0, b""
        text = self.path.read_text(encoding="utf-8")
        return signer.read_checkpoint(text, self.checkpoint.origin, self.checkpoint.public)

    def behind(self, engine: Engine) -> ReadOnly | None:
        """Why the books must not be posted to, if they must not."""
        size, root = self._kept()
        if not size:
            return None
        known = dict(sequencer.checkpoints(engine))
        self._size = size
        return None if known.get(size) == root else ReadOnly(max(known, default=0), size)


def _window(plan: Plan) -> int:
    if plan.window_seconds is not None:
        return plan.window_seconds
    return _WINDOW_SECONDS if plan.livemode else 0


def _operator_credential(plan: Plan, engine: Engine) -> None:
    kept = plan.home / "operator.api-key"
    key = plan.operator_key or (kept.read_text(encoding="ascii").strip() if kept.exists() else None)
    key = credentials.operator_key(engine, key)
    if not kept.exists() and plan.operator_key is None:
        kept.touch(mode=0o600)
        kept.write_text(key + "\n", encoding="ascii")


def _complete_openapi(app: FastAPI) -> None:
    """Add the schemas that routes refer to by name, and how callers authenticate."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemas = document["components"]["schemas"]
        schemas["Problem"] = problems.SCHEMA
        for name in ("HTTPValidationError", "ValidationError"):  # the framework's shape; ours is a problem document
            schemas.pop(name, None)
        for route in document["paths"].values():
            for operation in route.values():
                if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                    del operation["responses"]["422"]
        models: list[type[BaseModel]] = [
            *bodies.MODELS.values(),
            bodies.Capture,
            bodies.Release,
            bodies.Batch,
            bodies.BasketEarn,
        ]
        for model in models:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas[model.__name__] = schema
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]
