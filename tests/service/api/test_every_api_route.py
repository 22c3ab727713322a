"""Every route of the API × every role, and what it answers to strangers, other schools' ids and bad bodies."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.access.errors import TooManyTries
from service.access.limits import API, LocalLimiter
from service.access.roles import MATRIX, ROLES, Actor
from service.api.document import api_served, document
from tests.conftest import TestServers
from tests.service.api.programs import MEALS, Program, add_item, bring_pupils, program, token_of
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.worlds import Moving

ROUTES = [route for route in api_served() if "{school}" in route[1]]
NOBODY = str(uuid.UUID(int=7))
DIGEST = "0" * 64
# A body that every route's shape accepts; what it names does not exist.
BODIES: dict[str, Any] = {
    "/items": {**MEALS, "code": "NUOC", "bank_account_id": NOBODY},
    "/items/{code}": {"legal_name": "Tên khác"},
    "/items/{code}/end": {"last_day": "2026-01-31"},
    "/items/{code}/prices": {"amount": 1000, "valid_from": "2025-10-01"},
    "/items/{code}/prices/{price_id}/withdraw": {"reason": "Nhầm"},
    "/registrations": {
        "registrations": [
            {"enrolment_id": NOBODY, "item": "TIENAN", "valid_from": "2025-10-01", "evidence": "Phiếu"}
        ]
    },
    "/registrations/end": {"item": "KHAC", "enrolment_ids": [NOBODY], "last_day": "2025-10-01"},
    "/classes/{class_id}/registrations": {"item": "TIENAN", "valid_from": "2025-10-01", "evidence": "Phiếu"},
    "/reductions": {"enrolment_id": NOBODY, "kind": "HOCBONG", "valid_from": "2025-10-01", "evidence": "QĐ 1"},
    "/reductions/{reduction_id}/end": {"last_day": "2025-12-31", "reason": "Hết"},
    "/rounds": {
        "school_year": "2025-2026", "code": "X", "name": "X", "period_from": "2025-11-01",
        "period_to": "2025-11-30", "due_on": "2025-10-01",
    },
    "/rounds/{round_id}/supplementary": {"code": "BS", "name": "Bổ sung", "due_on": "2025-11-20"},
    "/rounds/{round_id}/submit": {"digest": DIGEST},
    "/rounds/{round_id}/approve": {"digest": DIGEST},
    "/corrections": {"kind": "void", "bill_id": NOBODY, "reason": "Nhầm"},
    "/catalogues": {"name": "public-primary", "accounts": {"main": NOBODY}},
    "/entitlements": {
        "enrolment_id": NOBODY, "kind": "HONGHEO", "evidence": "Giấy số 1", "valid_from": "2025-10-01"
    },
    "/entitlements/{entitlement_id}/end": {"last_day": "2025-12-31", "reason": "Hết"},
    "/claims/{claim_id}/payouts": {
        "pupil_id": NOBODY, "received_by": "Trần Thị B", "received_on": "2025-10-01", "way": "cash"
    },
    "/claims": {"kind": "private_support", "school_year": "2025-2026", "instalment": 1},
    "/claims/{claim_id}/submit": {"digest": DIGEST},
    "/claims/{claim_id}/approve": {"digest": DIGEST},
    "/claims/{claim_id}/payments": {
        "amount": 1000, "paid_on": "2025-10-01", "way": "treasury", "document": "LC 1"
    },
}  # fmt: skip
WITH_REASON = ("withdraw", "unlock", "reject", "undo")


def body_of(path: str) -> Any:  # noqa: ANN401  JSON
    """Return a body for a route."""
    below = path.removeprefix("/api/v1/schools/{school}")
    return BODIES.get(below) or ({"reason": "Nhầm"} if below.endswith(WITH_REASON) else {})


def address(path: str, ids: dict[str, str], school: str) -> str:
    """Return an address of a route."""
    known = {"school": school, "kind": "prices", "name": "public-primary", "price_id": "99", "code": "TIENAN"} | ids
    return re.sub(r"{(\w+)}", lambda found: known.get(found[1], NOBODY), path)


def code_of(answer: Any) -> str:  # noqa: ANN401  JSON
    """Return the code of an error."""
    return str(answer["error"]["code"]) if isinstance(answer, dict) and "error" in answer else ""


@pytest.fixture(scope="module")
def programs(fresh: Fresh) -> dict[Actor, Program]:
    """A program for each role."""
    app = fresh.app()
    return {role: program(fresh, role.value, app=app) for role in ROLES}


def test_every_route_times_every_role(fresh: Fresh, programs: dict[Actor, Program]) -> None:
    """Those who may do something here meet every route; of the others each route meets one, in turn."""
    inside = {role for route in ROUTES for role in MATRIX[route]}
    assert inside == {Actor.ACCOUNTANT, Actor.APPROVER, Actor.AUDITOR}
    outside = sorted(ROLES - inside)
    for number, (method, path) in enumerate(ROUTES):
        where = address(path, {}, fresh.school.code)
        for role in (*inside, outside[number % len(outside)]):
            held = programs[role]
            status, answer = held.ask(method, where, body_of(path) if method != "GET" else None)
            if role in MATRIX[method, path]:
                assert status not in {401, 403, 500, 503}, (role, method, path, answer)
            else:
                assert (status, code_of(answer)) == (403, "not_allowed"), (role, method, path)
    for role, held in programs.items():
        assert held.ask("GET", "/api/v1/me")[0] == (200 if role in MATRIX["GET", "/api/v1/me"] else 403)


def test_nobody_gets_in_without_a_living_token(fresh: Fresh, programs: dict[Actor, Program]) -> None:
    client = TestClient(fresh.app(), raise_server_exceptions=False)
    cookie = fresh.client(fresh.accountant).cookies["hocphi"]
    for method, path in ROUTES:
        where = address(path, {}, fresh.school.code)
        answer = client.request(method, where, json=body_of(path), headers={"cookie": f"hocphi={cookie}"})
        assert (answer.status_code, code_of(answer.json())) == (401, "token_needed"), (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "set-cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "no-store" in answer.headers["cache-control"]
    wrong = programs[Actor.ACCOUNTANT].token[:-1] + "="
    assert client.get("/api/v1/me", headers={"authorization": f"Bearer {wrong}"}).status_code == 401
    assert client.get("/api/v1/me", headers={"authorization": f"Basic {wrong}"}).status_code == 401


def test_another_school_is_not_found_by_its_code_nor_by_its_ids(
    fresh: Fresh, programs: dict[Actor, Program], servers: TestServers
) -> None:
    wiring = fresh.wiring
    other = fresh_school(wiring.database, wiring.addresses, wiring.vault, servers)
    ids = _lived_in(other)
    theirs = program(other, "accountant")
    for method, path in ROUTES:
        role = Actor.ACCOUNTANT if Actor.ACCOUNTANT in MATRIX[method, path] else Actor.APPROVER
        status, answer = programs[role].ask(method, address(path, ids, other.school.code), body_of(path))
        assert (status, code_of(answer)) == (404, "not_found"), (method, path)
        if re.search(r"{(?!school|kind|code|price_id|name)\w+}", path):
            where = address(path, ids, fresh.school.code)
            status, answer = programs[role].ask(method, where, body_of(path))
            assert (status, code_of(answer)) == (404, "not_found"), (method, path, answer)
    assert programs[Actor.ACCOUNTANT].ask("GET", "/items/TIENAN")[0] == 404
    assert theirs.get(f"/rounds/{ids['round_id']}")["state"] == "issued", "nothing of it was touched"


def _lived_in(other: Fresh) -> dict[str, str]:
    """Let a school live for a month; return ids of everything it has then."""
    accountant, approver = program(other, "accountant"), program(other, "approver")
    pupils = bring_pupils(accountant)
    made = add_item(accountant, MEALS, 32_000)
    [first] = [each for each in accountant.get("/classes")["data"] if each["code"] == "1A"]
    path = f"/classes/{first['id']}/registrations"
    accountant.do(path, BODIES["/classes/{class_id}/registrations"], 201)
    wanted = {**BODIES["/reductions"], "enrolment_id": pupils["1A"][0]["enrolment_id"], "percent": 10}
    reduction = accountant.do("/reductions", wanted, 201)
    paper = {**BODIES["/entitlements"], "enrolment_id": pupils["1A"][0]["enrolment_id"]}
    right = accountant.do("/entitlements", paper, 201)
    body = {**BODIES["/rounds"], "meal_days": ["2025-11-03"], "due_on": "2025-11-20"}
    number = accountant.do("/rounds", body, 201)["id"]
    digest = accountant.do(f"/rounds/{number}/preview")["preview"]["digest"]
    accountant.do(f"/rounds/{number}/submit", {"digest": digest})
    approver.do(f"/rounds/{number}/approve", {"digest": digest, "agree": True})
    other.work()
    bill = accountant.get(f"/rounds/{number}/bills")["data"][0]
    asked = accountant.do("/corrections", {"kind": "void", "bill_id": bill["id"], "reason": "Nhầm"}, 201)
    return {
        "class_id": first["id"],
        "reduction_id": reduction["id"],
        "entitlement_id": right["id"],
        "round_id": number,
        "pupil_id": bill["pupil_id"],
        "bill_id": bill["id"],
        "correction_id": asked["id"],
        "price_id": str(made["prices"][0]["id"]),
    }


def test_a_read_only_token_changes_nothing(fresh: Fresh) -> None:
    reader = program(fresh, "accountant", read_only=True)
    assert reader.get("/api/v1/me")["read_only"] is True
    for method, path in ROUTES:
        where = address(path, {}, fresh.school.code)
        status, answer = reader.ask(method, where, body_of(path))
        if method == "GET":
            assert status != 403
        else:
            assert (status, code_of(answer)) == (403, "read_only_token"), (method, path)


def test_bad_bodies_are_refused_by_field_and_say_nothing_of_what_was_sent(
    fresh: Fresh, programs: dict[Actor, Program]
) -> None:
    for method, path in ROUTES:
        body = body_of(path)
        if method == "GET" or not body:
            continue
        role = Actor.ACCOUNTANT if Actor.ACCOUNTANT in MATRIX[method, path] else Actor.APPROVER
        where = address(path, {}, fresh.school.code)
        status, answer = programs[role].ask(method, where, {**body, "bi_mat": "42-quá-riêng-tư"})
        assert (status, code_of(answer)) == (422, "invalid_input"), (method, path)
        assert answer["error"]["field"].endswith("bi_mat"), answer
        assert "riêng-tư" not in str(answer)
        assert programs[role].ask(method, where, [1])[0] == 422
    accountant = programs[Actor.ACCOUNTANT]
    for amount in ("1000", 1000.5, True, -1, 10**15, None):
        status, answer = accountant.ask("POST", "/items/TIENAN/prices", {"amount": amount, "valid_from": "2025-10-01"})
        assert (status, answer["error"]["field"]) == (422, "amount"), amount
    assert accountant.ask("PATCH", "/items/TIENAN", {"legal_name": "a\u0000b"})[0] == 422
    half = accountant.client.patch(
        f"/api/v1/schools/{accountant.school}/items/TIENAN",
        content=b'{"legal_name": "a\\ud800b"}',
        headers={"authorization": f"Bearer {accountant.token}", "content-type": "application/json"},
    )
    assert half.status_code == 422, "half a letter"
    price = {"amount": 1000, "valid_from": "9999-12-31"}
    assert accountant.ask("POST", "/items/TIENAN/prices", price)[1]["error"]["field"] == "valid_from"
    price = {"amount": 1000, "valid_from": "2025-10-01", "grades": [2**40]}
    assert accountant.ask("POST", "/items/TIENAN/prices", price)[0] == 422
    assert accountant.ask("GET", "/items/%00")[0] == 422
    assert accountant.ask("GET", "/pupils?school_year=%00")[0] == 422
    for cursor in ("IlxcdWQ4MDAi", "Ilx1ZDgwMCI=", "x", "////", "IjAi", "MQ=="):
        assert accountant.ask("GET", f"/rounds?cursor={cursor}")[1]["error"]["field"] == "cursor"
    assert accountant.ask("GET", "/rounds?limit=201")[1]["error"]["field"] == "limit"
    assert accountant.ask("GET", "/rounds/khong-phai-uuid")[0] == 422
    assert accountant.ask("GET", "/khong-co")[1]["error"]["code"] == "not_found"
    english = accountant.ask("GET", "/rounds?limit=201", accept_language="en-GB")[1]["error"]["message"]
    assert english.startswith("limit: ")
    assert "Giá trị" not in english


def test_a_body_that_is_too_large_is_refused(programs: dict[Actor, Program]) -> None:
    status, answer = programs[Actor.ACCOUNTANT].ask("POST", "/items", {"x": "y" * 300_000})
    assert (status, code_of(answer)) == (413, "too_large")


def test_tokens_end_and_are_counted(fresh: Fresh, programs: dict[Actor, Program]) -> None:
    held = programs[Actor.ACCOUNTANT]
    short = token_of(fresh, fresh.accountant, "accountant", days=1)
    headers = {"authorization": f"Bearer {short}"}
    assert held.client.get("/api/v1/me", headers=headers).status_code == 200
    clock = fresh.wiring.clock
    assert isinstance(clock, Moving)
    begun = clock.now
    try:
        clock.now = begun + timedelta(days=1)
        assert held.client.get("/api/v1/me", headers=headers).status_code == 401
    finally:
        clock.now = begun
    limiter = LocalLimiter(lambda: 0.0)
    for _ in range(API.tries):
        limiter.spend(API, "t")
    with pytest.raises(TooManyTries):
        limiter.spend(API, "t")


def test_the_document_describes_every_route_and_loads_nothing_from_elsewhere(fresh: Fresh) -> None:
    client = TestClient(fresh.app())
    served = client.get("/api/v1/openapi.json")
    assert served.status_code == 200
    assert served.json() == document()
    described = {(method.upper(), path) for path, routes in document()["paths"].items() for method in routes}
    assert described == set(api_served()) - {("GET", "/api/v1/openapi.json")}
    for path, routes in document()["paths"].items():
        for method, route in routes.items():
            assert route.get("description"), (method, path)
            assert route["security"] == [{"HTTPBearer": []}], (method, path)
            assert "HTTPValidationError" not in str(route)
    assert "://" not in str(document()), "no address of another site"
    for path in ("/docs", "/redoc", "/api/v1/docs", "/openapi.json"):
        assert client.get(path).status_code == 404
