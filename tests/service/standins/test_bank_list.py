"""What the stand-in of the lists answers besides the clients' contract."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from service.standins import bank_list
from service.standins.bank_list import ListBank
from service.standins.serving import Running

MOVEMENT = {
    "id": 5, "account": "0123499999", "direction": "out", "amount": 20_000, "memo": "phi", "bank_reference": "FT1",
    "at": "2025-10-06T08:00:00+07:00",
}  # fmt: skip
SEPAY, CASSO = {"Authorization": "Bearer x"}, {"Authorization": "Apikey x"}


@pytest.fixture
def running() -> Iterator[Running]:
    started = bank_list.start(ListBank("x", seconds=lambda: 1.0))
    yield started
    started.stop()


def test_a_movement_told_over_http_stands_on_both_lists(running: Running) -> None:
    assert httpx.post(f"{running.url}/movements", json=MOVEMENT).json() == {"told": True}
    [row] = httpx.get(f"{running.url}/userapi/transactions/list", headers=SEPAY).json()["transactions"]
    assert (row["id"], row["amount_in"], row["amount_out"]) == ("5", "0.00", "20000.00")
    assert row["transaction_date"] == "2025-10-06 08:00:00"
    data = httpx.get(f"{running.url}/v2/transactions", headers=CASSO).json()["data"]
    assert (data["totalRecords"], data["records"][0]["amount"]) == (1, -20_000)


@pytest.mark.parametrize("body", ["{}", "[]", "x", '{"id": "a"}', '{"mode": "earthquake", "times": 1}'])
def test_what_it_cannot_read_is_refused(running: Running, body: str) -> None:
    for path in ("/movements", "/trouble"):
        assert httpx.post(running.url + path, content=body).status_code == 400, path


def test_it_fails_on_order_and_counts_requests(running: Running) -> None:
    assert httpx.post(f"{running.url}/trouble", json={"mode": "500", "times": 1}).status_code == 200
    statuses = [httpx.get(f"{running.url}/userapi/transactions/list", headers=SEPAY).status_code for _ in range(4)]
    assert statuses == [500, 200, 200, 429], "three in a second"
