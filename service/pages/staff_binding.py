"""The desk of accounts of staff on rows. An administrator's place is an authority: it means the schools below."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlmodel import select

from billing.audit.recording import Actor as DeedActor
from billing.errors import NotFound, Refused
from billing.people.tables import School
from service.access import staff_asking, staff_deciding, staff_ending, staff_reading
from service.access.roles import Actor, Place, SignedIn
from service.access.staff import schools_below
from service.access.staff_plan import Asked, WantedRole
from service.access.staff_tables import StaffRequest
from service.access.tables import RoleGrant, User
from service.database import EVERYTHING, Scope, use_scope
from service.pages.staff_views import MemberRow, RequestRow, RoleRow, ShownOnce, StaffPage, TypedReset, TypedRole
from service.pages.typed import read_day, read_id, school_day
from service.pages.within import RowsWithin

_RANKED = (Actor.APPROVER, Actor.ADMIN, Actor.ACCOUNTANT)


class StaffRows(RowsWithin):
    """Accounts of staff, answered from rows."""

    def staff(self, who: SignedIn, place: Place, now: datetime) -> StaffPage:
        """Return who works here and what waits."""
        schools = self._schools(place)
        found = staff_reading.members(self._session, list(schools), now)
        names = dict(self._session.exec(select(User.id, User.full_name)).all())
        return StaffPage(
            tuple(_member(each, who, schools, names, school_day(now)) for each in found),
            tuple(_request(each, who, schools) for each in staff_reading.waiting(self._session, list(schools))),
            tuple((str(key), name) for key, name in schools.items()),
            school_day(now),
        )

    def ask_role(self, who: SignedIn, place: Place, typed: TypedRole, now: datetime) -> ShownOnce:
        """Ask for a role."""
        school = self._school(place, typed.school)
        first_day = read_day(typed.first_day)
        if first_day is None:
            raise Refused("Hãy chọn ngày bắt đầu giữ vai trò.")
        wanted = WantedRole(typed.login, typed.full_name, typed.role, first_day, read_day(typed.last_day), typed.reason)
        vault, actor = self._wiring.vault, self._staff_actor(who, place)
        return self._shown(staff_asking.ask_for_role(self._session, vault, actor, school, wanted, now))

    def ask_password(self, who: SignedIn, place: Place, typed: TypedReset, now: datetime) -> ShownOnce:
        """Ask for a new first password for somebody."""
        school, vault, actor = self._school(place, typed.school), self._wiring.vault, self._staff_actor(who, place)
        asked = staff_asking.ask_for_password(self._session, vault, actor, school, typed.user_id, typed.reason, now)
        return self._shown(asked)

    def grant_staff(self, who: SignedIn, place: Place, request_id: UUID, now: datetime) -> ShownOnce:
        """Agree to a request."""
        schools, actor = set(self._schools(place)), self._staff_actor(who, place)
        half = staff_deciding.grant_request(self._session, self._wiring.vault, actor, schools, request_id, now)
        user = self._session.get_one(User, self._session.get_one(StaffRequest, request_id).user_id)
        return ShownOnce(user.full_name, user.login, "second", half)

    def refuse_staff(self, who: SignedIn, place: Place, request_id: UUID, reason: str, now: datetime) -> None:
        """Say no to a request."""
        schools, actor = set(self._schools(place)), self._staff_actor(who, place)
        staff_deciding.refuse_request(self._session, actor, schools, request_id, reason, now)

    def end_role(self, who: SignedIn, place: Place, grant_id: int, last_day: str, now: datetime) -> None:
        """Let a role end after a day."""
        day = read_day(last_day)
        if day is None:
            raise Refused("Hãy chọn ngày cuối giữ vai trò.")
        schools = list(self._schools(place))
        staff_ending.end_role(self._session, self._staff_actor(who, place), schools, grant_id, day, now)

    def sign_out_staff(self, who: SignedIn, place: Place, user_id: UUID, school: str, now: datetime) -> None:
        """End somebody's sessions and revoke the tokens for programs."""
        at, schools = self._school(place, school), list(self._schools(place))
        staff_ending.sign_out(self._session, self._staff_actor(who, place), at, schools, user_id, now)

    def _schools(self, place: Place) -> Mapping[UUID, str]:
        """Return the schools that a place means, by name, and limit the transaction to them."""
        use_scope(self._session, EVERYTHING)
        own = self._session.get(School, place.id)
        found = [own] if own is not None else schools_below(self._session, place.id)
        use_scope(self._session, Scope.of(*(school.id for school in found)))
        return {school.id: school.name for school in found}

    def _school(self, place: Place, typed: str) -> UUID:
        """Return the school that is meant: the only one, or the one that was chosen."""
        schools = self._schools(place)
        chosen = next(iter(schools)) if len(schools) == 1 and not typed else read_id(typed)
        if chosen not in schools:
            raise NotFound("Không có trường này trong quyền của tài khoản.")
        return chosen

    def _staff_actor(self, who: SignedIn, place: Place) -> DeedActor:
        held = who.roles_in(place)
        return self._actor(who, next(role for role in _RANKED if role in held))

    def _shown(self, asked: Asked) -> ShownOnce:
        user = self._session.get_one(User, asked.user_id)
        part = "whole" if asked.request_id is None else "first"
        return ShownOnce(user.full_name, user.login, part, asked.password)


def _member(
    member: staff_reading.Member, who: SignedIn, schools: Mapping[UUID, str], names: Mapping[UUID, str], today: date
) -> MemberRow:
    return MemberRow(
        user_id=str(member.user.id),
        name=member.user.full_name,
        login=member.user.login,
        school_id=str(member.grants[0].school_id),
        roles=tuple(_role(grant, schools, names, today) for grant in member.grants),
        seen_at=member.seen_at,
        tokens=member.tokens,
        first_password=member.user.must_change_password,
        myself=member.user.id == who.user_id,
    )


def _role(grant: RoleGrant, schools: Mapping[UUID, str], names: Mapping[UUID, str], today: date) -> RoleRow:
    over = grant.valid_to is not None and grant.valid_to < today
    state = "over" if over else "later" if grant.valid_from > today else "held"
    givers = [names.get(each, "?") for each in (grant.granted_by, grant.confirmed_by) if each is not None]
    school = schools.get(grant.school_id, "") if grant.school_id else ""
    return RoleRow(grant.id or 0, grant.role, school, grant.valid_from, grant.valid_to, state, ", ".join(givers))


def _request(waits: staff_reading.Waiting, who: SignedIn, schools: Mapping[UUID, str]) -> RequestRow:
    row = waits.row
    return RequestRow(
        request_id=str(row.id),
        kind=row.kind,
        role=row.role,
        school=schools.get(row.school_id, ""),
        name=waits.user.full_name,
        login=waits.user.login,
        first_day=row.valid_from,
        last_day=row.valid_to,
        reason=row.reason,
        asked_by=waits.asked_by,
        asked_at=row.asked_at,
        mine=who.user_id in {row.asked_by, row.user_id},
    )
