"""What the demo prints and writes: figures by settlement and partner, the audit, the forgery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from counterfoil.chain.settlement import SettlementContract
from counterfoil.rehearsal.coalition import asked
from counterfoil.rehearsal.history import PARTNERS
from counterfoil.rehearsal.journey import Journey

_MICROS = 1_000_000
NAMES = [name for name, _rate, _departments in PARTNERS]


def summary(
    journey: Journey, contract: SettlementContract, report: dict[str, Any], forged: dict[str, Any]
) -> dict[str, Any]:
    """The figures of --json: points, micros, hashes with 0x."""
    tally, shown = journey.tally, journey.settlements()
    return {
        "members": len(tally.purses), "baskets": tally.baskets, "earns": tally.earns, "burns": tally.burns,
        "issued": sum(sum(one["issued"].values()) for one in shown),
        "burned": sum(sum(one["burned"].values()) for one in shown),
        "outstanding": _outstanding(journey), "supply": contract.supply(),
        "settlements": [_settlement(one) for one in shown],
        "findings": report["findings"], "forgery": forged,
    }  # fmt: skip


def _outstanding(journey: Journey) -> int:
    """Available and held points as the last settlement's liability tree sums them."""
    return sum(one["change"].get("CP", 0) for one in journey.settlements())


def _settlement(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": one["number"],
        "partners": {
            name: {"issued": one["issued"].get(name, 0), "burned": one["burned"].get(name, 0),
                   "net_micros": one["exact"].get(name, 0), "settled_micros": one["rounded"].get(name, 0)}
            for name in NAMES
        },
        "pool_micros": one["rounded"].get("pool", 0), "operator_micros": one["rounded"].get("operator", 0),
        "rounding_micros": one["rounded"].get("rounding", 0), "tx": one["tx"],
    }  # fmt: skip


def print_settlements(
    console: Console, journey: Journey, contract: SettlementContract, figures: dict[str, Any]
) -> None:
    """A table per settlement: issued, burned, net, collateral after it; then supply against liability."""
    numbers = {one["name"]: one["id"] for one in asked(journey.operator.get("/v1/partners"))["data"]}
    for one in figures["settlements"]:
        block = contract.w3.eth.get_transaction_receipt(one["tx"])["blockNumber"]
        collateral = contract.collateral(numbers.values(), block)
        table = Table(title=f"settlement {one['number']}  tx {one['tx'][:18]}...", title_justify="left")
        for name in ("partner", "issued", "burned", "net", "collateral"):
            table.add_column(name, justify="left" if name == "partner" else "right")
        for name, row in one["partners"].items():
            table.add_row(name, f"{row['issued']:,}", f"{row['burned']:,}", _money(row["settled_micros"]),
                          _money(collateral[numbers[name]]))  # fmt: skip
        table.add_section()
        table.add_row("pool", "", "", _money(one["pool_micros"]), "")
        table.add_row("operator", "", "", _money(one["operator_micros"] + one["rounding_micros"]), "")
        console.print(table)
    console.print(
        f"{figures['members']:,} members, {figures['baskets']:,} baskets, {figures['earns']:,} earns, "
        f"{figures['burns']:,} burns: {figures['issued']:,} issued, {figures['burned']:,} burned"
    )
    console.print(f"liability {figures['outstanding']:,} points = token supply on chain {figures['supply']:,}")


def print_audit(console: Console, report: dict[str, Any], forged: dict[str, Any], folder: Path) -> None:
    """The auditor's word on the books and on the forgery."""
    statuses = [check["status"] for check in report["checks"]]
    console.print(f"audit: {statuses.count('passed')} checks passed, {statuses.count('failed')} failed, "
                  f"{statuses.count('not_run')} not run, {len(report['findings'])} findings")  # fmt: skip
    for finding in report["findings"]:
        console.print(f"  {finding['check']}: {finding['message']}", markup=False)
    console.print(f"\nforgery: {forged['points']} points taken from {forged['member']} on a copy; the auditor says:")
    for finding in forged["findings"][:5]:
        console.print(f"  {finding['check']}: {finding['message']}", markup=False)
    console.print(
        f"  convicted by header {forged['header']} of settlement {forged['settlement']}, entry {forged['entry']}"
    )
    console.print(f"\npictures of who paid whom: {folder / 'pictures'}   exports: {folder / 'exports'}")


def _money(micros: int) -> str:
    sign, cents = ("-" if micros < 0 else ""), abs(micros) * 100 // _MICROS
    return f"{sign}{cents // 100:,}.{cents % 100:02d}"
