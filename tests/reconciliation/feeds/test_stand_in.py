"""Tests of the stand-in bank: it must behave like the real one, or everything proven with it proves nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from billing.money import Money
from reconciliation.feeds.sepay import API_KEY, HMAC, SepayFeed
from reconciliation.feeds.stand_in import Door, Movement, Payment, Postman, StandInBank, as_it_really_comes
from reconciliation.matching import Direction
from tests.reconciliation.feeds.sepay_published import DOCUMENTED

ACCOUNT = "0123456789"
NOW = datetime(2025, 9, 8, 3, tzinfo=UTC)
SUCCESS = httpx.Response(200, json={"success": True})


@pytest.fixture
def bank() -> StandInBank:
    return StandInBank({ACCOUNT: "Trường Tiểu học An Bình"}, Random(1))  # noqa: S311  chance, not secrecy


def paid(bank: StandInBank, dong: int = 650_000, **more: object) -> Movement:
    payment = {"account": ACCOUNT, "amount": Money(dong), "at": NOW, "memo": "FW2K7M4Q9XA", **more}
    return bank.book(Payment(**payment))  # type: ignore[arg-type]  # a test's short hand


class Receiver:
    """A door that answers as told, and remembers what came and when."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError]) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.now = NOW

    def postman(self, minute_seconds: float = 60.0) -> Postman:
        client = httpx.Client(transport=httpx.MockTransport(self._answer))
        return Postman(client, lambda: self.now, self._pause, minute_seconds)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, type):
            raise answer("no connection")
        return httpx.Response(answer.status_code, content=answer.content)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)


def test_a_callback_has_the_published_fields_and_is_read_back(bank: StandInBank) -> None:
    movement = paid(bank, virtual_account="V3CASLRPR13MT76")
    body = bank.callback(movement)

    assert json.loads(body).keys() == DOCUMENTED.keys()
    (transfer,) = SepayFeed(API_KEY, ["k"]).read(body)
    assert (transfer.provider_id, transfer.amount, transfer.time) == ("92704", Money(650_000), NOW)
    assert (transfer.account, transfer.virtual_account) == (ACCOUNT, "V3CASLRPR13MT76")
    assert (transfer.memo, transfer.bank_reference) == (movement.memo, movement.bank_reference)


def test_balances_run_and_ids_are_new(bank: StandInBank) -> None:
    bank.open_account(ACCOUNT, Money(1_000_000))
    booked = [paid(bank), paid(bank, 50_000, direction=Direction.OUT), paid(bank)]

    assert [one.balance.dong for one in booked] == [1_650_000, 1_600_000, 2_250_000]
    assert len({one.id for one in booked}) == len({one.bank_reference for one in booked}) == 3
    with pytest.raises(ValueError, match="movements already"):
        bank.open_account(ACCOUNT, Money(0))


def test_the_same_chance_gives_the_same_bytes() -> None:
    def bodies() -> list[bytes]:
        bank = StandInBank({ACCOUNT: "Trường"}, Random(5))  # noqa: S311  as above
        return [bank.callback(paid(bank, route=route)) for route in ("from MoMo", "from Vietcombank")]

    assert bodies() == bodies()


@pytest.mark.parametrize("scheme", [API_KEY, HMAC])
def test_what_is_posted_verifies(bank: StandInBank, scheme: str) -> None:
    receiver = Receiver(SUCCESS)
    body = bank.callback(paid(bank))
    delivery = receiver.postman().deliver(1, body, Door("http://door/x", scheme, "secret"))

    (request,) = receiver.requests
    SepayFeed(scheme, ["secret"]).verify(request.content, dict(request.headers), NOW)
    assert (delivery.tries, delivery.taken) == (1, True)
    assert request.content == body


NOT_TAKEN: list[Callable[[], httpx.Response | type[httpx.TransportError]]] = [
    lambda: httpx.ConnectError,
    lambda: httpx.ReadTimeout,
    lambda: httpx.Response(500, json={"success": True}),
    lambda: httpx.Response(202, json={"success": True}),
    lambda: httpx.Response(200, json={"success": False}),
    lambda: httpx.Response(200, json=[]),
    lambda: httpx.Response(200, text="OK"),
]


@pytest.mark.parametrize("answer", NOT_TAKEN)
def test_it_tries_again_until_taken(answer: Callable[[], httpx.Response | type[httpx.TransportError]]) -> None:
    receiver = Receiver(answer(), answer(), httpx.Response(201, json={"success": True}))
    delivery = receiver.postman().deliver(7, b"{}", Door("http://door/x", HMAC, "secret"))

    assert (delivery.movement_id, delivery.tries, delivery.taken) == (7, 3, True)
    assert receiver.pauses == [60, 60]


def test_it_gives_up_after_eight_tries_in_33_minutes_each_signed_anew() -> None:
    receiver = Receiver(httpx.Response(500))
    delivery = receiver.postman().deliver(7, b"{}", Door("http://door/x", HMAC, "secret"))

    assert (delivery.tries, delivery.taken) == (8, False)
    assert receiver.pauses == [minutes * 60 for minutes in (1, 1, 2, 3, 5, 8, 13)]
    assert len({request.headers["X-SePay-Timestamp"] for request in receiver.requests}) == 8
    assert {request.content for request in receiver.requests} == {b"{}"}


def test_time_can_be_made_to_pass_faster() -> None:
    receiver = Receiver(httpx.Response(500))
    receiver.postman(minute_seconds=0.1).deliver(7, b"{}", Door("http://door/x", API_KEY, "secret"))

    assert sum(receiver.pauses) == pytest.approx(3.3)


def test_a_door_needs_a_scheme_that_sepay_has() -> None:
    with pytest.raises(ValueError, match="SePay signs"):
        Door("http://door/x", "none", "secret")


def test_callbacks_come_twice_and_out_of_order_but_all_come(bank: StandInBank) -> None:
    movements = [paid(bank) for _ in range(300)]
    come = as_it_really_comes(movements, Random(3), again=0.1, drift=5)  # noqa: S311  as above

    counts = Counter(one.id for one in come)
    assert counts.keys() == {one.id for one in movements}
    assert 10 < len(come) - len(movements) < 60
    firsts = list(dict.fromkeys(one.id for one in come))
    assert firsts != sorted(firsts)
    assert all(abs(place - (number - movements[0].id)) <= 5 for place, number in enumerate(firsts))
