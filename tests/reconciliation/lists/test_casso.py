"""Casso's list: the published record, what is refused, and paging to the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, ListUnreadable
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.lists.base import Ask
from reconciliation.lists.casso import CassoList
from reconciliation.matching import Direction
from tests.reconciliation.lists.samples import CASSO_ROW, casso_page

LIST = CassoList()
ASK = Ask(datetime(2025, 10, 3, 17, 0, tzinfo=UTC), datetime(2025, 10, 6, 16, 59, 59, tzinfo=UTC))


def test_the_published_record_is_read() -> None:
    (read,) = LIST.read_each(casso_page(CASSO_ROW))

    assert read == NormalisedTransfer(
        provider="casso",
        provider_id="5789",
        account="8007041027107",
        direction=Direction.OUT,
        amount=Money(193_000),
        memo="Nguyen Van Phu chuyen tien",
        time=datetime(2021, 4, 14, 17, 0, tzinfo=UTC),
        bank_reference="TF2104152395814062",
    )


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2021-04-15", datetime(2021, 4, 14, 17, 0, tzinfo=UTC)),
        ("2021-04-15 09:30:00", datetime(2021, 4, 15, 2, 30, tzinfo=UTC)),
        ("2021-04-15T09:30:00", datetime(2021, 4, 15, 2, 30, tzinfo=UTC)),
    ],
)
def test_its_ways_to_write_a_moment(written: str, moment: datetime) -> None:
    (read,) = LIST.read_each(casso_page({**CASSO_ROW, "when": written}))

    assert isinstance(read, NormalisedTransfer)
    assert read.time == moment


def test_the_older_name_of_the_account_is_read_and_a_row_without_one_is_not() -> None:
    older = {name: value for name, value in CASSO_ROW.items() if name != "bankSubAccId"}
    read, without = LIST.read_each(casso_page({**older, "bank_sub_acc_id": "8007041027107"}, older))

    assert isinstance(read, NormalisedTransfer)
    assert read.account == "8007041027107"
    assert isinstance(without, CallbackUnreadable)


@pytest.mark.parametrize(
    "change", [{"amount": 0}, {"amount": "5"}, {"amount": 1.5}, {"id": 0}, {"id": "5"}, {"when": ""}]
)
def test_a_record_that_cannot_be_read_keeps_no_other_out(change: dict[str, Any]) -> None:
    odd, good = LIST.read_each(casso_page({**CASSO_ROW, **change}, CASSO_ROW))

    assert isinstance(odd, CallbackUnreadable)
    assert isinstance(good, NormalisedTransfer)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"error": 401}', b'{"error": 0}', b'{"error": 0, "data": {}}', b'{"error": 0, "data": []}']
)
def test_what_is_not_the_list_is_refused_whole(body: bytes) -> None:
    with pytest.raises(ListUnreadable):
        LIST.read_each(body)


def test_it_is_asked_from_a_vietnamese_day_on_page_by_page() -> None:
    assert LIST.request("1", replace(ASK, page=4)) == (
        "/v2/transactions",
        {"fromDate": "2025-10-04", "page": "4", "pageSize": "100", "sort": "ASC"},
    )


@pytest.mark.parametrize(
    ("page", "rows", "counted", "goes_on"),
    [
        (1, 1, 2, True),
        (2, 1, 2, False),
        (1, 100, None, True),
        (1, 99, None, False),
        (1, 0, 5, False),
        (1, 1, "9", False),
    ],
)
def test_pages_end_where_casso_counts_no_more(page: int, rows: int, counted: object, *, goes_on: bool) -> None:
    ask = replace(ASK, page=page)
    more = LIST.more(ask, casso_page(*[CASSO_ROW] * rows, totalPages=counted))

    assert more == ((replace(ask, page=page + 1),) if goes_on else ())
