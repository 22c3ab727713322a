"""The desk of the pages of the till, on rows."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from billing.audit.recording import Deed, record_deed
from billing.cash import counting, depositing, handing_over
from billing.cash.counting import Counted
from billing.cash.denominations import DENOMINATIONS, MOST_NOTES, counted
from billing.cash.depositing import Brought
from billing.cash.handing_over import Handing
from billing.cash.keeping import may_keep
from billing.cash.till_tables import CashCount
from billing.documents.handover_pdf import handover_pdf
from billing.errors import Refused
from billing.money import Money
from billing.storage import new_id
from reconciliation.depositing import tying
from service.access.roles import Actor, Place, SignedIn
from service.pages import till_rows
from service.pages.till_filling_binding import FillingRows
from service.pages.till_views import (
    DepositsPage,
    HandoversPage,
    LookedCount,
    TillPage,
    TypedCount,
    TypedDeposit,
    TypedHandover,
)
from service.pages.typed import read_id, read_money, school_day
from service.pages.views import Download

_MOST_DAYS = 31  # named on the page


class TillRows(FillingRows):
    """Counts, deposits and hand-overs, answered from rows."""

    def till(self, who: SignedIn, place: Place, typed: TypedCount, now: datetime) -> TillPage:
        """Return the till, and what the typed notes come to."""
        session = self._within(place)
        balance = counting.balance_of(session, place.id)
        looked = None
        if any(each.strip() for each in typed.notes):
            found = counted(_notes(typed.notes))
            looked = LookedCount(found, found - balance, typed.form or str(new_id()))
        shown = [*typed.notes, *[""] * len(DENOMINATIONS)][: len(DENOMINATIONS)]
        sheet = till_rows.sheet_of(session, place.id, CashCount, typed.number)
        return TillPage(
            balance=balance,
            notes=tuple(zip(DENOMINATIONS, shown, strict=True)),
            looked=looked,
            rows=till_rows.count_rows(session, place.id, who.user_id, sheet),
            waits=counting.open_count(session, place.id) is not None,
            uncounted=counting.uncounted_days(session, place.id, school_day(now))[:_MOST_DAYS],
            keeps=may_keep(session, place.id, who.user_id, now),
            sheet=sheet,
        )

    def count_till(self, who: SignedIn, place: Place, typed: TypedCount, now: datetime) -> None:
        """Store a count once."""
        count = Counted(
            notes=_notes(typed.notes), book=_book(typed.book), reason=typed.reason, form=read_id(typed.form)
        )
        counting.count_till(self._within(place), self._keeps(who, place), place.id, count, now)

    def decide_count(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, count_id: UUID, reason: str, now: datetime, *, agreed: bool
    ) -> None:
        """Agree to a difference or not."""
        session, actor = self._within(place), self._looks(who, place)
        if agreed:
            counting.agree_count(session, actor, place.id, count_id, now)
        else:
            counting.reject_count(session, actor, place.id, count_id, reason, now)

    def deposits(self, who: SignedIn, place: Place, number: int, now: datetime) -> DepositsPage:
        """Return the deposits."""
        return till_rows.deposits_page(self._within(place), place.id, who.user_id, number, now)

    def deposit_cash(self, who: SignedIn, place: Place, typed: TypedDeposit, now: datetime) -> None:
        """Store a deposit once."""
        brought = Brought(
            account_id=read_id(typed.account),
            amount=read_money(typed.amount),
            slip=typed.slip,
            form=read_id(typed.form),
        )
        depositing.deposit_cash(self._within(place), self._keeps(who, place), place.id, brought, now)

    def tie_deposit(self, who: SignedIn, place: Place, deposit_id: UUID, transfer: str, now: datetime) -> None:
        """Say which money in a deposit is."""
        actor = self._actor(who, Actor.ACCOUNTANT)
        tying.tie_deposit(self._within(place), actor, place.id, deposit_id, read_id(transfer), now)

    def untie_deposit(self, who: SignedIn, place: Place, deposit_id: UUID, reason: str, now: datetime) -> None:
        """Take a tie back."""
        tying.untie_deposit(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, deposit_id, reason, now)

    def take_back_deposit(self, who: SignedIn, place: Place, deposit_id: UUID, reason: str, now: datetime) -> None:
        """Put a deposit back into the till."""
        session = self._within(place)
        tying.refuse_tied_deposit(session, place.id, deposit_id)
        depositing.take_back_deposit(session, self._looks(who, place), place.id, deposit_id, reason, now)

    def handovers(self, who: SignedIn, place: Place, number: int, now: datetime) -> HandoversPage:
        """Return the hand-overs."""
        return till_rows.handovers_page(self._within(place), place.id, who.user_id, number, now)

    def hand_over(self, who: SignedIn, place: Place, typed: TypedHandover, now: datetime) -> None:
        """Store a hand-over once."""
        session = self._within(place)
        handing = Handing(receiver=read_id(typed.receiver), note=typed.note, form=read_id(typed.form))
        handing_over.hand_over(session, self._keeps(who, place), place.id, handing, now)

    def decide_handover(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, handover_id: UUID, reason: str, now: datetime, *, accepted: bool
    ) -> None:
        """Accept, refuse or end a hand-over."""
        session, actor = self._within(place), self._looks(who, place)
        handing_over.decide_handover(session, actor, place.id, handover_id, now, accepted=accepted, reason=reason)

    def handover_record(self, who: SignedIn, place: Place, handover_id: UUID, now: datetime) -> Download:
        """Return the record of a hand-over as PDF, and record who opened it: it names pupils."""
        session = self._within(place)
        document = till_rows.handover_document(session, place.id, handover_id)
        deed = Deed(place.id, "cash.open_handover", "cash_handover", str(handover_id))
        record_deed(session, self._looks(who, place), deed, now)
        return Download(handover_pdf(document), "application/pdf", f"Bàn giao quỹ số {document.number}.pdf")


def _notes(typed: tuple[str, ...]) -> dict[int, int]:
    """Return how many notes of each face value were typed, the largest first; raises ``Refused`` for no number."""
    found = {}
    for face, words in zip(DENOMINATIONS, typed, strict=False):
        bare = words.strip().replace(".", "")
        if bare and not (bare.isascii() and bare.isdigit() and int(bare) <= MOST_NOTES):
            raise Refused(f"“{words.strip()}” không phải số tờ {Money(face)}. Hãy ghi số tờ, ví dụ 12.")
        found[face] = int(bare or 0)
    return found


def _book(typed: str) -> Money:
    """Return the balance that stood on the page; it may be below 0 đ. Raises ``Refused`` for no number of ours."""
    bare = typed.strip()
    if not re.fullmatch(r"-?[0-9]{1,15}", bare):
        raise Refused("Trang kiểm quỹ này không còn đúng. Xin tải lại rồi kiểm lại.")
    return Money(int(bare))
