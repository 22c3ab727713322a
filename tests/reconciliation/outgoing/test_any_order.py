"""Purposes written and taken back in any order: 1388 always holds what is unexplained, and every invariant holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from random import Random
from uuid import UUID

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from billing.errors import Conflict, Refused
from billing.money import Money
from reconciliation.outgoing.classifying import Purpose
from reconciliation.outgoing.kinds import TIE_KINDS
from reconciliation.outgoing.reading import open_out, waiting_for_money
from tests.billing.insurance.insurance_world import FAMILY
from tests.reconciliation.outgoing.outgoing_world import Spending

_number = count(1)
DEEDS = ("out", "leg", "payout", "fee", "purchase", "tie", "back", "back")


@dataclass
class Play:
    """What was done so far."""

    spending: Spending
    chance: Random
    live: list[UUID] = field(default_factory=list)

    def do(self, session: Session, deed: str) -> None:
        getattr(self, f"_{deed}")(session)

    def _out(self, session: Session) -> None:
        self.spending.books(session, self.chance.choice([FAMILY.dong, 30_000, 100_000]))

    def _leg(self, session: Session) -> None:
        self.spending.books(
            session, self.chance.choice([30_000, 100_000]), account=self.spending.treasury, incoming=True
        )

    def _payout(self, session: Session) -> None:
        try:
            self.spending.payout(session, FAMILY, f"UNC {next(_number)}")
        except Refused:
            return  # nothing is held for the insurer any more

    def _fee(self, session: Session) -> None:
        self._typed(session, Purpose("fee", Money(10_000)))

    def _purchase(self, session: Session) -> None:
        self._typed(session, Purpose("purchase", Money(20_000), item_code="TIENAN", document="HD 1"))

    def _typed(self, session: Session, purpose: Purpose) -> None:
        left = open_out(session, self.spending.id)
        if left:
            try:
                made = self.spending.classify(session, self.chance.choice(left).transfer.id, purpose)
            except Refused:
                return  # less was left
            self.live += [row.id for row in made]

    def _tie(self, session: Session) -> None:
        left, waiting = open_out(session, self.spending.id), waiting_for_money(session, self.spending.id)
        if left and waiting:
            what = self.chance.choice(waiting)
            purpose = Purpose(TIE_KINDS[what.tie], tie=what.tie, tied_id=UUID(what.id))
            try:
                made = self.spending.classify(session, self.chance.choice(left).transfer.id, purpose)
            except (Refused, Conflict):
                return  # another sum, or the same account
            self.live += [row.id for row in made]

    def _back(self, session: Session) -> None:
        if self.live:
            self.spending.take_back(session, self.live.pop(self.chance.randrange(len(self.live))))


def test_1388_holds_what_is_unexplained_after_any_deeds(spending: Spending) -> None:
    @settings(max_examples=4, phases=(Phase.explicit, Phase.generate))
    @given(st.lists(st.sampled_from(DEEDS), min_size=8, max_size=20), st.integers(0, 1_000))
    def play(deeds: list[str], seed: int) -> None:
        done = Play(spending, Random(seed))  # noqa: S311  chance, not secrecy
        with spending.open() as session:  # ends with all invariants
            for deed in deeds:
                done.do(session, deed)
                spending.clearing_is_what_is_unknown(session)
        with spending.open() as session:
            for purpose in done.live:
                spending.take_back(session, purpose)
            spending.clearing_is_what_is_unknown(session)

    play()
