"""The doors of enquiry over the web: by the feed's own address and secret, within limits, reading only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from billing.payments.balances import request_balances, rest_of
from billing.payments.tables import VirtualAccount
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.vietqrvn import BEARER
from service.access.limits import ENQUIRIES, WRONG_ENQUIRIES
from service.pages.binding import RowDesk
from service.pages.desk import Caller
from tests.reconciliation.feeds.enquiry_book import md5
from tests.service.pages.sample_bank_accounts import KNOWN
from tests.service.pages.worlds import World

SECRET = "bi-mat-cua-ngan-hang"  # noqa: S105  an invented one
NUMBER = "96247ABC01"


def opened(world: World, provider: str, scheme: str) -> str:
    """Open a feed of the world's account and return the secret part of its address."""
    with world.wiring.database.transaction(world.collecting.scope) as session:
        wiring, account = world.wiring, world.billing.account
        return open_feed(session, wiring.vault, account, provider, scheme, SECRET, None, world.clock())[1]


def getbill(client: TestClient, token: str, customer: str, **more: str) -> dict[str, object]:
    body = {"customer_id": customer, "service_id": "HP1", "checksum": md5(SECRET, "HP1", customer), **more}
    told = client.post(f"/enquiries/{token}/getbill", json=body).json()
    assert isinstance(told, dict)
    return told


def check(client: TestClient, token: str, account: str, value: str, kind: int = 0) -> Any:  # noqa: ANN401  a list or an error, as documented
    body = {"bankAccount": account, "type": kind, "value": value, "checkSum": md5(account, SECRET)}
    path = f"/enquiries/{token}/api/transactions/check-order"
    return client.post(path, json=body, headers={"authorization": f"Bearer {SECRET}"}).json()


def rest(world: World, number: int = 0) -> int:
    request = world.collecting.requests[number]
    with world.wiring.database.transaction(world.collecting.scope) as session:
        return rest_of(request_balances(session, world.billing.id, [request.id])[request.id]).dong


def test_a_bank_asks_for_a_bill_by_number_or_reference_and_hears_when_it_is_paid(world: World) -> None:
    token, client = opened(world, "bidv", "checksum"), world.client()
    request, child = world.collecting.requests[0], world.collecting.children[0]
    given = VirtualAccount(
        school_id=world.billing.id,
        bank_account_id=world.billing.account.id,
        number=NUMBER,
        pupil_id=child.id,
        assigned_at=world.clock(),
    )
    world.change(lambda session: session.add(given))
    written: list[str] = []
    engine = world.wiring.database.engine
    event.listen(engine, "before_cursor_execute", lambda *found: written.append(found[2]))
    for customer in (NUMBER, request.reference):
        told = getbill(client, token, customer)
        assert told["result_code"] == "000"
        data = told["data"]
        assert isinstance(data, dict)
        assert (data["bill_id"], data["amount"]) == (request.reference, str(rest(world)))
        assert data["customer_name"] == "N. V. 1"
        assert child.pupil.full_name not in json.dumps(told, ensure_ascii=False)
    assert not [each for each in written if each.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert getbill(client, token, "9999")["result_code"] == "012"
    assert getbill(client, token, NUMBER, checksum="0" * 32)["result_code"] == "004"
    world.collecting.hear_of(world.collecting.pays(request.reference, rest(world)))
    assert getbill(client, token, NUMBER)["result_code"] == "023"


def test_an_order_is_told_of_and_only_on_its_own_account(world: World) -> None:
    token, client = opened(world, "vietqrvn", BEARER), world.client()
    request, account = world.collecting.requests[0], world.billing.account.number
    (found,) = check(client, token, account, request.reference)
    assert (found["amount"], found["status"]) == (rest(world), 0)
    assert check(client, token, "999999", request.reference) == {"status": "FAILED", "message": "E77"}
    assert check(client, token, account, "FT1", kind=1) == {"status": "FAILED", "message": "E96"}
    world.collecting.hear_of(world.collecting.pays(request.reference, rest(world)))
    (paid,) = check(client, token, account, request.reference)
    assert paid["status"] == 1


def test_an_address_of_another_provider_of_nobody_or_of_a_closed_feed_answers_nothing(world: World) -> None:
    bidv, vietqr = opened(world, "bidv", "checksum"), opened(world, "vietqrvn", BEARER)
    client, reference = world.client(), world.collecting.requests[0].reference
    assert getbill(client, vietqr, reference)["result_code"] == "003"
    assert getbill(client, world.collecting.token, reference)["result_code"] == "003"
    assert getbill(client, "x" * 32, reference)["result_code"] == "003"
    assert check(client, bidv, world.billing.account.number, reference) == {"status": "FAILED", "message": "E96"}
    for networks, code in (('["203.0.113.7"]', "003"), ("[]", "000")):
        put = text("UPDATE feeds SET allowed_from = CAST(:networks AS jsonb)")
        with world.wiring.database.transaction(world.collecting.scope) as session:
            session.execute(put, {"networks": networks})
        assert getbill(client, bidv, reference)["result_code"] == code, "listed addresses hold for questions too"
    world.change(lambda session: session.execute(text("UPDATE feeds SET closed_at = now()")))
    assert getbill(client, bidv, reference)["result_code"] == "003"


def test_the_database_itself_lets_an_enquiry_write_nothing(world: World) -> None:
    opened(world, "bidv", "checksum")
    with world.wiring.database.transaction(world.collecting.scope) as session:
        RowDesk(session, Caller("", ""), world.wiring).bidv_getbill("x", b"", world.clock())
        savepoint = session.begin_nested()
        with pytest.raises(DBAPIError, match="read-only"):
            session.execute(text("UPDATE feeds SET hold_above = 1"))
        savepoint.rollback()


def test_guessing_addresses_is_stopped_and_a_bank_has_its_own_limit(client: TestClient) -> None:
    statuses = [client.post(f"/enquiries/{number}/getbill", content=b"{}").status_code for number in range(22)]
    assert statuses == [404] * WRONG_ENQUIRIES.tries + [429] * 2
    assert client.post(f"/enquiries/{KNOWN}/getbill", content=b"{}").status_code == 429, "also a lucky guess"


def test_one_feed_is_asked_at_most_so_often(client: TestClient) -> None:
    path = f"/enquiries/{KNOWN}/api/transactions/check-order"
    for _ in range(ENQUIRIES.tries):
        assert client.post(path, content=b"{}").status_code == 404
    refused = client.post(path, content=b"{}")
    assert refused.status_code == 429
    assert refused.json() == {"status": "FAILED", "message": "E05"}
    assert int(refused.headers["retry-after"]) > 0


def test_an_answer_is_dressed_like_every_other_and_a_question_too_large_is_refused(client: TestClient) -> None:
    answer = client.post(f"/enquiries/{KNOWN}/getbill", content=b"{}")
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert client.post(f"/enquiries/{KNOWN}/getbill", content=b" " * 70_000).status_code == 413
    assert client.get(f"/enquiries/{KNOWN}/getbill").status_code == 405
