"""From one person's hands to another's: a plan is drafted, gets its papers, is submitted, and is approved or returned.

Nothing of a plan is edited. Whoever wants it otherwise drafts the next version.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.caps import school_year as year_of
from billing.fees.item_rows import items_of
from billing.fees.items import MAX_PRICE, Group
from billing.fees.tables import FeeItem
from billing.money import ZERO, Money, total
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.tables import School
from billing.plans.papers import Paper
from billing.plans.reading import find_plan, items_in, paper_kinds, plans_of, state_of, steps_of
from billing.plans.rules import EVERYBODY, PLANNED_GROUPS, Audience, clash_of, local_day
from billing.plans.tables import PAPERS, CollectionPlan, PlanItem, PlanPaper, PlanStep
from billing.visible import is_blank

MOST = 1_000_000  # pupils of a school, and units of a year: more is a typing mistake
STATE_NAMES = {
    "draft": "đang soạn",
    "submitted": "đang chờ quyết định",
    "approved": "đã duyệt",
    "returned": "bị trả lại",
}
PAPER_NAMES = {
    "estimate": "dự toán",
    "minutes": "biên bản họp cha mẹ học sinh",
    "decision": "quyết định, văn bản duyệt",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """One item as it is planned: price of a unit, for how many pupils, how many units a year, why, and for what.

    An item may stand several times with different prices, each for other levels or grades.
    """

    code: str
    price: Money
    pupils: int
    times: int
    basis: str
    purpose: str
    audience: Audience = EVERYBODY


@dataclass(frozen=True, slots=True)
class Meeting:
    """The parents' meeting: when, where, and how many of how many families agreed."""

    day: date
    place: str
    yes: int
    of: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The authority's decision: number, day, signer, who decided, and from when the plan holds."""

    number: str
    day: date
    signer: str
    authority: str
    valid_from: date


def draft_plan(  # noqa: PLR0913, PLR0917  whose plan, of what, by whom
    session: Session,
    school_id: UUID,
    school_year: str,
    meeting: Meeting,
    estimates: Sequence[Estimate],
    actor: Actor,
    now: datetime,
) -> CollectionPlan:
    """Write a new version of the plan of a school year, whole.

    Raises ``Refused`` for an item that needs no plan, for numbers that make no sense, for two prices of an item for
    the same pupils, and without a meeting.
    """
    _refuse_meeting(meeting, now)
    if not estimates:
        raise Refused("Kế hoạch thu cần ít nhất một khoản.")
    known = {item.code: item for item in session.exec(items_of(school_id)).all()}
    levels = frozenset(session.get_one(School, school_id).levels)
    for each in estimates:
        _refuse_estimate(each, known.get(each.code), levels)
    _refuse_clash(estimates, known)
    _one_at_a_time(session, school_id)
    before = plans_of(session, school_id, school_year)
    plan = CollectionPlan(
        school_id=school_id,
        school_year=school_year,
        version=max((each.version for each in before), default=0) + 1,
        meeting_on=meeting.day,
        meeting_place=meeting.place.strip(),
        meeting_yes=meeting.yes,
        meeting_of=meeting.of,
        made_by=_person(actor),
        made_at=now,
    )
    session.add(plan)
    session.flush()
    rows = [_item(plan, each, known[each.code]) for each in estimates]
    session.add_all(rows)
    session.flush()
    expected = total(row.expected for row in rows).dong
    record_deed(session, actor, _deed(plan, "plans.draft"), now, version=plan.version, expected=expected)
    return plan


def add_paper(  # noqa: PLR0913, PLR0917  which paper of which plan, by whom
    session: Session, school_id: UUID, plan_id: UUID, kind: str, paper: Paper, actor: Actor, now: datetime
) -> PlanPaper:
    """Keep a file behind a plan: estimate and minutes while it is a draft, the decision while it waits for one."""
    plan = _held(session, school_id, plan_id)
    state = _state(session, plan)
    if kind not in PAPERS:
        raise Refused("Hãy chọn loại tệp: dự toán, biên bản hoặc quyết định.")
    if state != ("submitted" if kind == "decision" else "draft"):
        raise Conflict(f"Kế hoạch thu {STATE_NAMES[state]}, không thêm {PAPER_NAMES[kind]} được nữa.", plan=plan.id)
    row = PlanPaper(
        school_id=school_id,
        plan_id=plan.id,
        kind=kind,
        name=paper.name,
        media_type=paper.media_type,
        sha256=hashlib.sha256(paper.content).digest(),
        content=paper.content,
        made_by=_person(actor),
        made_at=now,
    )
    session.add(row)
    session.flush()
    record_deed(session, actor, _deed(plan, "plans.add_paper"), now, kind=kind, sha256=row.sha256.hex())
    return row


def open_paper(  # noqa: PLR0913, PLR0917  which paper of which plan, by whom
    session: Session, school_id: UUID, plan_id: UUID, paper_id: UUID, actor: Actor, now: datetime
) -> PlanPaper:
    """Return a file of a plan, and write down who opened it; raises ``NotFound``."""
    plan = find_plan(session, school_id, plan_id)
    row = session.exec(
        select(PlanPaper).where(
            PlanPaper.school_id == school_id, PlanPaper.plan_id == plan.id, col(PlanPaper.id) == paper_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Không tìm thấy tệp này trong kế hoạch thu.", paper=paper_id)
    record_deed(session, actor, _deed(plan, "plans.open_paper"), now, kind=row.kind, paper=str(row.id))
    return row


def submit_plan(session: Session, school_id: UUID, plan_id: UUID, actor: Actor, now: datetime) -> None:
    """Hand a draft over for the decision; raises ``Refused`` without the minutes of the parents' meeting."""
    plan = _held(session, school_id, plan_id)
    _in_state(session, plan, "draft")
    if "minutes" not in paper_kinds(session, plan):
        raise Refused("Chưa có biên bản họp cha mẹ học sinh. Hãy tải biên bản lên rồi trình.", plan=plan.id)
    _step(session, plan, actor, now, "submitted")


def approve_plan(  # noqa: PLR0913, PLR0917  which plan, by which decision and paper
    session: Session, school_id: UUID, plan_id: UUID, decision: Decision, paper: Paper, actor: Actor, now: datetime
) -> None:
    """Enter the authority's decision with its file: the plan holds from then on.

    Raises ``SamePerson`` for whoever made or submitted it, ``Refused`` for a decision that is not whole.
    """
    plan = _held(session, school_id, plan_id)
    _in_state(session, plan, "submitted")
    _refuse_maker(session, plan, actor)
    _refuse_decision(plan, decision, now)
    add_paper(session, school_id, plan_id, "decision", paper, actor, now)
    _step(session, plan, actor, now, "approved", decision=decision)


def return_plan(  # noqa: PLR0913, PLR0917  which plan, why, by whom
    session: Session, school_id: UUID, plan_id: UUID, reason: str, actor: Actor, now: datetime
) -> None:
    """Say no, with a reason; what is wanted otherwise comes as the next version."""
    plan = _held(session, school_id, plan_id)
    _in_state(session, plan, "submitted")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do trả lại kế hoạch thu.")
    _step(session, plan, actor, now, "returned", reason=reason.strip())


def _refuse_meeting(meeting: Meeting, now: datetime) -> None:
    if is_blank(meeting.place):
        raise Refused("Hãy ghi nơi họp cha mẹ học sinh.")
    if meeting.day > local_day(now):
        raise Refused(f"Ngày họp cha mẹ học sinh {meeting.day:%d/%m/%Y} chưa đến.")
    if not 0 <= meeting.yes <= meeting.of <= MOST or meeting.of < 1:
        raise Refused(f"Số gia đình đồng ý ({meeting.yes}) phải từ 0 đến số gia đình dự họp ({meeting.of}).")


def _refuse_estimate(each: Estimate, item: FeeItem | None, levels: frozenset[str]) -> None:
    if item is None:
        raise Refused(f"Trường không có khoản thu {each.code}. Hãy thêm khoản thu trước.", item=each.code)
    name = item.legal_name
    if Group(item.item_group) not in PLANNED_GROUPS:
        raise Refused(f"{name}: học phí, thu hộ và tài trợ không đưa vào kế hoạch thu.", item=each.code)
    if not ZERO < each.price <= MAX_PRICE:
        raise Refused(f"{name}: mức thu phải lớn hơn 0 đ và không quá {MAX_PRICE}.", item=each.code)
    if not 1 <= each.pupils <= MOST or not 1 <= each.times <= MOST:
        raise Refused(f"{name}: số học sinh và số lần thu trong năm phải từ 1.", item=each.code)
    if is_blank(each.basis) or is_blank(each.purpose):
        raise Refused(f"{name}: hãy ghi cách tính mức thu và tiền dùng vào việc gì.", item=each.code)
    if not each.audience.levels <= levels:
        raise Refused(f"{name}: trường không có cấp học đã chọn. Hãy chọn lại.", item=each.code)


def _refuse_clash(estimates: Sequence[Estimate], known: Mapping[str, FeeItem]) -> None:
    """Raise ``Refused`` where a pupil would have two planned prices of one item."""
    audiences: dict[str, list[Audience]] = defaultdict(list)
    for each in estimates:
        audiences[each.code].append(each.audience)
    for code, held in audiences.items():
        clash = clash_of(held)
        if clash is not None:
            first, second = (str(each) or "mọi học sinh" for each in clash)
            raise Refused(
                f"{known[code].legal_name}: hai mức thu cùng áp dụng cho một số em ({first}; {second})."
                " Hãy ghi cấp, khối không trùng nhau, mỗi em một mức.",
                item=code,
            )


def _refuse_decision(plan: CollectionPlan, decision: Decision, now: datetime) -> None:
    missing = [
        name
        for name, value in (
            ("số quyết định", decision.number), ("người ký", decision.signer), ("cơ quan duyệt", decision.authority),
        )
        if is_blank(value)
    ]  # fmt: skip
    if missing:
        raise Refused(f"Quyết định duyệt còn thiếu: {', '.join(missing)}.", plan=plan.id)
    if not plan.meeting_on <= decision.day <= local_day(now):
        raise Refused("Ngày quyết định phải từ ngày họp cha mẹ học sinh đến hôm nay.", plan=plan.id)
    if f"{year_of(decision.valid_from).start.year}" != plan.school_year[:4]:
        raise Refused(f"Ngày áp dụng phải nằm trong năm học {plan.school_year}.", plan=plan.id)


def _refuse_maker(session: Session, plan: CollectionPlan, actor: Actor) -> None:
    submitters = {step.made_by for step in steps_of(session, plan.school_id, [plan.id]).get(plan.id, [])}
    own_word = "Người lập kế hoạch thu không tự nhập quyết định duyệt. Hãy nhờ người duyệt."
    asked_by = submitters | {plan.made_by}
    second_person(session, actor, Agreement(plan.school_id, asked_by, WHOLE_SCHOOL, own_word, {"plan": plan.id}))


def _item(plan: CollectionPlan, each: Estimate, item: FeeItem) -> PlanItem:
    return PlanItem(
        school_id=plan.school_id,
        plan_id=plan.id,
        item_code=item.code,
        legal_name=item.legal_name,
        unit=item.unit,
        levels=sorted(each.audience.levels),
        grades=sorted(each.audience.grades),
        price=each.price,
        pupils=each.pupils,
        times=each.times,
        expected=each.price * (each.pupils * each.times),
        basis=each.basis.strip(),
        purpose=each.purpose.strip(),
    )


def _step(  # noqa: PLR0913  one step of one plan
    session: Session,
    plan: CollectionPlan,
    actor: Actor,
    now: datetime,
    kind: str,
    *,
    reason: str = "",
    decision: Decision | None = None,
) -> None:
    steps = steps_of(session, plan.school_id, [plan.id]).get(plan.id, [])
    row = PlanStep(
        school_id=plan.school_id,
        plan_id=plan.id,
        turn=len(steps) + 1,
        kind=kind,
        reason=reason,
        made_by=_person(actor),
        at=now,
    )
    if decision is not None:
        row.number, row.signer = decision.number.strip(), decision.signer.strip()
        row.authority, row.decided_on, row.valid_from = decision.authority.strip(), decision.day, decision.valid_from
    session.add(row)
    session.flush()
    items = len(items_in(session, plan))
    record_deed(session, actor, _deed(plan, f"plans.{kind}", reason), now, number=row.number, items=items)


def _state(session: Session, plan: CollectionPlan) -> str:
    return state_of(steps_of(session, plan.school_id, [plan.id]).get(plan.id, []))


def _in_state(session: Session, plan: CollectionPlan, wanted: str) -> None:
    state = _state(session, plan)
    if state != wanted:
        raise Conflict(f"Kế hoạch thu này {STATE_NAMES[state]}. Hãy tải lại trang.", plan=plan.id)


def _held(session: Session, school_id: UUID, plan_id: UUID) -> CollectionPlan:
    """Return the plan while nobody else takes a step."""
    _one_at_a_time(session, school_id)
    return find_plan(session, school_id, plan_id)


def _one_at_a_time(session: Session, school_id: UUID) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"plans {school_id}"})


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Kế hoạch thu phải do một người có tên lập và duyệt.")
    return actor.user_id


def _deed(plan: CollectionPlan, action: str, reason: str = "") -> Deed:
    return Deed(plan.school_id, action, "collection_plan", str(plan.id), reason)
