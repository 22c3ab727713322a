"""SePay's list: the published row, what is refused, and that a full page is asked for again in halves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, ListUnreadable
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.lists import sepay
from reconciliation.lists.base import Ask, halves, whole_days
from reconciliation.lists.sepay import SepayList
from reconciliation.matching import Direction
from tests.reconciliation.lists.samples import SEPAY_ROW, sepay_page

LIST = SepayList()
FIRST = datetime(2025, 10, 4, 17, 0, tzinfo=UTC)
DAY = Ask(FIRST, FIRST + timedelta(hours=24, seconds=-1))


def test_the_published_row_is_read() -> None:
    (read,) = LIST.read_each(sepay_page(SEPAY_ROW))

    assert read == NormalisedTransfer(
        provider="sepay",
        provider_id="49682",
        account="0071000888888",
        direction=Direction.IN,
        amount=Money(18_067_000),
        memo="NGUYEN VAN PHU chuyen tien",
        time=datetime(2025, 10, 6, 1, 0, tzinfo=UTC),
        virtual_account="VCB0011ABC004",
        bank_reference="677760.061025.080001",
    )


@pytest.mark.parametrize(
    ("change", "direction", "dong"),
    [
        ({"amount_in": "0.00", "amount_out": "500000.00"}, Direction.OUT, 500_000),
        ({"amount_in": 650_000, "amount_out": 0}, Direction.IN, 650_000),
        ({"amount_in": "650000"}, Direction.IN, 650_000),
        ({"id": 49682, "sub_account": None}, Direction.IN, 18_067_000),
    ],
)
def test_other_spellings_are_read(change: dict[str, Any], direction: Direction, dong: int) -> None:
    (read,) = LIST.read_each(sepay_page({**SEPAY_ROW, **change}))

    assert isinstance(read, NormalisedTransfer)
    assert (read.direction, read.amount, read.provider_id) == (direction, Money(dong), "49682")


@pytest.mark.parametrize(
    "change",
    [
        {"amount_in": "0.00"}, {"amount_out": "1.00"}, {"amount_in": "1.50"}, {"amount_in": "-5.00"},
        {"amount_in": "1e6"}, {"amount_in": None}, {"amount_in": True}, {"amount_in": 1.0}, {"amount_in": "1,000.00"},
        {"id": "x"}, {"id": ""}, {"id": "0"}, {"id": None}, {"id": True}, {"account_number": ""},
        {"transaction_date": "2025-13-01 08:00:00"}, {"transaction_date": "06/10/2025"}, {"transaction_content": 5},
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_keeps_no_other_out(change: dict[str, Any]) -> None:
    odd, good = LIST.read_each(sepay_page({**SEPAY_ROW, **change}, SEPAY_ROW))

    assert isinstance(odd, CallbackUnreadable)
    assert isinstance(good, NormalisedTransfer)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"  ", b"<html>", b"[]", b"{}", b'{"status": 429}', b'{"status": 200}',
        b'{"status": 200, "transactions": 5}',
        b'{"status": 200, "transactions": [5]}', b'{"status": 200, "status": 200, "transactions": []}',
        b'{"status": 200, "transactions": [' + b" " * 1024 * 1024 + b"]}",
    ],
)  # fmt: skip
def test_what_is_not_the_list_is_refused_whole(body: bytes) -> None:
    with pytest.raises(ListUnreadable):
        LIST.read_each(body)


def test_an_empty_answer_says_that_the_token_may_be_wrong() -> None:
    with pytest.raises(ListUnreadable, match="mã truy cập"):
        LIST.rows(b"")


def test_a_span_is_asked_for_in_vietnamese_time() -> None:
    assert LIST.request("0071000888888", DAY) == (
        "/userapi/transactions/list",
        {
            "account_number": "0071000888888",
            "transaction_date_min": "2025-10-05 00:00:00",
            "transaction_date_max": "2025-10-05 23:59:59",
            "limit": "500",
        },
    )


def test_a_full_page_is_asked_for_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sepay, "LIMIT", 2)
    full, rest = sepay_page(SEPAY_ROW, SEPAY_ROW), sepay_page(SEPAY_ROW)

    assert LIST.more(DAY, rest) == ()
    assert not LIST.cut_short(rest)
    assert LIST.cut_short(full)
    assert LIST.more(DAY, full) == halves(DAY)
    second = Ask(FIRST, FIRST)
    with pytest.raises(ListUnreadable, match="cùng một giây"):
        LIST.more(second, full)


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_halves_cover_every_second_once(seconds: int, wanted: int) -> None:
    span = Ask(FIRST, FIRST + timedelta(seconds=seconds))
    moment = FIRST + timedelta(seconds=wanted % (seconds + 1))
    earlier, later = halves(span)

    assert (earlier.first, later.last) == (span.first, span.last)
    assert (earlier.first <= moment <= earlier.last) != (later.first <= moment <= later.last)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001  the zone is given below
    st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_whole_days_hold_the_span_and_read_the_same_all_day(begin: datetime, long: timedelta) -> None:
    first = begin.replace(tzinfo=UTC)
    span = whole_days(first, first + long)

    assert span.first <= first
    assert first + long < span.last + timedelta(seconds=1)
    assert whole_days(span.first, span.last) == span
