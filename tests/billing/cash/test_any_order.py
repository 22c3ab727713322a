"""Whatever is done with cash, in whatever order: account 111 is takings less what was reversed, deposited, missing.

After each step the book is compared with a sum of our own; at the end all invariants of cash are asked.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from billing.cash.counting import agree_count, reject_count
from billing.cash.depositing import take_back_deposit
from billing.cash.handing_over import decide_handover
from billing.cash.tables import CashTaking
from billing.cash.till_tables import CashDeposit
from billing.errors import Conflict, Refused
from tests.billing.cash.cash_world import Till
from tests.billing.cash.test_till import brings, counts, hands

Step: TypeAlias = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take back", "count", "count less", "count more", "bring", "fetch", "hand", "refuse"]),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=8,
)


class Playing:
    """The till beside a sum of our own: what should lie in it."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.should = 0
        self.taken: list[CashTaking] = []
        self.brought: list[CashDeposit] = []

    def play(self, session: Session, step: Step) -> None:
        kind, thousands = step
        with suppress(Refused, Conflict):
            getattr(self, "_" + kind.replace(" ", "_"))(session, thousands * 1_000)

    def _take(self, session: Session, dong: int) -> None:
        self.taken.append(self.till.take(session, self.till.handed(dong, 1 + dong % 2)))
        self.should += dong

    def _take_back(self, session: Session, dong: int) -> None:
        if self.taken:
            taking = self.taken.pop(dong % len(self.taken))
            self.till.take_back(session, taking)
            self.should -= taking.amount.dong

    def _count(self, session: Session, dong: int) -> None:
        del dong
        if self.should >= 0:
            counts(self.till, session, self.should)

    def _count_less(self, session: Session, dong: int) -> None:
        self._differing(session, max(self.should - dong, 0), agree=dong % 2 == 0)

    def _count_more(self, session: Session, dong: int) -> None:
        self._differing(session, max(self.should + dong, 0), agree=dong % 2 == 0)

    def _differing(self, session: Session, found: int, *, agree: bool) -> None:
        if found == self.should:
            return
        count = counts(self.till, session, found, "Chênh lệch")
        if agree:
            agree_count(session, self.till.accountant, self.till.id, count.id, self.till.now)
            self.should = found
        else:
            reject_count(session, self.till.accountant, self.till.id, count.id, "Đếm lại", self.till.now)

    def _bring(self, session: Session, dong: int) -> None:
        self.brought.append(brings(self.till, session, dong))
        self.should -= dong

    def _fetch(self, session: Session, dong: int) -> None:
        if self.brought:
            row = self.brought.pop(dong % len(self.brought))
            take_back_deposit(session, self.till.approver, self.till.id, row.id, "Chưa nộp", self.till.now)
            self.should += row.amount.dong

    def _hand(self, session: Session, dong: int) -> None:
        row = hands(self.till, session)
        accepted = dong % 2 == 0
        reason = "" if accepted else "Đếm lại"
        decide_handover(
            session, self.till.approver, self.till.id, row.id, self.till.now, accepted=accepted, reason=reason
        )

    def _refuse(self, session: Session, dong: int) -> None:
        """Ask for more than there is: nothing happens."""
        with pytest.raises(Refused):
            brings(self.till, session, abs(self.should) + dong + 10**9)


class Undone(Exception):  # noqa: N818  it is no error: the example is over
    """Rolls an example back."""


MANY = bool(os.environ.get("HOCPHI_PROOF"))


@settings(max_examples=200 if MANY else 12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_leaves_in_the_till_what_should_be_there(till: Till, steps: list[Step]) -> None:
    with suppress(Undone), till.school.database.transaction(till.scope) as session:
        playing = Playing(till)
        for step in steps:
            playing.play(session, step)
            session.flush()
            assert till.cash(session) == playing.should, steps
        till.ties_out(session)
        raise Undone
