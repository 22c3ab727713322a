"""A pupil's reductions: one person enters it with its evidence, another approves it, and it ends at a date.

Only an approved one counts in a round; the preview names those that wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees import tables
from billing.fees.item_rows import items_of, one_at_a_time
from billing.fees.items import Group, Level, Ownership, Reduction, Span
from billing.fees.kinds import ReductionKind, find_kind, prepaid_kinds
from billing.fees.schedule import item_ids, item_of, reduction_of
from billing.money import Money
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, School


@dataclass(frozen=True, slots=True)
class NewReduction:
    """A reduction as an accountant enters it for one pupil.

    Without percentage and amount, the kind's percentage; without items and groups, the kind's groups. An amount is
    for each month and needs its one item. ``legal_basis`` may make the kind's more precise (a decision's number).
    """

    enrolment_id: UUID
    kind: str
    valid_from: date
    evidence: str
    valid_to: date | None = None
    percent: int | None = None
    amount: Money | None = None
    item_codes: frozenset[str] = frozenset()
    groups: frozenset[Group] = frozenset()
    legal_basis: str = ""


def enter_reduction(
    session: Session, school: School, new: NewReduction, maker: Actor, now: datetime
) -> tables.Reduction:
    """Enter a reduction that waits for another person's approval.

    Raises ``NotFound`` for a pupil, kind or item that is not there, ``Refused`` without evidence, for a share that is
    not the kind's, for days outside the kind's or the wrong sort of school, and ``Conflict`` for a second one of the
    same kind over the same days, or for a second one for paying ahead.
    """
    one_at_a_time(session, school.id)
    person(maker)
    kind = find_kind(new.kind)
    enrolment = _enrolment(session, school.id, new.enrolment_id)
    refuse_own_family(session, maker, school.id, {enrolment.pupil_id})
    _refuse_unfit(kind, school, _levels(session, enrolment) or frozenset(map(Level, school.levels)))
    row = _row(school.id, new, kind, maker)
    _refuse_unknown_items(session, school.id, row)
    reduction_of(row)  # the rules' own checks
    _refuse_double(session, row)
    session.add(row)
    session.flush()
    _note(session, maker, now, row, "fees.enter_reduction", kind=kind.code, payer=row.payer)
    return row


def approve_reduction(
    session: Session, school_id: UUID, reduction_id: UUID, approver: Actor, now: datetime
) -> tables.Reduction:
    """Approve what another person entered for a child of neither's family.

    Raises ``SamePerson``, ``OwnFamily``, and ``Conflict`` when it does not wait.
    """
    one_at_a_time(session, school_id)
    row = find_reduction(session, school_id, reduction_id)
    if row.withdrawn_at is not None or row.approved_by is not None:
        raise Conflict("Miễn giảm này đã được duyệt hoặc đã bỏ. Hãy tải lại danh sách.", reduction=reduction_id)
    # Of a whole class it is nobody's own.
    about = {_enrolment(session, school_id, row.enrolment_id).pupil_id} if row.enrolment_id else WHOLE_SCHOOL
    own_word = "Người lập miễn giảm không được tự duyệt. Hãy nhờ người duyệt khác."
    row.approved_by = second_person(session, approver, Agreement(school_id, {row.made_by}, about, own_word))
    return _kept(session, row, approver, now, "fees.approve_reduction")


def end_reduction(  # noqa: PLR0913, PLR0917  which one, until when, by whom, why
    session: Session, school_id: UUID, reduction_id: UUID, last_day: date, actor: Actor, now: datetime, reason: str
) -> tables.Reduction:
    """End a reduction after a day, with a reason (poor in the first term, no longer in the second).

    Raises ``Refused`` without a reason, before its first day (then withdraw it) and for a day after its end.
    """
    one_at_a_time(session, school_id)
    row = _live(session, school_id, reduction_id)
    _need_reason(reason)
    if last_day < row.valid_from:
        raise Refused(
            f"Miễn giảm bắt đầu từ {row.valid_from:%d/%m/%Y}, không thể kết thúc trước đó. Nếu nhập nhầm, hãy bỏ hẳn.",
            last_day=last_day,
        )
    if row.valid_to is not None and last_day > row.valid_to:
        raise Refused(
            f"Miễn giảm đã kết thúc ngày {row.valid_to:%d/%m/%Y}. Muốn kéo dài, hãy lập miễn giảm mới để người khác"
            " duyệt.",
            last_day=last_day,
        )
    row.valid_to = last_day
    return _kept(session, row, actor, now, "fees.end_reduction", reason)


def withdraw_reduction(  # noqa: PLR0913, PLR0917  which one, by whom, why
    session: Session, school_id: UUID, reduction_id: UUID, actor: Actor, now: datetime, reason: str
) -> tables.Reduction:
    """Take back a reduction that should never have been; bills that stand keep what they say. Needs a reason."""
    one_at_a_time(session, school_id)
    row = _live(session, school_id, reduction_id)
    _need_reason(reason)
    row.withdrawn_at = now
    return _kept(session, row, actor, now, "fees.withdraw_reduction", reason)


def find_reduction(session: Session, school_id: UUID, reduction_id: UUID) -> tables.Reduction:
    """Return a school's reduction; raises ``NotFound``."""
    found = session.exec(
        select(tables.Reduction).where(tables.Reduction.school_id == school_id, tables.Reduction.id == reduction_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy miễn giảm này.", reduction=reduction_id)
    return found


def waiting_reductions(session: Session, school_id: UUID) -> list[tables.Reduction]:
    """Return what waits for approval, oldest first."""
    rows = session.exec(
        select(tables.Reduction)
        .where(
            tables.Reduction.school_id == school_id,
            col(tables.Reduction.made_by).is_not(None),
            col(tables.Reduction.approved_by).is_(None),
            col(tables.Reduction.withdrawn_at).is_(None),
        )
        .order_by(col(tables.Reduction.id))
    ).all()
    return list(rows)


def person(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for the system, since a person answers for a reduction."""
    if actor.user_id is None:
        raise NotAllowed("Miễn giảm phải do một người có tên lập và duyệt.")
    return actor.user_id


def _row(school_id: UUID, new: NewReduction, kind: ReductionKind, maker: Actor) -> tables.Reduction:
    evidence = new.evidence.strip()
    if not evidence:
        hint = f", ví dụ “{kind.evidence}”" if kind.evidence else ""
        raise Refused(f"Miễn giảm {kind.name}: chưa ghi minh chứng. Hãy ghi giấy tờ kèm theo{hint}.")
    percent = new.percent if new.percent is not None or new.amount is not None else kind.percent
    if kind.fixed and (new.amount is not None or percent != kind.percent):
        raise Refused(f"Miễn giảm {kind.name}: tỷ lệ theo quy định là {kind.percent} %, không chọn mức khác được.")
    days = Span(new.valid_from, new.valid_to)
    if new.valid_to is None and kind.valid.holds(new.valid_from):
        days = Span(new.valid_from, kind.valid.end)
    if days.within(kind.valid) != days:
        until = f" đến {kind.valid.end:%d/%m/%Y}" if kind.valid.end else ""
        raise Refused(
            f"Diện {kind.name} có hiệu lực từ {kind.valid.start:%d/%m/%Y}{until}; hãy chọn ngày trong khoảng đó.",
            kind=kind.code,
        )
    chosen = new.groups or (frozenset() if new.item_codes else kind.groups)
    if not chosen <= kind.groups:
        raise Refused(f"Diện {kind.name} không áp dụng cho nhóm khoản thu đã chọn.", kind=kind.code)
    return tables.Reduction(
        school_id=school_id,
        enrolment_id=new.enrolment_id,
        title=kind.name,
        item_codes=sorted(new.item_codes),
        item_groups=sorted(group.value for group in chosen),
        kind="percent" if new.amount is None else "amount",
        percent=percent if new.amount is None else None,
        amount=new.amount,
        payer=kind.payer.value,
        reason_class=kind.code,
        legal_basis=new.legal_basis.strip() or kind.legal_basis,
        evidence=evidence,
        valid_from=days.start,
        valid_to=days.end,
        made_by=maker.user_id,
    )


def _enrolment(session: Session, school_id: UUID, enrolment_id: UUID) -> Enrolment:
    found = session.exec(
        select(Enrolment).where(Enrolment.school_id == school_id, Enrolment.id == enrolment_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy học sinh này ở trường.", enrolment=enrolment_id)
    return found


def _levels(session: Session, enrolment: Enrolment) -> frozenset[Level]:
    rows = session.exec(
        select(ClassGroup.level)
        .join(ClassPlacement, col(ClassPlacement.class_id) == col(ClassGroup.id))
        .where(ClassPlacement.school_id == enrolment.school_id, ClassPlacement.enrolment_id == enrolment.id)
    ).all()
    return frozenset(map(Level, rows))


def _refuse_unfit(kind: ReductionKind, school: School, levels: frozenset[Level]) -> None:
    if kind.by_law:
        raise Refused(f"Diện {kind.name} do chương trình tự tính, không nhập cho từng học sinh.", kind=kind.code)
    if Ownership(school.kind) not in kind.ownerships or not kind.levels & levels:
        raise Refused(f"Diện {kind.name} không áp dụng cho loại trường hoặc cấp học này.", kind=kind.code)


def _refuse_unknown_items(session: Session, school_id: UUID, row: tables.Reduction) -> None:
    unknown = sorted(set(row.item_codes) - item_ids(session, school_id).keys())
    if unknown:
        raise NotFound(f"Trường không có khoản thu {', '.join(unknown)}. Hãy chọn khoản thu trong danh mục.")


def _refuse_double(session: Session, row: tables.Reduction) -> None:
    """Refuse a second reduction of a kind over the same days: of the pupil's own, or the school's for everybody.

    The kinds for paying ahead are one in this: who pays a year ahead does not pay a quarter ahead too.
    """
    ours: Reduction = reduction_of(row)
    alike = prepaid_kinds() if ours.prepaid else {row.reason_class}
    for other in session.exec(
        select(tables.Reduction).where(
            tables.Reduction.school_id == row.school_id,
            or_(tables.Reduction.enrolment_id == row.enrolment_id, col(tables.Reduction.enrolment_id).is_(None)),
            col(tables.Reduction.reason_class).in_(alike),
            col(tables.Reduction.withdrawn_at).is_(None),
            or_(col(tables.Reduction.valid_to).is_(None), col(tables.Reduction.valid_to) >= row.valid_from),
        )
    ).all():
        theirs = reduction_of(other)
        if not (_same_items(session, row.school_id, ours, theirs) and ours.valid.within(theirs.valid)):
            continue
        if other.enrolment_id is None:
            raise Conflict(
                f"Trường đã có quy định chung “{other.title}” mà chương trình tự tính; nhập thêm cho một em là giảm hai"
                " lần. Nếu em chưa được giảm, hãy ghi quan hệ anh chị em của em.",
                reduction=other.id,
            )
        if other.reason_class != row.reason_class:
            raise Conflict(
                f"Học sinh đã có “{other.title}” từ {other.valid_from:%d/%m/%Y} cho các khoản này; mỗi khoản chỉ được"
                f" một diện nộp trước. Hãy kết thúc hoặc bỏ miễn giảm đó trước khi nhập “{row.title}”.",
                reduction=other.id,
            )
        raise Conflict(
            f"Học sinh đã có miễn giảm {row.title} từ {other.valid_from:%d/%m/%Y} cho các khoản này. Hãy kết thúc"
            " miễn giảm đó trước.",
            reduction=other.id,
        )


def _same_items(session: Session, school_id: UUID, ours: Reduction, theirs: Reduction) -> bool:
    """Tell whether two reductions meet in an item, whether each names it or its group."""
    items = session.exec(items_of(school_id)).all()
    return any(ours.covers(item) and theirs.covers(item) for item in map(item_of, items))


def go_on_for(row: tables.Reduction, enrolment_id: UUID, first_day: date) -> tables.Reduction:
    """Return an approved reduction for another enrolment of the pupil: same decision, maker and approver."""
    values = values_of(row, "enrolment_id", "valid_from")
    return tables.Reduction(**values, enrolment_id=enrolment_id, valid_from=max(row.valid_from, first_day))


def values_of(row: tables.Reduction, *without: str) -> dict[str, Any]:
    """Return the columns of a row for another one; a model's own dump would take sums of money apart."""
    return {name: getattr(row, name) for name in tables.Reduction.model_fields if name not in ("id", *without)}


def _live(session: Session, school_id: UUID, reduction_id: UUID) -> tables.Reduction:
    row = find_reduction(session, school_id, reduction_id)
    if row.withdrawn_at is not None:
        raise Conflict("Miễn giảm này đã được bỏ. Hãy tải lại danh sách.", reduction=reduction_id)
    return row


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("Hãy ghi lý do.")


def _kept(  # noqa: PLR0913, PLR0917  one deed and its details
    session: Session, row: tables.Reduction, actor: Actor, now: datetime, action: str, reason: str = ""
) -> tables.Reduction:
    session.add(row)
    session.flush()
    _note(session, actor, now, row, action, reason, valid_to=row.valid_to.isoformat() if row.valid_to else None)
    return row


def _note(  # noqa: PLR0913, PLR0917  as above
    session: Session,
    actor: Actor,
    now: datetime,
    row: tables.Reduction,
    action: str,
    reason: str = "",
    **details: str | None,
) -> None:
    deed = Deed(row.school_id, action, "reduction", str(row.id), reason or row.legal_basis)
    record_deed(session, actor, deed, now, made_by=str(row.made_by), **details)
