"""What families registered for (bus, boarding, breakfast): one by one or by the list of a class, and its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotFound, Refused
from billing.fees.item_rows import one_at_a_time
from billing.fees.items import MAX_COUNT, Span
from billing.fees.tables import FeeItem, OptIn, Reduction
from billing.people.agreeing import Agreement, second_person
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil

OptInSource = Literal["office", "family", "contract"]
NO_EVIDENCE = "Hãy ghi căn cứ đăng ký, ví dụ “Phiếu đăng ký lớp 1A, 08/2025”."


@dataclass(frozen=True, slots=True)
class Registration:
    """A family's yes to one agreed item from a day on, with the evidence that is kept and who has written it."""

    enrolment_id: UUID
    item_code: str
    valid_from: date
    evidence: str
    quantity: int = 1
    valid_to: date | None = None
    source: OptInSource = "office"


@dataclass(frozen=True, slots=True)
class ClassRegistration:
    """The yes of a whole class, or of those of its pupils who are named, to one agreed item."""

    class_id: UUID
    item_code: str
    valid_from: date
    evidence: str
    quantity: int = 1
    valid_to: date | None = None
    enrolment_ids: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """How many registrations were new, changed an earlier one, or said what was known."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class ClassMember:
    """A pupil of a class on a day, and the registration for one item that holds then, if any."""

    enrolment_id: UUID
    pupil_id: UUID
    full_name: str
    registration: OptIn | None


def register(
    session: Session, school_id: UUID, actor: Actor, registrations: Sequence[Registration], now: datetime
) -> int:
    """Write registrations and one audit deed; return how many are new or changed. The same ones twice are one.

    A registration that holds on the new one's first day with another quantity or end gives way to it. Raises
    ``NotFound`` for an item or an enrolment that the school does not have, ``Refused`` without evidence, for an item
    that everybody pays, and for a quantity or days that make no sense.
    """
    done = take_registrations(session, school_id, registrations, now)
    if done.new or done.changed:
        deed = Deed(school_id, "fees.register", "school", str(school_id))
        record_deed(session, actor, deed, now, new=done.new, changed=done.changed, unchanged=done.unchanged)
    return done.new + done.changed


def register_class(
    session: Session, school_id: UUID, actor: Actor, wanted: ClassRegistration, now: datetime
) -> Registered:
    """Register all pupils of a class, or those named, for an item from a day on.

    Raises as ``register``, and ``Refused`` when somebody named is not in the class on that day.
    """
    group = session.exec(
        select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.id == wanted.class_id)
    ).one_or_none()
    if group is None:
        raise NotFound("Trường không có lớp này.", class_id=wanted.class_id)
    members = {each.enrolment_id for each in class_members(session, school_id, wanted.class_id, wanted.valid_from)}
    chosen = members if wanted.enrolment_ids is None else wanted.enrolment_ids
    if not chosen <= members:
        raise Refused(
            f"Có {len(chosen - members)} học sinh không thuộc lớp {group.code} vào ngày {wanted.valid_from:%d/%m/%Y}."
            " Hãy tải lại danh sách lớp."
        )
    registrations = [
        Registration(each, wanted.item_code, wanted.valid_from, wanted.evidence, wanted.quantity, wanted.valid_to)
        for each in sorted(chosen)
    ]
    done = take_registrations(session, school_id, registrations, now)
    if done.new or done.changed:
        deed = Deed(school_id, "fees.register", "class", str(group.id))
        record_deed(session, actor, deed, now, item=wanted.item_code, new=done.new, changed=done.changed)
    return done


def end_registrations(  # noqa: PLR0913, PLR0917  whose, of what, until when, by whom, why
    session: Session,
    school_id: UUID,
    actor: Actor,
    item_code: str,
    enrolment_ids: Collection[UUID],
    last_day: date,
    now: datetime,
    reason: str = "",
) -> int:
    """End registrations for an item after a day; those that begin later are withdrawn. Return how many changed."""
    one_at_a_time(session, school_id)
    item = _opt_in_items(session, school_id, {item_code})[item_code]
    rows = session.exec(
        select(OptIn).where(
            OptIn.school_id == school_id,
            OptIn.item_id == item.id,
            col(OptIn.enrolment_id).in_(list(enrolment_ids)),
            col(OptIn.withdrawn_at).is_(None),
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) > last_day),
        )
    ).all()
    for row in rows:
        _stop(row, last_day, now)
        session.add(row)
    session.flush()
    if rows:
        deed = Deed(school_id, "fees.end_registration", "fee_item", str(item.id), reason)
        record_deed(session, actor, deed, now, count=len(rows), last_day=last_day.isoformat())
    return len(rows)


def class_members(
    session: Session, school_id: UUID, class_id: UUID, day: date, item_code: str | None = None
) -> list[ClassMember]:
    """Return the pupils of a class on a day, in the order of a class list, with their registration for an item."""
    rows = session.exec(
        select(Enrolment, Pupil)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .where(
            Enrolment.school_id == school_id,
            ClassPlacement.class_id == class_id,
            ClassPlacement.valid_from <= day,
            or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) >= day),
            or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= day),
        )
    ).all()
    held = _holding(session, school_id, [enrolment.id for enrolment, _ in rows], item_code, day)
    members = [
        ClassMember(enrolment.id, pupil.id, pupil.full_name, held.get(enrolment.id)) for enrolment, pupil in rows
    ]
    return sorted(members, key=lambda each: (sort_key(each.full_name), each.pupil_id))


def take_registrations(
    session: Session, school_id: UUID, registrations: Sequence[Registration], now: datetime
) -> Registered:
    """Write registrations without a deed, for callers who record their own; see ``register`` for what is refused."""
    one_at_a_time(session, school_id)
    items = _opt_in_items(session, school_id, {each.item_code for each in registrations})
    _refuse_strangers(session, school_id, {each.enrolment_id for each in registrations})
    known = _known(session, school_id, {item.id for item in items.values()}, {e.enrolment_id for e in registrations})
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    for each in registrations:
        item = items[each.item_code]
        _refuse_bad(each, item)
        rows = known[each.enrolment_id, item.id]
        what = _take_one(session, school_id, each, item, rows, now)
        counts[what] += 1
    session.flush()
    return Registered(**counts)


def grant(session: Session, reduction: Reduction, maker: Actor, approver: Actor, now: datetime) -> Reduction:
    """Write a reduction, made by one person and approved by another; raises ``SamePerson`` and ``OwnFamily``."""
    own_word = "Người lập miễn giảm không được tự duyệt. Hãy nhờ người duyệt khác."
    about = session.exec(select(Enrolment.pupil_id).where(Enrolment.id == reduction.enrolment_id)).all()
    asked = Agreement(reduction.school_id, {maker.user_id}, frozenset(about), own_word)
    reduction.made_by, reduction.approved_by = maker.user_id, second_person(session, approver, asked)
    session.add(reduction)
    session.flush()
    deed = Deed(reduction.school_id, "fees.grant_reduction", "reduction", str(reduction.id), reduction.legal_basis)
    record_deed(session, approver, deed, now, made_by=str(maker.user_id), payer=reduction.payer)
    return reduction


def _take_one(  # noqa: PLR0913, PLR0917  one registration, its item, and what is known of it
    session: Session, school_id: UUID, each: Registration, item: FeeItem, rows: list[OptIn], now: datetime
) -> str:
    """Write one registration; return what it was: new, changed or unchanged."""
    held = next((row for row in rows if Span(row.valid_from, row.valid_to).holds(each.valid_from)), None)
    until = each.valid_to
    if held is not None and held.quantity == each.quantity and until in (None, held.valid_to):
        return "unchanged"
    following = min((row.valid_from for row in rows if row.valid_from > each.valid_from), default=None)
    if following is not None and (until is None or until >= following):
        until = following - timedelta(days=1)
    if held is not None:
        _stop(held, each.valid_from - timedelta(days=1), now)
        session.add(held)
        session.flush()  # the key of live registrations is free again
    made = OptIn(
        school_id=school_id,
        enrolment_id=each.enrolment_id,
        item_id=item.id,
        quantity=each.quantity,
        evidence=each.evidence.strip(),
        source=each.source,
        valid_from=each.valid_from,
        valid_to=until,
    )
    session.add(made)
    rows[:] = [row for row in rows if row.withdrawn_at is None] + [made]
    return "new" if held is None else "changed"


def _stop(row: OptIn, last_day: date, now: datetime) -> None:
    if row.valid_from > last_day:
        row.withdrawn_at = now
    else:
        row.valid_to = last_day


def _refuse_bad(each: Registration, item: FeeItem) -> None:
    if not each.evidence.strip():
        raise Refused(f"Khoản thu {item.legal_name}: {NO_EVIDENCE}", item=item.code)
    if not 1 <= each.quantity <= MAX_COUNT:
        raise Refused(
            f"Khoản thu {item.legal_name}: số lượng đăng ký phải từ 1 đến {MAX_COUNT}, không phải {each.quantity}.",
            item=item.code,
        )
    Span(each.valid_from, each.valid_to)  # refuses an end before the start


def _opt_in_items(session: Session, school_id: UUID, codes: set[str]) -> dict[str, FeeItem]:
    rows = session.exec(select(FeeItem).where(FeeItem.school_id == school_id, col(FeeItem.code).in_(codes))).all()
    items = {row.code: row for row in rows}
    unknown = sorted(codes - items.keys())
    if unknown:
        raise NotFound(f"Trường không có khoản thu {', '.join(unknown)}. Hãy thêm khoản thu trước.", codes=unknown)
    everybody = sorted(row.legal_name for row in rows if not row.opt_in)
    if everybody:
        raise Refused(f"Khoản thu {', '.join(everybody)} thu của mọi học sinh, không cần đăng ký.")
    return items


def _refuse_strangers(session: Session, school_id: UUID, enrolment_ids: set[UUID]) -> None:
    ours = session.exec(
        select(Enrolment.id).where(Enrolment.school_id == school_id, col(Enrolment.id).in_(enrolment_ids))
    ).all()
    missing = enrolment_ids - set(ours)
    if missing:
        raise NotFound(f"Có {len(missing)} học sinh không học ở trường này. Hãy tải lại danh sách lớp.")


def _known(
    session: Session, school_id: UUID, item_ids: set[UUID], enrolment_ids: set[UUID]
) -> Mapping[tuple[UUID, UUID], list[OptIn]]:
    rows = session.exec(
        select(OptIn)
        .where(
            OptIn.school_id == school_id,
            col(OptIn.item_id).in_(item_ids),
            col(OptIn.enrolment_id).in_(enrolment_ids),
            col(OptIn.withdrawn_at).is_(None),
        )
        .order_by(col(OptIn.valid_from))
    ).all()
    found: dict[tuple[UUID, UUID], list[OptIn]] = defaultdict(list)
    for row in rows:
        found[row.enrolment_id, row.item_id].append(row)
    return found


def _holding(
    session: Session, school_id: UUID, enrolment_ids: Sequence[UUID], item_code: str | None, day: date
) -> dict[UUID, OptIn]:
    if item_code is None:
        return {}
    rows = session.exec(
        select(OptIn)
        .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
        .where(
            OptIn.school_id == school_id,
            FeeItem.code == item_code,
            col(OptIn.enrolment_id).in_(enrolment_ids),
            col(OptIn.withdrawn_at).is_(None),
            OptIn.valid_from <= day,
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= day),
        )
    ).all()
    return {row.enrolment_id: row for row in rows}
