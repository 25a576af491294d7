"""The roof: the verbs of the command line. Each imports what it needs, so that --help answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

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

    plan, chosen = _plan(database, rpc, home)
    application = build(plan)
    chosen_port = chosen if port is None else port
    typer.echo(f"counterfoil: {'live' if plan.livemode else 'sandbox'} on http://127.0.0.1:{chosen_port}")
    typer.echo(f"the operator's API key is in {plan.home / 'operator.api-key'}")
    uvicorn.run(application, host="127.0.0.1", port=chosen_port, log_level="warning", access_log=False)


def _plan(database: str | None, rpc: str | None, home: Path | None):  # type: ignore[no-untyped-def]
    from counterfoil.app import Plan
    from counterfoil.settings import Settings

    known = Settings()
    return Plan(
        home or known.home, database or known.database, rpc or known.rpc, known.zone, known.livemode,
        known.operator_key.get_secret_value() if known.operator_key else None, known.settlement_token,
        known.window_seconds,
    ), known.port  # fmt: skip


def main() -> None:
    """Entry point: errors of the house end with one line and exit 2, never a traceback."""
    from counterfoil.core.errors import CounterfoilError

    try:
        app()
    except CounterfoilError as error:
        typer.echo(f"counterfoil: {error}", err=True)
        sys.exit(2)
