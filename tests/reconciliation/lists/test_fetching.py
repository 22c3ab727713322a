"""The contract of the client with both lists, on a stand-in that behaves like the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from billing.money import Money
from reconciliation.errors import ListUnreadable, ProviderAway
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.feeds.stand_in import Movement, Payment, StandInBank
from reconciliation.lists import fetching
from reconciliation.lists.base import Ask, ListReader
from reconciliation.lists.casso import CassoList
from reconciliation.lists.fetching import LONGEST_PAUSE, PAUSES, Asked, Fetcher
from reconciliation.lists.sepay import SepayList
from service.standins import bank_list
from service.standins.bank_list import ListBank
from service.standins.serving import Running

AT = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
ACCOUNT = "0123499999"
SPAN = Ask(AT - timedelta(days=1), AT + timedelta(days=1))
TOKEN = "mot-ma-truy-cap"  # noqa: S105  an invented one


@pytest.fixture
def bank() -> ListBank:
    return ListBank(TOKEN, a_second=1_000)


@pytest.fixture
def running(bank: ListBank) -> Iterator[Running]:
    started = bank_list.start(bank)
    yield started
    started.stop()


@pytest.fixture(params=[SepayList(), CassoList()], ids=["sepay", "casso"])
def asked(request: pytest.FixtureRequest, running: Running) -> Asked:
    reader: ListReader = request.param
    return Asked(reader, running.url, ACCOUNT, TOKEN)


@pytest.fixture
def paused() -> list[float]:
    return []


@pytest.fixture
def fetcher(paused: list[float]) -> Iterator[Fetcher]:
    with httpx.Client(timeout=5) as client:
        yield Fetcher(client, paused.append, lambda: 0.0)


def movements(count: int) -> list[Movement]:
    real = StandInBank({ACCOUNT: "Trường Hoa Sen"}, Random(3))  # noqa: S311  chance, not secrecy
    return [real.book(Payment(account=ACCOUNT, amount=Money(1_000 + n), at=AT)) for n in range(count)]


def test_a_page_is_fetched_and_read(bank: ListBank, asked: Asked, fetcher: Fetcher) -> None:
    told = movements(3)
    bank.tell(*told)
    read = asked.reader.read_each(fetcher.page(asked, SPAN))

    found = {each.provider_id: each for each in read if isinstance(each, NormalisedTransfer)}
    assert set(found) == {str(each.id) for each in told}
    for each in told:
        row = found[str(each.id)]
        assert (row.amount, row.direction, row.account, row.memo) == (each.amount, each.direction, ACCOUNT, each.memo)
        assert (row.bank_reference, row.time, row.virtual_account) == (each.bank_reference, each.at, None)


def test_a_wrong_token_is_said_and_not_tried_again(
    asked: Asked, fetcher: Fetcher, paused: list[float], running: Running
) -> None:
    wrong = Asked(asked.reader, running.url, ACCOUNT, "another")
    with pytest.raises(ListUnreadable, match="mã truy cập"):
        asked.reader.read_each(fetcher.page(wrong, SPAN))
    assert paused == []
    assert "another" not in repr(wrong)


@pytest.mark.parametrize("trouble", ["500", "429"])
def test_a_provider_that_fails_for_a_while_is_asked_again(
    bank: ListBank, asked: Asked, fetcher: Fetcher, paused: list[float], trouble: str
) -> None:
    bank.trouble.order(trouble, 2)
    assert asked.reader.read_each(fetcher.page(asked, SPAN)) == ()
    assert paused == [2.0 if trouble == "429" else PAUSES[0], PAUSES[1]], "at least as long as it wishes"

    bank.trouble.order(trouble, 3)
    with pytest.raises(ProviderAway):
        fetcher.page(asked, SPAN)


@pytest.mark.parametrize("trouble", ["garbage", "too-long", "moved"])
def test_an_answer_that_is_no_list_is_refused_at_once(
    bank: ListBank, asked: Asked, fetcher: Fetcher, paused: list[float], trouble: str
) -> None:
    bank.trouble.order(trouble, 1)
    with pytest.raises(ListUnreadable):
        asked.reader.read_each(fetcher.page(asked, SPAN))
    assert paused == []
    assert len(bank.asked) == 1


def test_silence_and_an_address_that_is_not_there_are_the_provider_being_away(
    bank: ListBank, asked: Asked, paused: list[float]
) -> None:
    bank.trouble.order("silence", 3)
    with httpx.Client(timeout=0.05) as client, pytest.raises(ProviderAway):
        Fetcher(client, paused.append, lambda: 0.0).page(asked, SPAN)
    nowhere = Asked(asked.reader, "http://127.0.0.1:1", ACCOUNT, TOKEN)
    with httpx.Client(timeout=0.05) as client, pytest.raises(ProviderAway):
        Fetcher(client, paused.append, lambda: 0.0).page(nowhere, SPAN)
    assert paused == [*PAUSES, *PAUSES]


def test_a_page_that_drips_is_given_up(bank: ListBank, asked: Asked) -> None:
    bank.tell(*movements(5))
    clock = iter((0.0, fetching.WHOLE_PAGE_SECONDS + 1, 100.0, 200.0))
    with httpx.Client(timeout=5) as client, pytest.raises(ProviderAway, match="quá chậm"):
        Fetcher(client, lambda _: None, lambda: next(clock)).page(asked, SPAN)


@pytest.mark.parametrize(
    ("told", "waited"), [("7", 7.0), ("99999", LONGEST_PAUSE), ("soon", 1.0), ("-5", 1.0), ("", 1.0)]
)
def test_the_wish_to_wait_is_heard_within_reason(paused: list[float], told: str, waited: float) -> None:
    answers = iter([httpx.Response(429, headers={"x-sepay-userapi-retry-after": told}), httpx.Response(200)])
    with httpx.Client(transport=httpx.MockTransport(lambda _: next(answers))) as client:
        fetcher = Fetcher(client, paused.append, lambda: 0.0)
        assert fetcher.page(Asked(SepayList(), "https://sepay.example", ACCOUNT, TOKEN), SPAN) == b""
    assert paused == [waited]


def test_sepay_is_asked_three_times_a_second_at_most(running: Running, bank: ListBank, fetcher: Fetcher) -> None:
    bank.a_second, bank.seconds = 3, lambda: 5.0
    asked = Asked(SepayList(), running.url, ACCOUNT, TOKEN)
    for _ in range(3):
        fetcher.page(asked, SPAN)
    with pytest.raises(ProviderAway):
        fetcher.page(asked, SPAN)
