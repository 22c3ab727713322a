"""The same request again: one deed, one answer, for a day; and pages of lists that miss and repeat nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from service.access.token_tables import ApiAnswer
from service.api.once import KEPT
from tests.service.api.programs import BUS, MEALS, Program, add_item, bring_pupils, program
from tests.service.pages.fresh import Fresh
from tests.service.pages.worlds import Moving


@pytest.fixture(scope="module")
def accountant(fresh: Fresh) -> Program:
    return program(fresh, "accountant")


@pytest.fixture(scope="module")
def bus(accountant: Program) -> dict[str, Any]:
    [account] = accountant.get("/accounts")["data"]
    return {**BUS, "bank_account_id": account["id"]}


def test_the_same_key_gives_the_same_answer_and_one_deed(
    fresh: Fresh, accountant: Program, bus: dict[str, Any]
) -> None:
    first = accountant.do("/items", bus, 201, idempotency_key="mot")
    headers = {"authorization": f"Bearer {accountant.token}", "idempotency-key": "mot"}
    again = accountant.client.post(f"/api/v1/schools/{accountant.school}/items", json=bus, headers=headers)
    assert (again.status_code, again.json()) == (201, first)
    assert again.headers["idempotency-replayed"] == "true"
    assert accountant.ask("POST", "/items", bus)[0] == 409, "without the key it is another request"
    status, other = accountant.ask("POST", "/items", {**bus, "code": "XE2"}, idempotency_key="mot")
    assert (status, other["error"]["code"], other["error"]["field"]) == (409, "key_reused", "Idempotency-Key")
    price = {"amount": 250_000, "valid_from": "2025-09-01"}
    assert accountant.ask("POST", "/items/XE/prices", price, idempotency_key="mot")[0] == 409, "another address"
    assert accountant.ask("POST", "/items", bus, idempotency_key="hai chữ".replace("ữ", "u"))[0] == 422
    kept = fresh.read(lambda session: session.exec(select(ApiAnswer).where(ApiAnswer.key == "mot")).one())
    assert kept.answer_sealed is not None
    assert b"XE" not in kept.answer_sealed
    assert "đưa đón".encode() not in kept.answer_sealed


def test_another_person_may_use_the_same_key(fresh: Fresh, bus: dict[str, Any]) -> None:
    second = program(fresh, "accountant")
    assert second.do("/items", {**bus, "code": "XE-KHAC"}, 201, idempotency_key="mot")["code"] == "XE-KHAC"


def test_what_was_refused_is_tried_again(accountant: Program, bus: dict[str, Any]) -> None:
    wrong = {"amount": 1, "valid_from": "2025-09-02"}
    assert accountant.ask("POST", "/items/XE/prices", wrong, idempotency_key="hai")[0] == 422
    right = {"amount": 250_000, "valid_from": "2025-09-01"}
    assert accountant.do("/items/XE/prices", right, 201, idempotency_key="hai")["prices"][0]["amount"] == 250_000
    assert bus["code"] == "XE"


def test_a_key_is_forgotten_after_a_day(fresh: Fresh, accountant: Program, bus: dict[str, Any]) -> None:
    accountant.do("/items", {**bus, "code": "NGAY1"}, 201, idempotency_key="ba")
    clock = fresh.wiring.clock
    assert isinstance(clock, Moving)
    begun = clock.now
    clock.now = begun + KEPT + timedelta(seconds=1)
    try:
        assert accountant.do("/items", {**bus, "code": "NGAY2"}, 201, idempotency_key="ba")["code"] == "NGAY2"
        old = fresh.read(lambda session: session.exec(select(ApiAnswer).where(ApiAnswer.key == "hai")).one())
        assert (old.status, old.answer_sealed) == (None, None), "the answers of yesterday are emptied"
    finally:
        clock.now = begun


def test_two_at_once_with_one_key_are_one_deed(accountant: Program, bus: dict[str, Any]) -> None:
    answers: list[tuple[int, Any]] = []
    gate = threading.Barrier(4)

    def go() -> None:
        gate.wait()
        answers.append(accountant.ask("POST", "/items", {**bus, "code": "DUA"}, idempotency_key="bon"))

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [201] * 4
    assert all(answer == answers[0][1] for _, answer in answers)
    assert [item["code"] for item in accountant.get("/items?limit=200")["data"]].count("DUA") == 1


def test_pages_of_every_list_miss_and_repeat_nothing(accountant: Program) -> None:
    bring_pupils(accountant)
    add_item(accountant, MEALS, 32_000)
    for path in ("/items", "/pupils", "/classes"):
        whole = accountant.get(f"{path}?limit=200")
        assert whole["next_cursor"] is None
        seen, cursor = [], ""
        while True:
            page = accountant.get(f"{path}?limit=1{cursor}")
            seen += page["data"]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == whole["data"], path
    assert len(seen) == 2
