"""The desk of the pages of rounds on rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import IO
from uuid import UUID

from billing.audit.recording import Actor as DeedActor
from billing.people.tables import School
from billing.rounds.alerting import set_alert
from billing.rounds.approving import withdraw_round
from billing.rounds.correcting import approve_correction, find_correction, reject_correction
from billing.rounds.locking import lock_round, unlock_round
from billing.rounds.tables import BillingRound
from service.access import staff
from service.access.roles import Actor, Place, SignedIn
from service.access.staff import Noted
from service.jobs import printing
from service.pages import correction_rows, new_round_rows, round_more_rows, round_pupil_rows, slip_rows, start_rows
from service.pages.round_rows import round_of
from service.pages.round_views import (
    CorrectionPage,
    CorrectionRow,
    NewRound,
    NoticesPage,
    PupilCharges,
    RoundMore,
    RoundPupils,
    SlipsPage,
    StartStep,
    TypedCorrection,
    TypedRound,
)
from service.pages.typed import school_day
from service.pages.views import Download
from service.pages.within import RowsWithin
from service.papers.class_slips import Press
from service.papers.round_prints import ask_print, open_print


class RoundRows(RowsWithin):
    """Rounds from the form to the lock, their paper and their corrections, answered from rows."""

    def _round(self, place: Place, round_id: UUID) -> BillingRound:
        return round_of(self._within(place), place.id, round_id)

    def _acting(self, who: SignedIn, place: Place) -> DeedActor:
        """Return who acts, in the first of the roles held here that may."""
        ranked = (Actor.APPROVER, Actor.ACCOUNTANT, Actor.AUDITOR)
        role = next(role for role in ranked if role in who.roles_in(place))
        return self._actor(who, role)

    def start_steps(self, who: SignedIn, place: Place, now: datetime) -> tuple[StartStep, ...]:
        """Return where the school stands on its way to a round."""
        del who
        return start_rows.start_steps(self._within(place), place.id, school_day(now))

    def round_alert(self, who: SignedIn, place: Place) -> int:
        """Return the percentage above which a change of the total is asked about."""
        del who
        return self._within(place).get_one(School, place.id).alert_percent

    def set_round_alert(self, who: SignedIn, place: Place, percent: int, now: datetime) -> None:
        """Set that percentage."""
        set_alert(self._within(place), place.id, percent, self._actor(who, Actor.APPROVER), now)

    def new_round(self, who: SignedIn, place: Place, first: str, last: str, now: datetime) -> NewRound:
        """Return what a new round for some months would be."""
        del who
        return new_round_rows.new_round(self._within(place), place.id, first, last, school_day(now))

    def draft_round(self, who: SignedIn, place: Place, typed: TypedRound, now: datetime) -> UUID:
        """Write down a round and calculate it."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return new_round_rows.take_round(session, place.id, actor, typed, now)

    def draft_supplementary(self, who: SignedIn, place: Place, base: UUID, due_on: date, now: datetime) -> UUID:
        """Write down and calculate a round for who has no bill in an issued one."""
        found, actor = self._round(place, base), self._actor(who, Actor.ACCOUNTANT)
        return new_round_rows.take_supplementary(self._session, found, actor, due_on, now)

    def round_more(self, who: SignedIn, place: Place, round_id: UUID) -> RoundMore:
        """Return totals, differences and oddities of a round."""
        return round_more_rows.round_more(self._session, self._round(place, round_id), who.user_id)

    def round_pupils(self, who: SignedIn, place: Place, round_id: UUID, words: str, page: int) -> RoundPupils:
        """Return one page of a round's pupils."""
        del who
        return round_pupil_rows.round_pupils(self._session, self._round(place, round_id), words, page)

    def pupil_charges(  # noqa: PLR0913, PLR0917  a pupil in a round, in a language
        self, who: SignedIn, place: Place, round_id: UUID, pupil_id: UUID, language: str, now: datetime
    ) -> PupilCharges:
        """Return the full explanation of what a round charges a pupil, and record the look."""
        found, actor = self._round(place, round_id), self._acting(who, place)
        return round_pupil_rows.pupil_charges(self._session, found, pupil_id, actor, now, language)

    def withdraw_round(self, who: SignedIn, place: Place, round_id: UUID, reason: str, now: datetime) -> None:
        """Give a round up before it is issued."""
        found, actor = self._round(place, round_id), self._acting(who, place)
        withdraw_round(self._session, found.id, actor, now, reason)

    def lock_round(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> None:
        """Lock an issued round."""
        found, actor = self._round(place, round_id), self._acting(who, place)
        lock_round(self._session, found.id, actor, now)

    def unlock_round(self, who: SignedIn, place: Place, round_id: UUID, reason: str, now: datetime) -> None:
        """Open a locked round again."""
        found, actor = self._round(place, round_id), self._acting(who, place)
        unlock_round(self._session, found.id, actor, now, reason)

    # On paper. The address printed on a slip opens no bill: it is the front page.

    def slips(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> SlipsPage:
        """Return what can be printed of an issued round."""
        del who
        return slip_rows.slips_page(self._session, self._round(place, round_id), now)

    def class_slips(self, who: SignedIn, place: Place, round_id: UUID, class_id: UUID, now: datetime) -> Download:
        """Return the slips of one class as PDF, and log that they were taken."""
        found = self._round(place, round_id)
        content = slip_rows.class_slips(self._session, found, class_id, self._press(now))
        self._exported(who, place, "export_slips", now)
        return Download(content, "application/pdf", f"Giấy báo {found.name}.pdf")

    def ask_for_all_slips(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> None:
        """Queue the print of all classes."""
        ask_print(self._session, self._round(place, round_id), who.user_id, now)
        self.bells.append(printing.TASK)

    def all_slips(
        self, who: SignedIn, place: Place, round_id: UUID, print_id: UUID, now: datetime
    ) -> tuple[str, IO[bytes]]:
        """Return the slips of all classes in a temporary file, and log that they were taken."""
        found = self._round(place, round_id)
        stream = open_print(self._session, found, print_id, self._wiring.vault, now)
        self._exported(who, place, "export_slips", now)
        return f"Giấy báo {found.name}.zip", stream

    def _press(self, now: datetime) -> Press:
        return Press(self._wiring.settings.base_url, self._wiring.link_key, now)

    def notices(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> NoticesPage:
        """Return who was told by which channel."""
        del who
        return slip_rows.notices_page(self._session, self._round(place, round_id), now)

    def _exported(self, who: SignedIn, place: Place, what: str, now: datetime) -> None:
        caller = self._caller
        noted = Noted(what, "done", who.user_id, place.id, caller.address, caller.request_id)
        staff.note(self._session, noted, now)

    # Corrections: one asks, another decides.

    def corrections(self, who: SignedIn, place: Place) -> tuple[CorrectionRow, ...]:
        """Return what waits for a decision."""
        return correction_rows.correction_list(self._within(place), place.id, who.user_id)

    def correction(self, who: SignedIn, place: Place, correction_id: UUID) -> CorrectionPage:
        """Return what a request would do."""
        return correction_rows.correction_page(self._within(place), place.id, correction_id, who.user_id)

    def ask_correction(self, who: SignedIn, place: Place, typed: TypedCorrection, now: datetime) -> UUID:
        """Ask for a bill to be voided, replaced or lowered."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return correction_rows.ask(session, place.id, actor, typed, now)

    def ask_price(  # noqa: PLR0913, PLR0917  an item of a round, its price, why
        self, who: SignedIn, place: Place, round_id: UUID, item: str, price: str, reason: str, now: datetime
    ) -> UUID:
        """Ask for one item to be lowered to a price in all bills of a round."""
        found, actor = self._round(place, round_id), self._actor(who, Actor.ACCOUNTANT)
        return correction_rows.ask_price(self._session, found, actor, item, price, reason, now)

    def approve_correction(self, who: SignedIn, place: Place, correction_id: UUID, now: datetime) -> None:
        """Carry a request out."""
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        find_correction(session, correction_id)
        approve_correction(session, correction_id, actor, now, self._wiring.reference_key)
        self.bells.append("notifications.plan")

    def reject_correction(self, who: SignedIn, place: Place, correction_id: UUID, reason: str, now: datetime) -> None:
        """Say no, with a reason."""
        session, actor = self._within(place), self._acting(who, place)
        reject_correction(session, correction_id, actor, now, reason)
