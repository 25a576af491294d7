"""`scripts/demo`: the journey from nothing to the auditor's word, then a forgery that the auditor names."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from counterfoil.core.errors import CounterfoilError
from counterfoil.rehearsal import forgery
from counterfoil.rehearsal.audited import audited
from counterfoil.rehearsal.coalition import asked
from counterfoil.rehearsal.history import PARTNERS
from counterfoil.rehearsal.host import Host
from counterfoil.rehearsal.journey import ADDRESS_FILE, Journey, read_history, start_signers
from counterfoil.rehearsal.processes import Processes, free_port, wait_ready
from counterfoil.rehearsal.tables import print_audit, print_settlements, summary

_STAMP = "tables.sha256"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    year: Annotated[bool, typer.Option("--year", help="All of 2017 instead of weeks 1 to 8.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the gateway running at the end.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    home: Annotated[Path | None, typer.Option(help="Working folder; default: in the user's cache.")] = None,
) -> None:
    """Replay The Complete Journey through the gateway, settle each month on a chain, audit, forge, audit again."""
    folder = home or _cache() / ("year" if year else "weeks")
    console = Console()
    if not fresh and stale(folder):
        console.print("what is kept of an earlier run was made by another version: starting over")
        fresh = True
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STAMP).write_text(_tables(), encoding="ascii")
    processes = Processes(folder / "logs")
    try:
        _run(console, processes, folder, year=year, serve=serve, json_file=json_file)
    except KeyboardInterrupt:
        console.print("\ninterrupted; run it again and it goes on where it was")
        raise typer.Exit(130) from None
    except (CounterfoilError, httpx.HTTPError) as error:
        console.print(f"[red]demo:[/red] {error}\nlogs are in {folder / 'logs'}; --fresh starts over")
        raise typer.Exit(1) from error
    finally:
        processes.stop()


def _run(
    console: Console, processes: Processes, folder: Path, *, year: bool, serve: bool, json_file: Path | None
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    processes.start("gateway", "serve", "--home", str(folder / "gateway"), "--port", str(port))
    (folder / ADDRESS_FILE).unlink(missing_ok=True)
    start_signers(processes, folder, url)
    with _bar(console) as bar:
        reading = bar.add_task("reading the purchase history", total=None)
        read = read_history(year=year)
        bar.update(reading, total=len(read), completed=len(read))
        wait_ready(processes, url)
        key = (folder / "gateway" / "operator.api-key").read_text(encoding="ascii").strip()
        journey = Journey(Host(url, key, folder), processes, year)
        journey.set_up()
        replaying = bar.add_task("baskets through the gateway", total=len(read))
        months = len({(basket.day.year, basket.day.month) for basket in read})
        settling = bar.add_task("months settled on the chain", total=months)
        for number in journey.replay(read, lambda count: bar.advance(replaying, count)):
            bar.update(settling, completed=number)
        checking = bar.add_task("the auditor, from outside", total=2)
        report, forged = _audits(journey, folder, lambda: bar.advance(checking))
    contract = journey.contract()
    figures = summary(journey, contract, report, forged)
    print_settlements(console, journey, contract, figures)
    print_audit(console, report, forged, folder)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        console.print(f"figures: {json_file}")
    if serve:
        _serve(console, journey)
    if report["findings"] or not forged["findings"]:
        raise typer.Exit(1)


def _audits(journey: Journey, folder: Path, done: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The audit of the real exports (kept for the page), and of the forged copy."""
    out = folder / "exports"
    shutil.rmtree(out, ignore_errors=True)
    public, sealed = journey.exports(out)
    kept, address = folder / "counterfoils.jsonl", journey.contract().address
    report = audited(public, sealed, kept, journey.host.rpc, address)
    asked(journey.operator.post("/v1/audits", json=report))
    done()
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    for one in journey.settlements():
        picture = journey.operator.get(f"/settlements/{one['number']}/picture.svg")
        (pictures / f"settlement-{one['number']:02d}.svg").write_bytes(picture.content)
    copy = folder / "forged"
    shutil.rmtree(copy, ignore_errors=True)
    made = forgery.forge(sealed, copy)
    entry = asked(journey.operator.get(f"/v1/entries/ent_{made.entry:016x}"))
    lie = audited(public, copy, kept, journey.host.rpc, address)
    done()
    first: dict[str, Any] = next((f for f in lie["findings"] if f["entry"]), {})
    header = next((s["header_hash"] for s in journey.settlements() if s["number"] == first.get("settlement")), None)
    return report, {
        "member": entry["member"], "points": forgery.POINTS, "findings": lie["findings"],
        "entry": first.get("entry"), "settlement": first.get("settlement"), "header": first.get("header") or header,
    }  # fmt: skip


def _serve(console: Console, journey: Journey) -> None:
    """Leave it running, with three lines to paste."""
    member = next(iter(journey.members.values()))
    earner, burner = PARTNERS[0][0], PARTNERS[1][0]
    url = journey.host.url
    console.print(f"\nThe page: {url}/   Three lines to paste (Ctrl-C here ends the gateway):\n")
    for name, path, points in ((earner, "earns", 500), (burner, "burns", 200)):
        console.print(
            f"curl -s {url}/v1/{path} -H 'Authorization: Bearer {journey.keys[name]}' -H \"Idempotency-Key: $RANDOM$RANDOM\" "
            f'-d \'{{"external_id": "\'$RANDOM$RANDOM\'", "member": "{member}", "points": {points}}}\' | tee /tmp/last.json',
            soft_wrap=True, markup=False, highlight=False,
        )  # fmt: skip
    console.print(
        'python3 -c "import json; c = json.load(open(\'/tmp/last.json\'))[\'counterfoil\']; print(json.dumps(c, indent=1))"'
        f"   # the proof: paste it at {url}/#verify",
        soft_wrap=True, markup=False, highlight=False,
    )  # fmt: skip
    try:
        journey.processes.running["gateway"].wait()
    except KeyboardInterrupt:
        console.print("\nended")


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description:<30}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield progress


def stale(folder: Path) -> bool:
    """Whether a run is kept there that another version's tables belong to; a folder of anything else is none."""
    stamp = folder / _STAMP
    made = (folder / "gateway" / "operator.api-key").exists()
    return made and (not stamp.exists() or stamp.read_text(encoding="ascii") != _tables())


def _tables() -> str:
    """What tells one version's tables from another's: until the first release they change without a migration."""
    folder = files("counterfoil") / "store" / "migrations" / "versions"
    scripts = sorted((one.name, one.read_bytes()) for one in folder.iterdir() if one.name.endswith(".py"))
    return hashlib.sha256(repr(scripts).encode()).hexdigest()


def _cache() -> Path:
    base = os.path.expandvars("$XDG_CACHE_HOME")
    return (Path.home() / ".cache" if base.startswith("$") else Path(base)) / "counterfoil"


if __name__ == "__main__":
    app()
