"""From shares to parts, whatever is open: every đồng is kept, and no bill gets more than its rest by the rule."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money, total
from reconciliation.queue.pieces import Piece
from reconciliation.queue.sharing import (
    AUTO,
    CREDIT,
    OpenBill,
    Share,
    digest_of,
    equal_shares,
    pieces_from,
    shares_of_class,
)

PUPILS = [UUID(int=number) for number in range(1, 5)]
sums = st.integers(1, 10**7).map(Money)


@st.composite
def books(draw: st.DrawFn) -> dict[UUID, list[OpenBill]]:
    """Return a few open bills of a few pupils, here and on another account."""
    return {
        pupil: [
            OpenBill(UUID(int=pupil.int * 100 + turn), f"TB-{turn}", draw(sums), draw(st.booleans()))
            for turn in range(draw(st.integers(0, 3)))
        ]
        for pupil in PUPILS
    }


@st.composite
def shared(draw: st.DrawFn) -> tuple[list[Share], dict[UUID, list[OpenBill]]]:
    """Return shares over them: by the rule, to credit, or to a bill that is named."""
    book = draw(books())
    shares = []
    for pupil in draw(st.lists(st.sampled_from(PUPILS), min_size=1, max_size=6)):
        places = [AUTO, CREDIT, *(str(bill.bill_id) for bill in book[pupil])]
        shares.append(Share(pupil, draw(sums), draw(st.sampled_from(places))))
    return shares, book


@given(shared())
def test_no_dong_is_lost_and_each_stays_with_its_pupil(case: tuple[list[Share], dict[UUID, list[OpenBill]]]) -> None:
    shares, book = case
    pieces = pieces_from(shares, book)
    for pupil in PUPILS:
        wanted = total(share.amount for share in shares if share.pupil_id == pupil)
        assert total(piece.amount for piece in pieces if piece.pupil_id == pupil) == wanted
    assert len({(piece.pupil_id, piece.bill_id) for piece in pieces}) == len(pieces)
    assert all(piece.amount > ZERO for piece in pieces)
    assert digest_of(pieces) == digest_of(pieces[::-1])


@given(books(), sums, st.sampled_from(PUPILS))
def test_by_the_rule_bills_of_here_are_filled_oldest_first_and_the_rest_is_credit(
    book: dict[UUID, list[OpenBill]], amount: Money, pupil: UUID
) -> None:
    pieces = pieces_from([Share(pupil, amount)], book)
    here = [bill for bill in book[pupil] if bill.here]
    just = [bill for bill in here if bill.rest == amount]
    if len(just) == 1:
        assert pieces == [Piece(pupil, just[0].bill_id, amount)]
        return
    put = {piece.bill_id: piece.amount for piece in pieces}
    for bill, before in zip(here, [None, *here], strict=False):
        assert put.get(bill.bill_id, ZERO) <= bill.rest
        if bill.bill_id in put and before is not None:
            assert put[before.bill_id] == before.rest, "an older one is filled before"
    if None in put:
        assert all(put.get(bill.bill_id) == bill.rest for bill in here)


@given(books(), sums, st.lists(st.sampled_from(PUPILS), min_size=1, unique=True))
def test_a_class_gets_what_is_open_or_equal_shares(
    book: dict[UUID, list[OpenBill]], amount: Money, pupils: list[UUID]
) -> None:
    shares = shares_of_class(pupils, book, amount)
    assert [share.pupil_id for share in shares] == pupils
    rests = [total(bill.rest for bill in book[pupil] if bill.here) for pupil in pupils]
    if any(rests):
        assert [share.amount for share in shares] == rests
    else:
        assert shares == equal_shares(pupils, amount)
    equal = equal_shares(pupils, amount)
    assert total(share.amount for share in equal) == amount
    assert max(share.amount for share in equal) - min(share.amount for share in equal) <= Money(1)


def test_nobody_shares_nothing() -> None:
    assert equal_shares([], Money(5)) == []
