"""The parts of an assignment, whatever they are: nothing is lost, nothing is doubled, and the words are right."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.money import Money, total
from reconciliation.queue.pieces import Piece, outcome_of, parts_by_pupil, pays_in_full, pupils_of, refuse_bad_pieces

PUPILS = [UUID(int=number) for number in range(1, 5)]
BILLS = {UUID(int=10 * number + turn): PUPILS[number - 1] for number in range(1, 5) for turn in range(2)}


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    """Return parts over a few pupils' bills and credits, each place once."""
    places = draw(
        st.lists(
            st.sampled_from([*((pupil, bill) for bill, pupil in BILLS.items()), *((pupil, None) for pupil in PUPILS)]),
            min_size=1,
            unique=True,
        )
    )
    return [Piece(pupil, bill, Money(draw(st.integers(1, 10**9)))) for pupil, bill in places]


@given(pieces())
def test_every_dong_reaches_one_pupil(given_pieces: list[Piece]) -> None:
    whole = total(piece.amount for piece in given_pieces)
    refuse_bad_pieces(whole, given_pieces)
    shared = parts_by_pupil(given_pieces)
    assert list(shared) == sorted(pupils_of(given_pieces))
    assert total(amount for amount, _ in shared.values()) == whole
    for pupil, (amount, parts) in shared.items():
        credit = total(piece.amount for piece in given_pieces if piece.pupil_id == pupil and piece.bill_id is None)
        assert total(part.amount for part in parts) + credit == amount
        assert {BILLS[part.bill] for part in parts} <= {pupil}


@given(pieces(), st.integers(1, 10**6))
def test_another_sum_is_refused_and_the_difference_told(given_pieces: list[Piece], off: int) -> None:
    whole = total(piece.amount for piece in given_pieces)
    with pytest.raises(Refused, match="còn thiếu"):
        refuse_bad_pieces(whole + Money(off), given_pieces)
    if whole > Money(off):
        with pytest.raises(Refused, match="thừa"):
            refuse_bad_pieces(whole - Money(off), given_pieces)
    with pytest.raises(Refused, match="một lần"):
        refuse_bad_pieces(whole + given_pieces[0].amount, [*given_pieces, given_pieces[0]])


@given(pieces(), st.data())
def test_the_word_says_what_was_done(given_pieces: list[Piece], data: st.DataObject) -> None:
    more = st.integers(0, 3)
    rests = {
        piece.bill_id: piece.amount + Money(data.draw(more)) for piece in given_pieces if piece.bill_id is not None
    }
    word, full = outcome_of(given_pieces, rests), pays_in_full(given_pieces, rests)
    on_bills = [piece for piece in given_pieces if piece.bill_id is not None]
    assert (word == "split") == (len(pupils_of(given_pieces)) > 1)
    assert (word == "matched") == (full and word != "split")
    assert (word == "credited") == (not on_bills and word != "split")
    if word == "partial":
        assert any(piece.amount < rests[piece.bill_id] for piece in on_bills if piece.bill_id is not None)
    if word == "overpaid":
        assert len(on_bills) < len(given_pieces)
