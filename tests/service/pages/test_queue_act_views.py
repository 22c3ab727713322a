"""What stands out of an act: whatever the parts are, what is shown first sums to them and each line stands once."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money, total
from reconciliation.queue.pieces import Piece
from reconciliation.queue.sharing import OpenBill
from service.pages.queue_act_views import FEW, ODD, ActRow, Oddity, PaidRow, by_class, odd_lines, oddity

PUPIL, BILL, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
OPEN = [OpenBill(BILL, "TB-1", Money(650_000)), OpenBill(OTHER, "TB-2", Money(100_000), here=False)]


def kind(*pieces: tuple[UUID | None, int], bills: list[OpenBill] = OPEN) -> str:
    """Return how the first of a pupil's parts stands out."""
    own = [Piece(PUPIL, bill, Money(dong)) for bill, dong in pieces]
    found = oddity(own[0], own, bills)
    return found.kind if found else ""


@pytest.mark.parametrize(
    ("pieces", "how"),
    [
        ([(BILL, 650_000)], ""),
        ([(BILL, 650_000), (None, 5_000)], ""),
        ([(None, 5_000), (BILL, 650_000)], "credit"),
        ([(BILL, 649_999)], "part"),
        ([(BILL, 650_001)], "over"),
        ([(UUID(int=9), 1)], "over"),
        ([(OTHER, 100_000)], "elsewhere"),
    ],
)
def test_a_line_stands_out_unless_it_pays_all_that_is_owed_here(
    pieces: list[tuple[UUID | None, int]], how: str
) -> None:
    assert kind(*pieces) == how


def test_a_pupil_who_owes_more_than_it_gets_stands_out_though_its_bill_is_paid_in_full() -> None:
    more = [*OPEN, OpenBill(UUID(int=4), "TB-3", Money(70_000))]
    assert kind((BILL, 650_000), bills=more) == "rest"
    assert kind((BILL, 650_000), (UUID(int=4), 70_000), bills=more) == ""
    assert kind((None, 650_000), bills=more) == "credit"


rows = st.lists(
    st.builds(
        PaidRow,
        st.just("Điểu Bảo"),
        st.sampled_from(["", "1A", "2A", "10A"]),
        st.integers(1, 10**9).map(Money),
        st.just(""),
        st.just(("TB-1",)),
        st.sampled_from("abcd"),
        st.none() | st.builds(Oddity, st.sampled_from(sorted(ODD)), st.integers(1, 10**9).map(Money)),
    ),
    max_size=12,
).map(tuple)


@given(rows)
def test_classes_hold_each_line_once_and_sum_to_all(parts: tuple[PaidRow, ...]) -> None:
    groups = by_class(parts)
    assert sorted(map(repr, parts)) == sorted(repr(row) for group in groups for row in group.rows)
    assert total(group.amount for group in groups) == total(row.amount for row in parts)
    assert [group.key for group in groups] == [
        name for name in ("", "1A", "2A", "10A") if name in {r.class_name for r in parts}
    ]
    act = ActRow("", "assign", "", "", Money(1), "", "", "", datetime(2025, 10, 6, tzinfo=UTC), parts, mine=False)
    assert act.given == total(row.amount for row in parts)
    assert act.classes == (groups if len(parts) > FEW else ())


@given(rows)
def test_what_stands_out_is_told_once_and_the_gravest_first(parts: tuple[PaidRow, ...]) -> None:
    groups = odd_lines(parts)
    assert sum(len(group.rows) for group in groups) == sum(row.odd is not None for row in parts)
    assert total(group.amount for group in groups) == total(row.odd.amount for row in parts if row.odd)
    assert [group.key for group in groups] == [key for key in ODD if key in {group.key for group in groups}]
