"""The desk of who came after a round, on rows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import col, select

from billing.people.names import sort_key
from billing.people.tables import Enrolment, Pupil
from billing.rounds.choosing_late import Choice, LatePupil, choose_late, late_pupils
from service.access.roles import Actor, Place, SignedIn
from service.pages.late_views import LateItemRow, LatePage, LatePupilRow, TypedLate
from service.pages.round_rows import round_of
from service.pages.within import RowsWithin


class LateRows(RowsWithin):
    """Who came after a round, answered from rows."""

    def late_page(self, who: SignedIn, place: Place, round_id: UUID) -> LatePage:
        """Return who came after a round and what there is to choose."""
        del who
        session = self._within(place)
        base = round_of(session, place.id, round_id)
        found = {each.enrolment_id: each for each in late_pupils(session, base.id)}
        rows = session.exec(
            select(Enrolment.id, Pupil.full_name, col(Enrolment.started_on))
            .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
            .where(Enrolment.school_id == place.id, col(Enrolment.id).in_(list(found)))
        ).all()
        pupils = [_shown(found[key], name, came) for key, name, came in rows]
        pupils.sort(key=lambda pupil: (pupil.class_name, sort_key(pupil.name)))
        return LatePage(str(base.id), base.name, tuple(pupils))

    def choose_late(self, who: SignedIn, place: Place, typed: TypedLate, now: datetime) -> None:
        """Write down the choices for one pupil."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        base = round_of(session, place.id, typed.round_id)
        choices = {code: Choice(kind, reason) for code, kind, reason in typed.choices}
        choose_late(session, actor, base.id, typed.enrolment_id, choices, now)


def _shown(found: LatePupil, name: str, came: date) -> LatePupilRow:
    items = (LateItemRow(item.code, item.name, item.amount, item.kind, item.reason) for item in found.items)
    return LatePupilRow(str(found.enrolment_id), name, found.class_name, came, tuple(items))
