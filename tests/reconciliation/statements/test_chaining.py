"""Balances tell which lines stood on an earlier statement: whatever pieces of a day are brought, each movement once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from billing.storage import new_id
from reconciliation.pairing import told
from reconciliation.statements.chaining import Doubt, Shown, seen_before

DAY = date(2025, 10, 6)
OPENING = 1_000
# A movement of the bank: its sum (below 0: out) and its memo; sums and memos repeat, balances come back.
movements = st.lists(st.tuples(st.sampled_from([70, 50, -70]), st.sampled_from(["hoc phi", "an", ""])), max_size=7)
pieces = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 7)), min_size=1, max_size=4)


def showing(
    moves: Sequence[tuple[int, str]], first: int, end: int, *, words: str = "", number: str | None = None
) -> list[Shown]:
    """Return what a statement of the movements from ``first`` to before ``end`` shows, without a file."""
    balances = list(accumulate((dong for dong, _ in moves), initial=OPENING))
    at = datetime(2025, 10, 6, tzinfo=UTC)
    return [
        Shown(
            None,
            place,
            told(DAY + timedelta(days=place // 4), at, words + moves[place][1], number, booked=True),
            ("in" if moves[place][0] > 0 else "out", Money(abs(moves[place][0]))),
            Money(balances[place]),
        )
        for place in range(first, min(end, len(moves)))
    ]


class Book:
    """The movements that a school's book holds, brought by statements."""

    def __init__(self) -> None:
        self.earlier: list[Shown] = []

    def bring(self, lines: Sequence[Shown]) -> tuple[int, list[Doubt]]:
        """Bring a statement unless it is in doubt; return how many of its lines were new."""
        same, doubts = seen_before(lines, self.earlier)
        if doubts:
            return 0, doubts
        file = new_id()
        for place, line in enumerate(lines):
            known = self.earlier[same[place]].transfer_id if place in same else new_id()
            self.earlier.append(Shown(file, line.row, line.told, line.money, line.before, known))
        return len(lines) - len(same), []

    def holds(self) -> int:
        """Return how many movements it holds."""
        return len({each.transfer_id for each in self.earlier})


@given(moves=movements, cuts=pieces, words=st.sampled_from(["", "TK 123 "]))
def test_any_pieces_in_any_order_and_then_the_whole_leave_each_movement_once(
    moves: list[tuple[int, str]], cuts: list[tuple[int, int]], words: str
) -> None:
    book, shown = Book(), set[int]()
    for turn, (first, length) in enumerate(cuts):
        lines = showing(moves, first, first + length, words=words if turn % 2 else "")
        came, doubts = book.bring(lines)
        fresh = {line.row for line in lines} - shown
        if not doubts:
            shown |= fresh
        # Where a sum goes out and comes in again, balances repeat and equal lines stay open; else all is known.
        if all(dong > 0 for dong, _ in moves):
            assert doubts or came == len(fresh)
    if all(dong > 0 for dong, _ in moves):
        assert book.holds() == len(shown)


@given(moves=movements.filter(bool), split=st.integers(0, 7), words=st.sampled_from(["", "TK 123 "]))
def test_the_whole_after_its_beginning_brings_the_rest(moves: list[tuple[int, str]], split: int, words: str) -> None:
    book = Book()
    book.bring(showing(moves, 0, split))
    came, doubts = book.bring(showing(moves, 0, len(moves), words=words))

    assert doubts == []
    assert (came, book.holds()) == (max(len(moves) - split, 0), len(moves))


@given(moves=movements.filter(lambda moves: all(dong > 0 for dong, _ in moves)), split=st.integers(0, 7))
def test_what_goes_on_where_the_first_ended_is_new_however_equal(moves: list[tuple[int, str]], split: int) -> None:
    book = Book()
    book.bring(showing(moves, 0, split))

    assert book.bring(showing(moves, split, len(moves))) == (max(len(moves) - split, 0), [])
    assert book.holds() == len(moves)


def test_a_balance_that_came_back_is_asked_about_unless_the_banks_number_tells() -> None:
    paid, back = (70, "an"), (-70, "an")
    book = Book()
    book.bring(showing([paid, back], 0, 2))
    again = showing([paid], 0, 1)

    assert book.bring(again)[1] == [Doubt(DAY, (0,))]
    numbered = Book()
    numbered.bring(showing([paid, back], 0, 2, number="FT25279000001"))
    assert numbered.bring(showing([paid], 0, 1, number="FT25279000001")) == (0, [])
    assert numbered.bring(showing([paid], 0, 1, number="FT25279000002")) == (1, [])


def test_equal_lines_whose_balances_never_meet_are_asked_about() -> None:
    book = Book()
    book.bring(showing([(70, "hoc phi")], 0, 1))
    far = showing([(10, ""), (70, "hoc phi"), (50, "an")], 1, 3)

    assert book.bring(far)[1] == [Doubt(DAY, (1,))]
    assert book.bring(far[1:]) == (1, [])


def test_lines_in_another_order_that_begin_in_the_middle_are_asked_about() -> None:
    book = Book()
    book.bring(showing([(50, "mot"), (70, "hai"), (90, "ba")], 0, 3))

    assert book.bring(showing([(50, "mot"), (90, "ba"), (70, "hai")], 1, 3))[1] == [Doubt(DAY, (1, 2))]
    assert book.bring(showing([(70, "hai"), (50, "mot"), (90, "ba")], 0, 3)) == (0, [])
