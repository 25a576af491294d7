"""A document as CSV (RFC 4180): one row a line, what is of the whole document repeated in each."""

from __future__ import annotations

import csv
import io
from typing import Any

COLUMNS = (
    "number", "document", "settlement", "issued_on", "tax_due_on", "currency", "seller", "buyer", "partner", "kind",
    "refund", "corrects", "corrects_numbers", "points", "unit_micros", "amount_micros", "tax_name", "tax_category",
    "tax_rate_bp", "document_net_micros", "document_tax_micros", "document_total_micros",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def written(body: dict[str, Any]) -> bytes:
    """UTF-8 with a header row. A name that a spreadsheet would read as a formula has an apostrophe before it (OWASP)."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    numbers = {one["settlement"]: " ".join(one["numbers"]) for one in body["corrects"]}
    for line in body["lines"]:
        tax = line["tax"]
        rows.writerow([
            _cell(value) for value in (
                body["number"], body["kind"], body["settlement"], body["issued_on"], body["tax_due_on"], body["currency"],
                body["seller"]["name"], body["buyer"]["name"], line["partner"], line["kind"], int(line["refund"]),
                line["corrects"], numbers.get(line["corrects"]), line["points"], line["unit_micros"],
                line["amount_micros"], tax["name"], tax["category"], tax["rate_bp"], body["net_micros"],
                body["tax_micros"], body["total_micros"],
            )
        ])  # fmt: skip
    return out.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
