"""The desk of the pages of pupils who move, on rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing.contracts.reading import contract_of_enrolment, left_by_contract
from billing.errors import Conflict, Refused
from billing.moving.class_changing import change_class
from billing.moving.graduating import refund_graduates
from billing.moving.leaving import find_leaving, leave, settle_leaving, take_back_leaving
from billing.moving.returning import ReturnPlan, come_back
from service.access.roles import Actor, Place, SignedIn
from service.pages import moving_rows
from service.pages.moving_views import (
    LastClassRow,
    LeavingPage,
    MoverPage,
    MovingPage,
    TypedClass,
    TypedLeaving,
    TypedReturn,
)
from service.pages.typed import read_day, read_id, school_day
from service.pages.within import RowsWithin


class MovingRows(RowsWithin):
    """Leaving, changing the class, and the last grade, answered from rows."""

    def moving(self, who: SignedIn, place: Place, words: str, now: datetime) -> MovingPage:
        """Return the pupils that the words find, and who left."""
        del who
        return moving_rows.moving_page(self._within(place), place.id, words, school_day(now))

    def mover(
        self, who: SignedIn, place: Place, enrolment_id: UUID, typed: TypedLeaving | None, now: datetime
    ) -> MoverPage:
        """Return one pupil and, with something typed, what leaving would do."""
        del who
        return moving_rows.mover_page(self._within(place), place.id, enrolment_id, typed, now)

    def leave(self, who: SignedIn, place: Place, typed: TypedLeaving, now: datetime) -> UUID:
        """End a pupil's time here and ask for the corrections."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        contract = contract_of_enrolment(session, place.id, read_id(typed.enrolment_id))
        if contract is not None:
            raise Refused(f"Em học theo hợp đồng {contract.number}. Hãy ghi rút học ở trang Hợp đồng, theo điều đã ký.")
        return leave(session, self._wiring.vault, actor, place.id, moving_rows.plan_of(typed), now).id

    def leaving(self, who: SignedIn, place: Place, leaving_id: UUID, now: datetime) -> LeavingPage:
        """Return one leaving."""
        del who
        return moving_rows.leaving_page(self._within(place), place.id, leaving_id, school_day(now))

    def settle_leaving(self, who: SignedIn, place: Place, leaving_id: UUID, now: datetime) -> UUID | None:
        """Let what is kept pay what is open and ask for the rest back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        found = find_leaving(session, place.id, leaving_id)
        return settle_leaving(session, self._wiring.vault, actor, found, now)

    def take_back_leaving(self, who: SignedIn, place: Place, leaving_id: UUID, reason: str, now: datetime) -> None:
        """Let a pupil go on as if it had not left."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        found = find_leaving(session, place.id, leaving_id)
        if left_by_contract(session, place.id, found.enrolment_id):
            raise Conflict("Em đã rút học theo hợp đồng. Muốn học lại thì lập hợp đồng mới.")
        take_back_leaving(session, actor, found, reason, now)

    def come_back(self, who: SignedIn, place: Place, typed: TypedReturn, now: datetime) -> UUID:
        """Begin a new stay of a pupil who left."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        first_day = read_day(typed.first_day)
        if first_day is None or not typed.class_id:
            raise Refused("Hãy chọn lớp và ngày nhập học lại.")
        found = find_leaving(session, place.id, read_id(typed.leaving_id))
        if left_by_contract(session, place.id, found.enrolment_id):
            raise Conflict("Em đã rút học theo hợp đồng. Muốn học lại thì lập hợp đồng mới.")
        plan = ReturnPlan(found.id, read_id(typed.class_id), first_day, typed.reason, frozenset(typed.items))
        return come_back(session, actor, place.id, plan, now).id

    def change_class(self, who: SignedIn, place: Place, typed: TypedClass, now: datetime) -> None:
        """Put a pupil into another class from a day on."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        first_day = read_day(typed.first_day)
        if first_day is None or not typed.class_id:
            raise Refused("Hãy chọn lớp mới và ngày vào lớp.")
        pupil, group = read_id(typed.enrolment_id), read_id(typed.class_id)
        change_class(session, actor, place.id, pupil, group, first_day, typed.reason, now)

    def last_classes(self, who: SignedIn, place: Place, now: datetime) -> tuple[LastClassRow, ...]:
        """Return the classes of last grades with what is kept for their pupils."""
        del who
        return moving_rows.last_class_rows(self._within(place), place.id, school_day(now))

    def refund_graduates(self, who: SignedIn, place: Place, classes: Sequence[str], reason: str, now: datetime) -> UUID:
        """Ask for all of it to be given back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        chosen = {read_id(each) for each in classes}
        vault, today = self._wiring.vault, school_day(now)
        return refund_graduates(session, vault, actor, place.id, chosen, reason, now, today).id
