"""Who may do what: every route by every kind of caller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Response

from counterfoil.features.points import routes as points
from counterfoil.gateway import auth
from counterfoil.store.registry import SCOPES
from tests.gateway.routes import PUBLIC, ROUTES, filled, routes_of
from tests.gateway.stand import Stand, bearer, problem, stand

PARTNERS_ONLY = {"earn", "burn", "hold", "refund", "sign"}  # the operator's credential has the scope, and is refused


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, dict[str, dict[str, str]]]]:
    folder: Path = tmp_path_factory.mktemp("scopes")
    with stand(folder) as one:
        number = one.sides["A"].id
        known = {scope: bearer(one.issue(number, scope)["key"]) for scope in SCOPES}
        gone = one.issue(number)
        one.client.delete(f"/v1/keys/{gone['prefix']}", headers=one.operator)
        known |= {
            "nobody": {}, "junk": bearer("junk"), "forged": bearer("cf_" + gone["prefix"] + "_" + "x" * 43),
            "basic": {"Authorization": "Basic b3A6b3A="}, "empty": {"Authorization": "Bearer "},
            "revoked": bearer(gone["key"]), "operator": one.operator,
        }  # fmt: skip
        yield one, known


def ask(books: Stand, method: str, path: str, headers: dict[str, str]) -> Response:
    body = ROUTES[method, path][1]
    more = {} if body is None else {"json": body}
    answer: Response = books.client.request(method, filled(path), headers={**headers, "Idempotency-Key": "k"}, **more)
    return answer


def test_every_route_is_classified(callers: tuple[Stand, dict[str, dict[str, str]]]) -> None:
    assert routes_of(callers[0].app) == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_matrix(callers: tuple[Stand, dict[str, dict[str, str]]], method: str, path: str) -> None:
    books, known = callers
    scope = ROUTES[method, path][0]
    for name, headers in known.items():
        answer = ask(books, method, path, headers)
        told = f"{method} {path} as {name}: {answer.status_code}"
        if scope == PUBLIC:
            assert answer.status_code not in {401, 403}, told
        elif name in {"nobody", "junk", "forged", "basic", "empty", "revoked"}:
            assert problem(answer, 401, "unauthenticated")["field"] == "Authorization", told
            assert answer.headers["www-authenticate"] == "Bearer", told
        elif name == "operator":
            refused = scope in PARTNERS_ONLY
            assert (answer.status_code == 403) is refused, told
            assert answer.status_code != 401, told
        elif name == scope:
            assert answer.status_code not in {401, 403}, told
        else:
            assert problem(answer, 403, "forbidden")["scope"] == scope, told


def test_canary_a_route_that_nobody_classified(callers: tuple[Stand, dict[str, dict[str, str]]]) -> None:
    app = callers[0].app
    before = list(app.router.routes)

    @app.get("/v1/all")
    def everything() -> dict[str, str]:
        return {}

    app.openapi_schema = None
    try:
        assert ("GET", "/v1/all") in routes_of(app) - set(ROUTES)
    finally:
        app.router.routes[:] = before
        app.openapi_schema = None


def test_canary_a_route_that_forgot_its_scope(
    callers: tuple[Stand, dict[str, dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    books, known = callers
    real = auth.caller_of
    monkeypatch.setattr(points, "caller_of", lambda gateway, header, _scope: real(gateway, header, "read"))
    assert ask(books, "POST", "/v1/transfers", known["read"]).status_code != 403
    with pytest.raises(AssertionError):
        test_matrix(callers, "POST", "/v1/transfers")
