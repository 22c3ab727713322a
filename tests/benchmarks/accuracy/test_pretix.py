"""The peer first passes the cases that its own makers publish, in our words; only then is it worth comparing with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import pretix
from benchmarks.accuracy.pretix import Importer, Order, amount_of

CASES = json.loads(Path(pretix.__file__).with_name("pretix_cases.json").read_text(encoding="utf-8"))


def importer(case: dict[str, Any]) -> Importer:
    orders = [
        Order(event["prefix"], code, due, status)
        for event in (case, case.get("more", {"prefix": "", "orders": {}}))
        for code, (due, status) in event["orders"].items()
    ]
    return Importer(orders, case.get("invoices"), at_event=case.get("level") != "organiser")


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_a_published_case(case: dict[str, Any]) -> None:
    result = importer(case).book(case["memo"], amount_of(case["amount"]))

    assert (result.outcome, dict(result.booked)) == (case["outcome"], case["booked"])


def test_a_paid_order_is_a_duplicate_and_a_cancelled_one_an_error() -> None:
    found = Importer([Order("K", "AAAAA", 5, "paid"), Order("K", "BBBBB", 5, "cancelled"), Order("K", "CCCCC", 5)])

    assert found.book("KAAAAA KCCCCC", 10).outcome == "duplicate"
    assert found.book("KBBBBB", 5).outcome == "error"
    assert found.book("KCCCCC", 4).booked == {"CCCCC": 4}


def test_several_orders_are_split_by_their_exact_sum_only() -> None:
    found = Importer([Order("K", "AAAAA", 300), Order("K", "CCCCC", 500)])

    assert found.book("K-AAAAA, K-CCCCC", 800).booked == {"AAAAA": 300, "CCCCC": 500}
    assert found.book("K-AAAAA, K-CCCCC", 801).outcome == "unmatched"


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [("23.00", 2300), ("1.234,56", 123456), ("1,234.56", 123456), ("23,5", 2350), ("EUR 7", 700), ("", 0), ("-", 0)],
)
def test_an_amount_is_read_as_published(text: str, hundredths: int) -> None:
    assert amount_of(text) == hundredths
