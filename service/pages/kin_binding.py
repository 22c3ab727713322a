"""The desk of own families on rows. Children are named to oneself only; a colleague sees the code."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from billing.audit.recording import Actor as DeedActor
from billing.errors import NotFound, OwnFamily
from billing.people import declaring
from billing.people.kinship_tables import OwnChild, StaffContact
from billing.people.tables import Pupil, PupilCode
from service.access.kin_refusals import record_kin_refusal
from service.access.roles import Place, SignedIn
from service.access.staff_asking import person_of
from service.access.tables import User
from service.pages.kin_views import KinPage, KinRow, TypedKin
from service.pages.staff_binding import StaffRows


class KinRows(StaffRows):
    """Whose family a member of staff is, answered from rows."""

    def kin(self, who: SignedIn, place: Place, user_id: UUID, school: str = "") -> KinPage:
        """Return what stands declared for a person."""
        school_id = self._school(place, school)
        myself = user_id == who.user_id
        user = self._session.get_one(User, user_id) if myself else person_of(self._session, school_id, user_id)
        children = declaring.children_of(self._session, school_id, user_id)
        contacts = declaring.contacts_of(self._session, user_id)
        names = self._names([*children, *contacts])
        pupils = self._pupils([row.pupil_id for row in children], by_name=myself)
        return KinPage(
            str(user_id),
            user.full_name,
            str(school_id),
            tuple(KinRow(str(row.id), pupils.get(row.pupil_id, "?"), names[row.made_by], row.at) for row in children),
            tuple(KinRow(str(row.id), row.masked, names[row.made_by], row.at) for row in contacts),
            myself,
        )

    def declare_kin(self, who: SignedIn, place: Place, typed: TypedKin, now: datetime) -> None:
        """Declare a child, or a number."""
        school_id, actor = self._school(place, typed.school), self._any_actor(who, place)
        if typed.user_id != who.user_id:
            person_of(self._session, school_id, typed.user_id)
        if typed.contact:
            vault = self._wiring.vault
            declaring.declare_contact(self._session, vault, actor, school_id, typed.user_id, typed.contact, now)
            return
        child = declaring.Named(typed.code, typed.full_name)
        declaring.declare_child(self._session, actor, school_id, typed.user_id, child, now)

    def end_kin(  # noqa: PLR0913, PLR0917  who takes what away of whom, why
        self, who: SignedIn, place: Place, typed: TypedKin, row_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back what was declared of another person."""
        school_id, actor = self._school(place, typed.school), self._any_actor(who, place)
        person_of(self._session, school_id, typed.user_id)
        if any(row.id == row_id for row in declaring.contacts_of(self._session, typed.user_id)):
            declaring.end_contact(self._session, actor, school_id, row_id, reason, now)
            return
        declaring.end_child(self._session, actor, school_id, row_id, reason, now)

    def note_own_family(self, who: SignedIn, error: OwnFamily, where: str, now: datetime) -> None:
        """Write the refusal of an act on the own family to the school's audit."""
        record_kin_refusal(self._session, self._actor(who, min(who.roles)), error, where, now)

    def _any_actor(self, who: SignedIn, place: Place) -> DeedActor:
        held = who.roles_in(place)
        if not held:
            raise NotFound("Không có trường này trong quyền của tài khoản.")
        return self._actor(who, min(held))

    def _names(self, rows: list[OwnChild | StaffContact]) -> dict[UUID, str]:
        makers = {row.made_by for row in rows}
        found = self._session.exec(select(User.id, User.full_name).where(col(User.id).in_(makers))).all()
        return dict.fromkeys(makers, "?") | dict(found)

    def _pupils(self, pupils: list[UUID], *, by_name: bool) -> dict[UUID, str]:
        if by_name:
            return dict(self._session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
        codes = select(PupilCode.pupil_id, PupilCode.code).where(col(PupilCode.pupil_id).in_(pupils))
        return dict(self._session.exec(codes.order_by(col(PupilCode.valid_from))).all())
