"""Where a school lies, in the database: read for the rules, and changed from a day on by two people.

Bills that are issued stay as they are: they were written with the caps and rates of their day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.fees.cap_rows import load_shipped_caps
from billing.fees.caps import school_year
from billing.fees.catalogue import shipped_rules
from billing.fees.items import Ownership
from billing.fees.place_tables import SchoolPlace
from billing.fees.places import ZONE_NAMES, Located, located_on
from billing.fees.support_tables import CouncilRateRow, SupportChoice
from billing.fees.tables import FeeCap
from billing.people.tables import School


@dataclass(frozen=True, slots=True)
class NewPlace:
    """What an accountant enters: zone and former area (empty: none) from a day on, and the decision that says so."""

    zone: str
    area: str
    decision_number: str
    valid_from: date


def first_place(session: Session, school_id: UUID, zone: str, area: str, now: datetime) -> SchoolPlace:
    """Write where a school lies when it is set up; a second first place is refused by the database."""
    place = SchoolPlace(school_id=school_id, zone=zone, legacy_area=area, made_at=now)
    session.add(place)
    session.flush()
    return place


def read_places(session: Session, school_id: UUID) -> tuple[Located, ...]:
    """Return where a school lies by day, the first one first, as the rules take it."""
    rows = session.exec(
        select(SchoolPlace)
        .where(
            SchoolPlace.school_id == school_id,
            col(SchoolPlace.valid_from).is_(None) | col(SchoolPlace.approved_at).is_not(None),
        )
        .order_by(col(SchoolPlace.valid_from).nulls_first(), col(SchoolPlace.approved_at), col(SchoolPlace.id))
    ).all()
    return tuple(located(row) for row in rows)


def places_asked(session: Session, school_id: UUID) -> Sequence[SchoolPlace]:
    """Return all places of a school as they were written, the newest first."""
    return session.exec(
        select(SchoolPlace)
        .where(SchoolPlace.school_id == school_id)
        .order_by(col(SchoolPlace.valid_from).is_(None), col(SchoolPlace.made_at).desc(), col(SchoolPlace.id).desc())
    ).all()


def ask_place(session: Session, school: School, actor: Actor, new: NewPlace, now: datetime) -> SchoolPlace:
    """Write down that a school lies elsewhere from a day on; it counts once another person has approved it.

    Raises ``Refused`` for an unknown zone, a missing decision, a day before this school year (or, where the State's
    support is taken off the bills, before this month), and when nothing would change; ``Conflict`` while one waits.
    """
    if actor.user_id is None:
        raise NotAllowed("Địa bàn phải do một người có tên ghi và người khác duyệt.")
    if new.area.strip() not in known_areas(session, school):
        raise Refused("Hãy chọn tỉnh cũ có trong danh sách: mức trần và mức của tỉnh chỉ có cho các tỉnh đó.")
    if new.zone not in ZONE_NAMES:
        raise Refused("Hãy chọn một trong các địa bàn có trong danh sách.", zone=new.zone)
    if not new.decision_number.strip():
        raise Refused("Hãy ghi số quyết định hoặc nghị quyết đổi địa bàn.")
    place = SchoolPlace(
        school_id=school.id,
        zone=new.zone,
        legacy_area=new.area.strip(),
        valid_from=new.valid_from,
        decision_number=new.decision_number.strip(),
        made_by=actor.user_id,
        made_at=now,
    )
    _refuse_change(session, school, place, now)
    if any(_waits(each) for each in places_asked(session, school.id)):
        raise Conflict("Đã có một đề nghị đổi địa bàn chờ duyệt. Hãy duyệt hoặc bỏ đề nghị đó trước.")
    session.add(place)
    session.flush()
    _record(session, actor, place, "place.ask", now)
    return place


def approve_place(session: Session, school: School, place_id: UUID, actor: Actor, now: datetime) -> SchoolPlace:
    """Approve a change of place; raises ``SamePerson`` for whoever wrote it, ``Conflict`` when that is done.

    What was refused when it was asked for is refused here too: days have gone by.
    """
    place = _waiting(session, school, place_id)
    if actor.user_id is None or actor.user_id == place.made_by:
        raise SamePerson("Người đề nghị đổi địa bàn không được tự duyệt. Hãy nhờ người duyệt khác.")
    _refuse_change(session, school, place, now)
    load_shipped_caps(session, school.province_id, place.legacy_area)
    place.approved_by, place.approved_at = actor.user_id, now
    session.add(place)
    session.flush()
    _record(session, actor, place, "place.approve", now)
    return place


def withdraw_place(session: Session, school: School, place_id: UUID, actor: Actor, now: datetime) -> SchoolPlace:
    """Drop a change that nobody has approved yet; an approved one is replaced by another."""
    place = _waiting(session, school, place_id)
    place.withdrawn_at = now
    session.add(place)
    session.flush()
    _record(session, actor, place, "place.withdraw", now)
    return place


def earliest_day(session: Session, school: School, today: date) -> date:
    """Return the first day from which a change may hold: this school year's, since claims of it can still follow.

    Where the State's support is taken off a private school's bills it is this month's: families were billed the
    others with the support of their day.
    """
    choices = select(SupportChoice.id).where(
        SupportChoice.school_id == school.id,
        SupportChoice.payee == "school",
        col(SupportChoice.approved_at).is_not(None),
    )
    deducted = school.kind == Ownership.PRIVATE and session.exec(choices.limit(1)).first() is not None
    return today.replace(day=1) if deducted else school_year(today).start


def known_areas(session: Session, school: School) -> list[str]:
    """Return the former areas that a school can lie in: those named by its province's caps and rates, and its own."""
    caps = select(FeeCap.legacy_area).where(FeeCap.authority_id == school.province_id).distinct()
    rates = select(CouncilRateRow.legacy_area).where(CouncilRateRow.authority_id == school.province_id).distinct()
    own = select(SchoolPlace.legacy_area).where(SchoolPlace.school_id == school.id)
    shipped = (cap.area for cap in shipped_rules().caps)
    return sorted({"", *shipped, *(area for query in (caps, rates, own) for area in session.exec(query).all())})


def located(row: SchoolPlace) -> Located:
    """Return a stored place as the rules take it."""
    return Located(row.zone, row.legacy_area, row.valid_from)


def _refuse_change(session: Session, school: School, place: SchoolPlace, now: datetime) -> None:
    first = earliest_day(session, school, (now + timedelta(hours=7)).date())
    if place.valid_from is None or place.valid_from < first:
        raise Refused(
            f"Không ghi lùi trước {first:%d/%m/%Y}: các kỳ đó đã được báo thu và đề nghị ngân sách theo địa bàn cũ.",
            valid_from=place.valid_from,
        )
    if located_on(read_places(session, school.id), place.valid_from).same_place(located(place)):
        raise Refused(f"Ngày {place.valid_from:%d/%m/%Y} trường đã ở địa bàn này. Không có gì thay đổi.")


def _waits(place: SchoolPlace) -> bool:
    return place.valid_from is not None and place.approved_at is None and place.withdrawn_at is None


def _waiting(session: Session, school: School, place_id: UUID) -> SchoolPlace:
    query = select(SchoolPlace).where(SchoolPlace.id == place_id, SchoolPlace.school_id == school.id)
    place = session.exec(query.with_for_update()).one_or_none()
    if place is None:
        raise NotFound("Không có đề nghị đổi địa bàn này.", place=place_id)
    if not _waits(place):
        raise Conflict("Đề nghị này đã được duyệt hoặc đã bỏ. Hãy ghi đề nghị mới.")
    return place


def _record(session: Session, actor: Actor, place: SchoolPlace, action: str, now: datetime) -> None:
    deed = Deed(place.school_id, action, "school_place", str(place.id), place.decision_number)
    record_deed(session, actor, deed, now, zone=place.zone, legacy_area=place.legacy_area, since=str(place.valid_from))
