"""A claim from its first calculation to the authority: draft, calculate, submit, approve by another person, send.

Approving calculates once more; only if that is, to the letter, what was submitted are the lines written. A claim for
an instalment that has one already holds the differences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.claims.booking import book_approval
from billing.claims.learners import Read, read_claim_facts
from billing.claims.months import Difference, Oddity, Worked, digest_of, usual_months, work_out, year_of
from billing.claims.tables import StateClaim, StateClaimLine
from billing.claims.tying import untied
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.council_rates import KIND_NAMES, RateKind
from billing.fees.items import Ownership
from billing.money import ZERO, total
from billing.people.agreeing import WHOLE_SCHOOL, Agreement, second_person
from billing.people.tables import School
from billing.visible import is_blank

STATE_NAMES = {
    "draft": "đang soạn",
    "submitted": "chờ duyệt",
    "approved": "đã duyệt",
    "sent": "đã gửi",
    "withdrawn": "đã hủy",
}
OPEN = ("draft", "submitted")
_CODE = re.compile(r"(?:[0-9][0-9 ./-]{0,9})?")
NO_CLASS = "Chưa xếp lớp nên chưa tính được."
_CHANGED = "Dữ liệu đã đổi sau khi tính (học sinh, mức hoặc đối tượng). Hãy tính lại rồi trình lại."


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """What an accountant enters for a claim; without months, the usual ones of the instalment are taken."""

    school_id: UUID
    kind: RateKind
    school_year: str
    instalment: int
    first_month: date | None = None
    last_month: date | None = None
    chapter_code: str = ""
    category_code: str = ""
    economic_code: str = ""


def draft_claim(session: Session, actor: Actor, plan: ClaimPlan, now: datetime) -> StateClaim:
    """Write down a new claim; a second one for an instalment corrects the first.

    Raises ``Refused`` for a kind that the school cannot ask for, months outside the year or a budget code that is
    none, and ``Conflict`` while another claim of the instalment is open.
    """
    first, last = _months_of(plan)
    chapter, category, economic = _codes_of(plan)
    _refuse_kind(session, plan)
    earlier = session.exec(
        select(StateClaim.state).where(
            StateClaim.school_id == plan.school_id,
            StateClaim.kind == plan.kind.value,
            StateClaim.school_year == plan.school_year,
            StateClaim.instalment == plan.instalment,
            StateClaim.state != "withdrawn",
        ),
    ).all()
    if any(state in OPEN for state in earlier):
        raise Conflict("Đợt này đã có một danh sách đang soạn hoặc chờ duyệt. Hãy làm xong hoặc hủy danh sách đó.")
    claim = StateClaim(
        school_id=plan.school_id,
        kind=plan.kind.value,
        school_year=plan.school_year,
        instalment=plan.instalment,
        number=len(earlier),
        first_month=first,
        last_month=last,
        chapter_code=chapter,
        category_code=category,
        economic_code=economic,
        made_by=person(actor),
        made_at=now,
    )
    session.add(claim)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("Người khác vừa lập danh sách cho đợt này. Hãy mở lại trang.") from error
    record_deed(session, actor, claim_deed(claim, "claim.draft"), now, kind=claim.kind, number=claim.number)
    return claim


def calculate_claim(session: Session, claim_id: UUID, actor: Actor, now: datetime) -> Worked:
    """Work the claim out and keep its digest and total; an earlier submission falls away with it.

    Raises ``Refused`` when a rate is missing, ``Conflict`` when the claim is approved or withdrawn.
    """
    claim = find_claim(session, claim_id)
    if claim.state not in OPEN:
        raise Conflict(f"Danh sách {STATE_NAMES[claim.state]}, không tính lại được. Hãy lập danh sách điều chỉnh.")
    read, worked = recalculate(session, claim)
    claim.state, claim.made_by, claim.submitted_at = "draft", person(actor), None
    claim.digest = bytes.fromhex(_digest(claim, read, worked))
    claim.total = worked.total
    claim.pupils = len({line.right.pupil_id for line in worked.lines})
    claim.notes = _notes(worked, (*worked.oddities, *untied(session, read, worked)), read.without_class)
    _keep(session, claim, actor, now, "claim.calculate")
    return worked


def recalculate(session: Session, claim: StateClaim) -> tuple[Read, Worked]:
    """Work a claim out from today's rows, without storing anything."""
    read = read_claim_facts(
        session, claim.school_id, RateKind(claim.kind), claim.school_year, claim.first_month, claim.last_month
    )
    return read, work_out(read.learners, read.rules, read.known)


def matches(claim: StateClaim, read: Read, worked: Worked) -> bool:
    """Tell whether this is, to the letter, what the claim's digest names."""
    return claim.digest is not None and claim.digest.hex() == _digest(claim, read, worked)


def submit_claim(session: Session, claim_id: UUID, digest: str, actor: Actor, now: datetime) -> StateClaim:
    """Hand a calculated claim to the approver, exactly as it was shown; raises ``Conflict`` or ``Refused``."""
    claim = _in_state(session, claim_id, "draft", "Chỉ trình được danh sách đang soạn.")
    _refuse_other(claim, digest)
    if not claim.pupils:
        raise Refused("Danh sách không có dòng nào: không có gì để đề nghị.")
    claim.state, claim.submitted_at = "submitted", now
    return _keep(session, claim, actor, now, "claim.submit")


def approve_claim(session: Session, claim_id: UUID, digest: str, actor: Actor, now: datetime) -> StateClaim:
    """Approve what was submitted and write its lines; from then on it does not change.

    Raises ``SamePerson`` for whoever made it, and ``Conflict`` when it is no longer what was shown, or when another
    school has just asked for one of the months.
    """
    claim = _in_state(session, claim_id, "submitted", "Chỉ duyệt được danh sách đã trình.")
    own_word = "Người lập danh sách không được tự duyệt. Hãy nhờ người duyệt khác."
    asked = Agreement(claim.school_id, {claim.made_by}, WHOLE_SCHOOL, own_word, {"claim": claim_id})
    approver = second_person(session, actor, asked)
    _refuse_other(claim, digest)
    read, worked = recalculate(session, claim)
    if _digest(claim, read, worked) != digest:
        raise Conflict(_CHANGED, claim=claim_id)
    try:
        session.execute(insert(StateClaimLine), [_line_row(claim, line) for line in worked.lines])
    except IntegrityError as error:
        raise Conflict(
            "Có tháng của học sinh vừa được trường khác đề nghị, hoặc vượt số tháng của năm học. Hãy tính lại."
        ) from error
    book_approval(session, claim, worked.lines, now)
    claim.state, claim.approved_by, claim.approved_at = "approved", approver, now
    return _keep(session, claim, actor, now, "claim.approve")


def send_claim(session: Session, claim_id: UUID, actor: Actor, now: datetime) -> StateClaim:
    """Note that an approved claim went to the authority."""
    claim = _in_state(session, claim_id, "approved", "Chỉ ghi đã gửi cho danh sách đã duyệt.")
    claim.state, claim.sent_at = "sent", now
    return _keep(session, claim, actor, now, "claim.send")


def withdraw_claim(session: Session, claim_id: UUID, actor: Actor, now: datetime, reason: str) -> StateClaim:
    """Give a claim up before it is approved, with a reason."""
    claim = find_claim(session, claim_id)
    if claim.state not in OPEN:
        raise Conflict(f"Danh sách {STATE_NAMES[claim.state]}, không hủy được. Hãy lập danh sách điều chỉnh.")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do hủy danh sách.")
    person(actor)
    claim.state = "withdrawn"
    return _keep(session, claim, actor, now, "claim.withdraw", reason)


def find_claim(session: Session, claim_id: UUID) -> StateClaim:
    """Return a claim as it stands now; raises ``NotFound`` outside what the caller may see."""
    found = session.exec(
        select(StateClaim).where(StateClaim.id == claim_id).execution_options(populate_existing=True).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("Không có danh sách này.", claim=claim_id)
    return found


def claim_lines(session: Session, claim: StateClaim) -> Sequence[StateClaimLine]:
    """Return the lines of an approved claim by pupil and month; none before it is approved."""
    return session.exec(
        select(StateClaimLine)
        .where(StateClaimLine.school_id == claim.school_id, StateClaimLine.claim_id == claim.id)
        .order_by(col(StateClaimLine.pupil_id), col(StateClaimLine.month), col(StateClaimLine.revision))
    ).all()


def claims_of(session: Session, school_id: UUID) -> Sequence[StateClaim]:
    """Return a school's claims, newest first."""
    return session.exec(
        select(StateClaim).where(StateClaim.school_id == school_id).order_by(col(StateClaim.made_at).desc())
    ).all()


def person(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for the system, since a person answers for a claim."""
    if actor.user_id is None:
        raise NotAllowed("Danh sách phải do một người có tên lập và duyệt.")
    return actor.user_id


def claim_deed(claim: StateClaim, action: str, reason: str = "") -> Deed:
    """Return a deed on the claim, for the audit."""
    return Deed(claim.school_id, action, "state_claim", str(claim.id), reason)


def _months_of(plan: ClaimPlan) -> tuple[date, date]:
    if plan.instalment not in {1, 2}:
        raise Refused("Đợt phải là 1 hoặc 2.", instalment=plan.instalment)
    year = year_of(plan.school_year)
    usual_first, usual_last = usual_months(plan.school_year, plan.instalment)
    first, last = plan.first_month or usual_first, plan.last_month or usual_last
    if first.day != 1 or last.day != 1 or last < first or not (year.holds(first) and year.holds(last)):
        raise Refused(
            f"Các tháng phải nằm trong năm học {plan.school_year} (từ tháng 8 đến tháng 7) và theo thứ tự.",
            first=first,
            last=last,
        )
    return first, last


def _codes_of(plan: ClaimPlan) -> tuple[str, str, str]:
    """Return chapter, category and economic code of the State's budget; each may be left for later."""
    typed = {"Chương": plan.chapter_code, "Loại, khoản": plan.category_code, "Tiểu mục": plan.economic_code}
    chapter, category, economic = (code.strip() for code in typed.values())
    for name, code in zip(typed, (chapter, category, economic), strict=True):
        if not _CODE.fullmatch(code):
            raise Refused(
                f"{name} gồm nhiều nhất 10 chữ số theo mục lục ngân sách, ví dụ 822. Hãy sửa lại hoặc để trống."
            )
    return chapter, category, economic


def _refuse_kind(session: Session, plan: ClaimPlan) -> None:
    school = session.exec(select(School).where(School.id == plan.school_id)).one_or_none()
    if school is None:
        raise NotFound("Không tìm thấy trường này.", school=plan.school_id)
    other = {RateKind.TUITION: Ownership.PRIVATE, RateKind.SUPPORT: Ownership.PUBLIC}.get(plan.kind)
    if school.kind == other:
        whose = "trường công lập" if plan.kind is RateKind.TUITION else "trường ngoài công lập"
        raise Refused(f"{KIND_NAMES[plan.kind]} chỉ dành cho {whose}.")


def _in_state(session: Session, claim_id: UUID, state: str, remedy: str) -> StateClaim:
    claim = find_claim(session, claim_id)
    if claim.state != state:
        raise Conflict(f"Danh sách {STATE_NAMES[claim.state]}. {remedy}", state=claim.state)
    return claim


def _refuse_other(claim: StateClaim, digest: str) -> None:
    if claim.digest is None:
        raise Conflict("Hãy tính danh sách trước.")
    if claim.digest.hex() != digest:
        raise Conflict("Danh sách đã được tính lại sau khi mở trang. Xin xem lại rồi quyết định.")


def _digest(claim: StateClaim, read: Read, worked: Worked) -> str:
    codes = (claim.chapter_code, claim.category_code, claim.economic_code, str(claim.number))
    return digest_of(read.rules, claim.instalment, codes, worked)


def _notes(worked: Worked, odd: Sequence[Oddity], without_class: Sequence[UUID]) -> dict[str, Any]:
    oddities = (*odd, *(Oddity(pupil, NO_CLASS) for pupil in without_class))
    return {
        "months": len({(line.right.pupil_id, line.right.month) for line in worked.lines}),
        "oddities": [{"pupil": str(oddity.pupil_id), "text": oddity.text} for oddity in oddities],
        "by_payee": {
            payee: total(line.amount for line in worked.lines if line.right.payee == payee).dong
            for payee in sorted({line.right.payee for line in worked.lines})
        },
    }


def _line_row(claim: StateClaim, line: Difference) -> dict[str, object]:
    right = line.right
    return {
        "school_id": claim.school_id,
        "claim_id": claim.id,
        "kind": claim.kind,
        "school_year": claim.school_year,
        "pupil_id": right.pupil_id,
        "enrolment_id": right.enrolment_id,
        "month": right.month,
        "revision": line.revision,
        "months_cap": right.months_cap,
        "rate": right.rate,
        "previous": line.previous,
        "amount": right.amount,
        "payee": right.payee,
        "class_name": right.class_name,
        "title": right.title,
        "legal_basis": right.legal_basis,
    }


def _keep(  # noqa: PLR0913, PLR0917  one deed and its reason
    session: Session, claim: StateClaim, actor: Actor, now: datetime, action: str, reason: str = ""
) -> StateClaim:
    session.add(claim)
    session.flush()
    digest = claim.digest.hex() if claim.digest else None
    record_deed(session, actor, claim_deed(claim, action, reason), now, digest=digest, total=(claim.total or ZERO).dong)
    return claim
