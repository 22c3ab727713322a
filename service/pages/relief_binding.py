"""The desk of the pages of relief, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing.errors import Refused
from billing.payments import relieving
from billing.payments.relieving import MoreTime, NoLonger
from billing.plans.papers import read_paper
from service.access.roles import Actor, Place, SignedIn
from service.pages import relief_rows
from service.pages.relief_views import ReliefList, ReliefPupil, TypedGrace, TypedWriteOff
from service.pages.typed import read_day, read_id, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin


class ReliefRows(RowsWithin):
    """More time, and sums no longer asked for, answered from rows."""

    def reliefs(self, who: SignedIn, place: Place, words: str, now: datetime) -> ReliefList:
        """Return the pupils that the words find, and what was asked for."""
        del now
        return relief_rows.relief_list(self._within(place), place.id, words, who.user_id)

    def relief_pupil(self, who: SignedIn, place: Place, pupil_id: UUID, now: datetime) -> ReliefPupil:
        """Return one pupil with what is open."""
        return relief_rows.relief_pupil(self._within(place), place.id, pupil_id, who.user_id, school_day(now))

    def ask_grace(self, who: SignedIn, place: Place, typed: TypedGrace, now: datetime) -> None:
        """Ask for more time."""
        parts, until = relief_rows.read_parts(typed.parts), read_day(typed.until)
        if until is None:
            raise Refused("Hãy chọn ngày gia hạn đến.")
        bill = read_id(typed.bill_id) if typed.bill_id else None
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        relieving.ask_grace(session, actor, place.id, MoreTime(typed.pupil_id, bill, until, typed.reason, parts), now)

    def ask_write_off(self, who: SignedIn, place: Place, typed: TypedWriteOff, now: datetime) -> None:
        """Ask for an open rest not to be asked for any more."""
        decided = read_day(typed.decided_on)
        if decided is None or not typed.bill_id:
            raise Refused("Hãy chọn thông báo thu và ghi ngày quyết định.")
        paper = read_paper(typed.file_name, typed.content)
        wanted = NoLonger(read_id(typed.bill_id), typed.number, decided, typed.reason, paper)
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        relieving.ask_write_off(session, actor, place.id, wanted, now)

    def approve_relief(self, who: SignedIn, place: Place, relief_id: UUID, now: datetime) -> None:
        """Approve."""
        actor = self._actor(who, Actor.APPROVER)
        relieving.approve_relief(self._within(place), actor, place.id, relief_id, now)

    def refuse_relief(self, who: SignedIn, place: Place, relief_id: UUID, reason: str, now: datetime) -> None:
        """Say no, or take one's own back."""
        relieving.refuse_relief(self._within(place), self._looks(who, place), place.id, relief_id, reason, now)

    def end_relief(self, who: SignedIn, place: Place, relief_id: UUID, reason: str, now: datetime) -> None:
        """Lift a grace, or reverse a write-off."""
        actor = self._actor(who, Actor.APPROVER)
        relieving.end_relief(self._within(place), actor, place.id, relief_id, reason, now)

    def relief_paper(self, who: SignedIn, place: Place, paper_id: UUID, now: datetime) -> Download:
        """Return the file of a decision, and record who opened it."""
        paper = relieving.open_paper(self._within(place), self._looks(who, place), place.id, paper_id, now)
        return Download(paper.content, paper.media_type, paper.name)
