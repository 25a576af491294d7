"""Books behind a checkpoint they once signed: an older copy is noticed, and nothing is posted to it."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from counterfoil.app import Witness
from counterfoil.chain.signer import checkpoint_key, origin_of, read_checkpoint
from counterfoil.core.errors import Unreadable
from tests.gateway.stand import Stand, bearer, good, problem, stand


def sequenced(books: Stand) -> None:
    """Have the worker append what was posted to the log, and note it."""
    books.close()
    books.app.state.worker._note(*_latest(books))


def _latest(books: Stand) -> tuple[int, bytes]:
    from counterfoil.store import sequencer

    return sequencer.latest(books.app.state.gateway.engine)


def test_an_older_copy_is_read_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with stand(home) as books:
        member, key = books.member(), books.sides["A"].key
        books.earn("A", member, 10)
        sequenced(books)
    copy = tmp_path / "older.db"
    shutil.copy(home / "books.db", copy)
    with stand(home, partners="") as books:
        assert good(books.client.get("/readyz"))["status"] == "ok"
        body = {"external_id": "later", "member": member, "points": 5}
        headers = {**bearer(key), "Idempotency-Key": "later"}
        good(books.client.post("/v1/earns", json=body, headers=headers))
        sequenced(books)
    shutil.copy(home / "books.db", tmp_path / "newer.db")
    shutil.copy(copy, home / "books.db")
    for left in home.glob("books.db-*"):
        left.unlink()

    with stand(home, partners="") as books:
        answer = books.client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not_ready"
        assert "behind a checkpoint" in answer.json()["stops_posting"][0]
        headers = {**bearer(key), "Idempotency-Key": "again"}
        refused = books.client.post("/v1/earns", json={**body, "external_id": "again"}, headers=headers)
        told = problem(refused, 503, "books_behind_checkpoint", "database")
        assert (told["size"], told["signed"]) == (1, 2)
        batch = {"operations": [{"verb": "earn", "key": "b", **body}]}
        problem(books.client.post("/v1/batches", json=batch, headers=bearer(key)), 503, "books_behind_checkpoint")
        assert books.available(member) == 10  # reading goes on
        assert good(books.client.get("/healthz")) == {"status": "ok"}

    shutil.copy(tmp_path / "newer.db", home / "books.db")
    for left in home.glob("books.db-*"):
        left.unlink()
    with stand(home, partners="") as books:  # the newest copy brings it back
        assert good(books.client.get("/readyz"))["status"] == "ok"
        replayed = books.client.post("/v1/earns", json=body, headers={**bearer(key), "Idempotency-Key": "later"})
        assert replayed.headers["Idempotent-Replayed"] == "true"


def test_a_read_only_gateway_closes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with stand(home) as books:
        member = books.member()
        shutil.copy(home / "books.db", tmp_path / "older.db")
        for suffix in ("-wal", "-shm"):
            if (home / f"books.db{suffix}").exists():
                shutil.copy(home / f"books.db{suffix}", tmp_path / f"older.db{suffix}")
        books.earn("A", member, 10)
        sequenced(books)
    for left in home.glob("books.db*"):
        left.unlink()
    for kept in tmp_path.glob("older.db*"):
        shutil.copy(kept, home / kept.name.replace("older", "books"))
    with stand(home, partners="") as books:
        assert books.client.get("/readyz").status_code == 503
        answer = books.client.post("/v1/settlements", headers=books.operator)
        problem(answer, 503, "books_behind_checkpoint")


def test_a_checkpoint_of_another_key_is_not_believed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with stand(home) as books:
        books.earn("A", books.member(), 10)
        sequenced(books)
    note = home / "checkpoint"
    note.write_text(note.read_text().replace("\n1\n", "\n7\n"))
    with pytest.raises(Unreadable), stand(home, partners=""):
        pass


def test_gateways_that_share_a_home_keep_the_newest_checkpoint(tmp_path: Path) -> None:
    key = checkpoint_key(tmp_path / "checkpoint.key", origin_of(bytes(32)))
    path = tmp_path / "checkpoint"
    turns = [[size for size in range(1, 120) if size % 3 == turn] for turn in range(3)]

    def keep(sizes: list[int]) -> None:
        mine = Witness(path, key)
        for size in sizes:
            mine.note(size, size.to_bytes(32, "big"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(keep, turns))
    kept = path.read_text(encoding="utf-8")
    assert read_checkpoint(kept, key.origin, key.public) == (119, (119).to_bytes(32, "big"))
    Witness(path, key).note(118, bytes(32))  # a gateway that comes late with an older one
    assert path.read_text(encoding="utf-8") == kept
