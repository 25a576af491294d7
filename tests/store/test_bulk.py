"""Set-based reading and writing: the same on both dialects, for every kind of value, and a lost update is said."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from counterfoil.store import bulk, tables
from counterfoil.store.engine import writing
from tests.store.ground import Ground

ODD = [
    "", "plain", "two words", "comma, and {braces}", 'quote " in', "back \\ slash", "\\", '\\"', "NULL", "null",
    "żółć 🎈", "line\nbreak", "tab\t", "'; DROP TABLE entry; --", "{}", "{1,2}", "%s", "?", ":name", "$1",
]  # fmt: skip
BIG = 2**63 - 1


def read(books: Ground, table: Any) -> list[tuple[Any, ...]]:
    with books.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(table)))


def test_every_text_comes_back(books: Ground) -> None:
    rows = [(16, text, place) for place, text in enumerate(ODD)]
    with writing(books.engine) as connection:
        connection.execute(tables.identity.delete())
        bulk.insert(connection, tables.identity, rows)
        found = bulk.select(
            connection, tables.identity, ("reference", "member"), ("party", "reference"), [(16, text) for text in ODD]
        )
    assert {row[0]: row[1] for row in found} == {text: place for place, text in enumerate(ODD)}
    assert read(books, tables.identity) == sorted(rows)


def test_every_kind_of_value_comes_back(books: Ground) -> None:
    requests = [
        (16, "k1", b"", True, 0, "{}"),
        (16, "k2", bytes(range(256)), False, BIG, '{"a": "b\\\\c"}'),
        (2**15 - 1, "k3", b"\x00\xff\\x", True, -BIG, ""),
    ]
    members = [
        (BIG, b"\x01" * 32, 0, 0, 0, 0, None, False, None),
        (BIG - 1, b"\x02" * 32, 1, 2**53 - 1, 3, 4, BIG, True, BIG),
    ]
    with writing(books.engine) as connection:
        connection.execute(tables.member.delete())
        bulk.insert(connection, tables.request, requests)
        bulk.insert(connection, tables.member, members)
    assert [(*row[:2], bytes(row[2]), bool(row[3]), *row[4:]) for row in read(books, tables.request)] == requests
    assert sorted((row[0], bytes(row[1]), *row[2:]) for row in read(books, tables.member)) == sorted(members)


def effects(books: Ground, count: int = 3) -> None:
    with writing(books.engine) as connection:
        bulk.insert(connection, tables.effect, [(16, "earn", f"e{place}", place, 0) for place in range(count)])


NAMES = ("partner", "kind", "external_id")


def test_an_update_repeats_what_it_was_decided_on(books: Ground) -> None:
    effects(books)
    with writing(books.engine) as connection:
        bulk.update(connection, tables.effect, NAMES, ("refunded",), [(16, "earn", f"e{p}", p + 1, 0) for p in (0, 2)])
    assert [row[4] for row in read(books, tables.effect)] == [1, 0, 3]


@pytest.mark.parametrize("count", [bulk.MANY - 1, bulk.MANY, bulk.MANY + 1])
def test_columns_in_which_many_rows_agree_come_back_like_others(books: Ground, count: int) -> None:
    requests = [(16, f"k{place}", b"\x00\xff", place == 0, 7, "{}") for place in range(count)]
    members = [(place, b"\x01" * 32, BIG, place, 0, 0, None, False, None) for place in range(count)]
    sums = ("available", "held", "next_due")
    with writing(books.engine) as connection:
        connection.execute(tables.member.delete())
        bulk.insert(connection, tables.request, requests)
        bulk.insert(connection, tables.member, members)
        keys = [(16, f"k{place}") for place in range(count)]
        found = bulk.select(connection, tables.request, ("key", "ok"), ("partner", "key"), keys)
        bulk.update(connection, tables.member, ("id",), sums, [(n, n, 0, BIG, n, 0, None) for n in range(count)])
        bulk.update(connection, tables.member, ("id",), sums, [(n, 5, 0, None, n, 0, BIG) for n in range(count)])
    assert sorted(found) == sorted((f"k{place}", place == 0) for place in range(count))
    assert [(*row[:2], bytes(row[2]), *row[3:]) for row in read(books, tables.request)] == sorted(requests)
    assert {(*row[3:],) for row in read(books, tables.member)} == {(5, 0, 0, None, False, None)}
    with pytest.raises(bulk.Lost), writing(books.engine) as connection:
        bulk.update(connection, tables.member, ("id",), sums, [(n, 6, 0, None, 5, 0, BIG) for n in range(count)])


@pytest.mark.parametrize(
    "rows",
    [
        [(16, "earn", "e0", 5, 1)],  # it was 0
        [(16, "earn", "e0", 5, 0), (16, "earn", "e9", 5, 0)],  # there is no e9
        [(16, "burn", "e0", 5, 0)],
        [(16, "earn", "e0", 5, None)],
    ],
)
def test_a_lost_update_is_said_and_undone(books: Ground, rows: list[tuple[Any, ...]]) -> None:
    effects(books)
    with pytest.raises(bulk.Lost, match="effect"), writing(books.engine) as connection:
        bulk.update(connection, tables.effect, NAMES, ("refunded",), rows)
    assert [row[4] for row in read(books, tables.effect)] == [0, 0, 0]


def test_null_equals_null_in_an_update(books: Ground) -> None:
    number = books.members[0]
    columns = ("available", "held", "next_due")
    with writing(books.engine) as connection:
        bulk.update(connection, tables.member, ("id",), columns, [(number, 1, 2, 99, 0, 0, None)])
        bulk.update(connection, tables.member, ("id",), columns, [(number, 1, 2, None, 1, 2, 99)])
    with pytest.raises(bulk.Lost), writing(books.engine) as connection:
        bulk.update(connection, tables.member, ("id",), columns, [(number, 0, 0, None, 1, 2, 99)])


def test_selecting(books: Ground) -> None:
    effects(books, 50)
    with books.engine.connect() as connection:

        def found(values: list[tuple[Any, ...]], where: str = "") -> list[int]:
            rows = bulk.select(connection, tables.effect, ("entry",), NAMES, values, where)
            return sorted(row[0] for row in rows)

        named = [(16, "earn", f"e{place}") for place in (3, 7, 3, 99)]
        assert found(named) == [3, 7]  # each once, whatever is asked twice or not there
        assert found([]) == []
        assert found(named, "t.entry > 5") == [7]
        assert found([(16, "burn", "e3"), (17, "earn", "e3")]) == []
        many = [(16, "earn", f"e{place}") for place in range(8_000)]
        assert found(many) == list(range(50))


def test_nothing_is_nothing(books: Ground) -> None:
    with writing(books.engine) as connection:
        bulk.insert(connection, tables.effect, [])
        bulk.update(connection, tables.effect, NAMES, ("refunded",), [])
    assert read(books, tables.effect) == []
