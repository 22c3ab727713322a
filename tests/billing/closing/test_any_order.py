"""Whatever the order of postings, reversals, closings and openings: the figures of a closed month never change."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session, select

from billing.closing.deciding import closable, month_end
from billing.errors import Conflict
from billing.ledger.periods import live_closings, opens_on
from billing.ledger.posting import Fact, Line, reverse
from billing.ledger.posting_many import Posted, post_many
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.storage import new_id
from tests.billing.closing.closing_world import NOW, Book

ACTS = ("post", "many", "reverse", "close", "close", "reopen")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTS), st.integers(min_value=-40, max_value=90), st.integers(min_value=1, max_value=10**9)
    ),
    max_size=10,
)
FIRST = date(2025, 8, 20)
_MONTHS = text("""
SELECT date_trunc('month', e.value_date)::date AS month, x.debit_account_id, x.credit_account_id,
       sum(x.amount)::bigint AS amount
FROM journal_entries e JOIN postings x ON x.entry_id = e.id GROUP BY 1, 2, 3
""")
Figures = Mapping[date, Mapping[tuple[int, int], int]]
MANY = bool(os.environ.get("HOCPHI_PROOF"))


class Undone(Exception):  # noqa: N818  it is no error: the example is over
    """Rolls an example back."""


def figures(session: Session) -> Figures:
    found: dict[date, dict[tuple[int, int], int]] = defaultdict(dict)
    for row in session.execute(_MONTHS):
        found[row.month][row.debit_account_id, row.credit_account_id] = row.amount
    return found


def play(book: Book, session: Session, act: str, days: int, dong: int) -> None:
    """Do one thing, on a day that may lie long before or after."""
    day = FIRST + timedelta(days=days)
    fact = Fact(book.school_id, act, str(new_id()), day)
    if act == "post":
        book.post(session, day, dong)
    elif act == "many":
        post_many(session, book.school_id, [Posted(fact, (Line("131", "531", Money(dong)),))], NOW)
    elif act == "reverse":
        keys = session.exec(select(JournalEntry.id).order_by(JournalEntry.id)).all()  # type: ignore[arg-type]  # a column
        with suppress(Conflict):
            reverse(session, keys[dong % len(keys)] or 0, fact, NOW)
    elif act == "close" and (month := closable(session, book.school_id, NOW.date())):
        book.close(session, month)
    elif act == "reopen" and (closings := live_closings(session, book.school_id)):
        book.reopen(session, closings[-1].month)


@settings(max_examples=200 if MANY else 8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_figures_of_a_closed_month_never_change(book: Book, steps: list[tuple[str, int, int]]) -> None:
    with suppress(Undone), book.open() as session:
        for act, days, dong in steps:
            shut, before = opens_on(session, book.school_id), figures(session)
            play(book, session, act, days, dong)
            session.flush()
            after = figures(session)
            still = min(filter(None, (shut, opens_on(session, book.school_id))), default=None)
            for month in {*before, *after}:
                if still and shut and month_end(month) <= still:
                    assert after.get(month) == before.get(month), (month, steps)
        assert book.broken(session) == [], steps
        raise Undone
