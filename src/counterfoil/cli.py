"""The roof: the verbs of the command line. Each imports what it needs, so that --help answers at once."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from counterfoil.app import Plan

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Counterfoil: a coalition loyalty ledger.")  # fmt: skip
Home = Annotated[Path | None, typer.Option(help="Folder of keys, embedded chain and SQLite books.")]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy URL of SQLite or PostgreSQL.")]
Rpc = Annotated[str | None, typer.Option(help="URL of an EVM node; default: the embedded chain.")]


@app.command()
def serve(
    database: Database = None,
    rpc: Rpc = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    home: Home = None,
) -> None:
    """Run the gateway: books, settlement worker and, without --rpc, an embedded chain."""
    import uvicorn

    from counterfoil.app import build
    from counterfoil.gateway.observe import configure_logging
    from counterfoil.settings import Settings

    configure_logging()
    plan, chosen = _plan(database, rpc, home)
    if Settings().one_core and hasattr(os, "sched_setaffinity"):  # before any thread is there
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
    application = build(plan)
    # Writer and event loop share one interpreter lock: at the default 5 ms each of the writer's statements would wait
    # that long behind busy requests. What is loaded by now stays: the collector need not look at it again.
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 10)  # thousands of operations under way are no garbage
    chosen_port = chosen if port is None else port
    typer.echo(f"counterfoil: {'live' if plan.livemode else 'sandbox'} on http://127.0.0.1:{chosen_port}")
    typer.echo(f"the operator's API key is in {plan.home / 'operator.api-key'}")
    uvicorn.run(
        application.middleware_stack or application,  # the outermost layer: FastAPI's own call adds nothing to it
        host="127.0.0.1",
        port=chosen_port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )


@app.command()
def settle(
    database: Database = None,
    rpc: Rpc = None,
    home: Home = None,
    close: Annotated[bool, typer.Option("--close", help="Close the open settlement first.")] = False,
    seconds: Annotated[float, typer.Option(help="How long to wait for what is missing.")] = 0,
) -> None:
    """Do every settlement step that is due; exit 0 if all is final, 1 if something still waits (it says what)."""
    from counterfoil.app import build
    from counterfoil.app import close as stop
    from counterfoil.gateway.observe import configure_logging
    from counterfoil.settlement.cycle import settle as until_final
    from counterfoil.store import settlements

    configure_logging("warning")
    application = build(_plan(database, rpc, home)[0])
    gateway, worker = application.state.gateway, application.state.worker
    try:
        with worker.lock:
            if close:
                typer.echo(f"settlement {worker.cycle.close(gateway.now())} closed")
            done = until_final(worker.cycle, seconds)
        for row in settlements.every(gateway.engine):
            typer.echo(f"settlement {row.number}: {row.state}" + (f" ({row.alert})" if row.alert else ""))
    finally:
        stop(application)
    raise typer.Exit(0 if done else 1)


@app.command()
def sign(
    key: Annotated[Path, typer.Option(help="File with this partner's signing key, 32 bytes of hex.")],
    credential: Annotated[Path, typer.Option(help="File with this partner's API key.")],
    against: Annotated[str, typer.Option(help="URL of the gateway.")],
    rpc: Annotated[str, typer.Option(help="URL of an EVM node this partner trusts.")],
    settlement: Annotated[str, typer.Option(help="Address of the Settlement contract.")],
    state: Annotated[Path, typer.Option(help="Folder in which the signer remembers what it signed.")],
    watch: Annotated[float, typer.Option(help="Look again every so many seconds; 0: once.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check and sign the header that waits: exit 0 signed or nothing waits, 1 refused, 2 cannot read or reach."""
    import json

    from counterfoil.audit.signer import watch as looks
    from counterfoil.core.errors import CounterfoilError

    refused = False
    try:
        for done in looks(key, credential, against, rpc, settlement, state, watch):
            refused = done.status == "refused"
            if as_json:
                typer.echo(json.dumps(done.as_json()))
            elif done.status != "nothing":
                typer.echo(f"settlement {done.number}: {done.status} header {done.header}")
                for difference in done.differences:
                    typer.echo(f"  {difference.line()}")
            elif not watch:
                typer.echo("nothing waits for this partner's signature")
    except CounterfoilError as error:
        if as_json:
            typer.echo(json.dumps({"status": "error", "error": {"code": error.code, "detail": str(error)}}))
        typer.echo(f"counterfoil: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(1 if refused else 0)


@app.command()
def audit(
    export: Annotated[Path, typer.Option(help="Folder of the public export.")],
    rpc: Annotated[str, typer.Option(help="URL of an EVM node you trust.")],
    settlement: Annotated[str, typer.Option(help="Address of the Settlement contract.")],
    sealed: Annotated[Path | None, typer.Option(help="Folder of the sealed export.")] = None,
    counterfoils: Annotated[Path | None, typer.Option(help="Counterfoils somebody kept, JSON Lines.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check everything from outside: exit 0 no findings, 1 findings, 2 unreadable input."""
    from counterfoil.audit.command import run

    raise typer.Exit(run(export, sealed, counterfoils, rpc, settlement, as_json))


@app.command()
def liability(
    sealed: Annotated[Path, typer.Option(help="Folder of the sealed export.")],
    public: Annotated[Path, typer.Option(help="Folder of the public export.")],
    settlement: Annotated[int | None, typer.Option(min=1, help="As of which close; default: the last.")] = None,
    breakage_bp: Annotated[int, typer.Option(min=0, max=10_000, help="Where no cohort has matured yet.")] = 0,
    estimate: Annotated[
        list[str] | None, typer.Option(help="A partner's own breakage: PARTNER:BASISPOINTS[@SETTLEMENT]; repeat it.")
    ] = None,
    form: Annotated[Literal["json", "csv"], typer.Option("--format", help="How it is written.")] = "json",
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """What is outstanding, how old, how far covered, and deferred revenue, from the exports alone: exit 2 unreadable."""
    from counterfoil.features.liability.command import run

    raise typer.Exit(run(public, sealed, settlement, breakage_bp, estimate or [], form, out))


@app.command()
def rehearse(
    file: Annotated[Path, typer.Argument(help="Scenario file.")],
    ids: Annotated[list[str] | None, typer.Argument(help="Scenarios to run; default: all.")] = None,
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Run scenarios through the API, a chain and the audit: exit 0 as expected, 1 a difference or finding, 2 unreadable."""
    from counterfoil.gateway.observe import configure_logging
    from counterfoil.rehearsal.command import run

    configure_logging("error")
    raise typer.Exit(run(file, ids or [], database, as_json))


def _plan(database: str | None, rpc: str | None, home: Path | None) -> tuple[Plan, int]:
    from counterfoil.app import Plan
    from counterfoil.settings import Settings
    from counterfoil.settlement.founding import Charter

    known = Settings()
    charter = Charter(
        0,
        known.answer_seconds,
        known.delay_seconds,
        known.bond_micros,
        known.closed_loop,
        known.guardian or Charter().guardian,
    )
    return Plan(
        home or known.home, database or known.database, rpc or known.rpc, known.zone, known.livemode,
        known.operator_key.get_secret_value() if known.operator_key else None, known.settlement_token,
        known.window_seconds, known.fee_cap_gwei, wallet_page=known.wallet_page, charter=charter,
    ), known.port  # fmt: skip


def main() -> None:
    """Entry point: errors of the house end with one line and exit 2, never a traceback."""
    from counterfoil.core.errors import CounterfoilError

    try:
        app()
    except CounterfoilError as error:
        typer.echo(f"counterfoil: {error}", err=True)
        sys.exit(2)
