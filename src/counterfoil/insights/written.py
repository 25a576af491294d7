"""The bytes of a report: JSON and CSV, the same for the same figures, so that two computations are compared byte for byte."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

from counterfoil.insights.liability import Report

Format = Literal["json", "csv"]
COLUMNS = ("settlement", "currency", "party", "figure", "value")


def written(report: Report, form: Format) -> bytes:
    """JSON with sorted keys, or one long table. Integers are exact, of whatever size."""
    whole = asdict(report)
    if form == "json":
        return json.dumps(whole, sort_keys=True, indent=2, ensure_ascii=False).encode() + b"\n"
    text = io.StringIO(newline="")
    table = csv.writer(text)  # RFC 4180
    table.writerow(COLUMNS)
    number = report.settlement
    for currency in whole.pop("currencies"):
        for row in [*currency.pop("parties"), currency.pop("total")]:
            for figure, value in _flat(row):
                table.writerow((number, currency["name"], row["name"], figure, value))
        for figure, value in _flat(currency):
            table.writerow((number, currency["name"], "", figure, value))
    for figure, value in _flat(whole):
        table.writerow((number, "", "", figure, value))
    return text.getvalue().encode()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every figure with its path; of a band by its name, of nothing an empty cell."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, tuple | list):
        for place, inner in enumerate(value):
            banded = isinstance(inner, dict) and "band" in inner
            yield from _flat(
                {key: one for key, one in inner.items() if key != "band"} if banded else inner,
                f"{name}.{inner['band'] if banded else place}",
            )
    elif value is not None or name:
        yield name, value
