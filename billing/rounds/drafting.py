"""Starting a billing round: which days it bills, until when it is to be paid, and which round it supplements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.instalments import Share, check_shares, shares_as_json
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.charges import Period
from billing.fees.items import Span, last_day
from billing.payments.receipts import school_year_of
from billing.rounds.tables import ISSUED_STATES, BillingRound

_LATEST_DUE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What an accountant enters for a round. ``code`` is unique within the school year, such as ``2025-10``.

    ``instalments`` split every bill of the round; the last one is due on ``due_on``. None: one sum.
    """

    school_id: UUID
    school_year: str
    code: str
    name: str
    days: Span
    meal_days: frozenset[date]
    due_on: date
    instalments: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class SupplementaryPlan:
    """What an accountant enters for a supplementary round; days, meals and prices are those of the base round."""

    code: str
    name: str
    due_on: date
    instalments: tuple[Share, ...] = ()


def draft_round(session: Session, actor: Actor, plan: RoundPlan, now: datetime) -> BillingRound:
    """Write down a new round; raises ``Refused`` for days that make no sense or a code that is taken.

    Raises ``Conflict`` where an approved or issued round bills one of its months: that would ask for it twice.
    """
    Period(plan.code, plan.name, plan.days, plan.meal_days)  # refuses meal days outside the period
    return _draft(session, actor, plan, now)


def draft_supplementary(
    session: Session, actor: Actor, base_round_id: UUID, plan: SupplementaryPlan, now: datetime
) -> BillingRound:
    """Write down a round for the pupils who have no live bill in an issued round: late arrivals, voided bills.

    It goes the same way as any other: preview, submit, approve, issue. Raises ``Conflict`` while the base round is
    not issued, ``Refused`` when the base is itself supplementary, and as ``draft_round`` does.
    """
    base = find_round(session, base_round_id)
    if base.kind != "regular":
        raise Refused("Đợt thu bổ sung phải dựa trên một đợt thu thường.", round=base_round_id)
    if base.state not in ISSUED_STATES:
        raise Conflict("Đợt thu gốc chưa phát hành; học sinh mới sẽ được tính ngay trong đợt đó.", state=base.state)
    whole = RoundPlan(
        school_id=base.school_id,
        school_year=base.school_year,
        code=plan.code,
        name=plan.name,
        days=Span(base.period_from, base.period_to),
        meal_days=frozenset(base.meal_days),
        due_on=plan.due_on,
        instalments=plan.instalments,
    )
    return _draft(session, actor, whole, now, base=base.id)


def set_instalments(
    session: Session, round_id: UUID, actor: Actor, shares: Sequence[Share], now: datetime
) -> BillingRound:
    """Split the bills of a round that is not yet submitted (no shares: one sum); it is a draft again.

    The last share is due on the round's own day, which moves along. Raises ``Refused`` for shares that do not add up,
    ``Conflict`` when the round is on its way already.
    """
    billing_round = find_round(session, round_id, hold=True)
    if billing_round.state not in ("draft", "previewed"):
        raise Conflict("Đợt thu đã trình duyệt; hãy xem trước lại rồi mới chia đợt nộp.", state=billing_round.state)
    person(actor)
    ordered = check_shares(shares)
    billing_round.instalments = shares_as_json(ordered)
    billing_round.due_on = ordered[-1].due_on if ordered else billing_round.due_on
    _refuse_bad_days(ordered, billing_round.period_from, billing_round.period_to, billing_round.due_on)
    billing_round.state = "draft"
    billing_round.preview_digest, billing_round.preview, billing_round.family_total = None, {}, None
    session.add(billing_round)
    session.flush()
    deed = round_deed(billing_round, "round.instalments")
    record_deed(session, actor, deed, now, instalments=billing_round.instalments)
    return billing_round


def _draft(session: Session, actor: Actor, plan: RoundPlan, now: datetime, *, base: UUID | None = None) -> BillingRound:
    shares = check_shares(plan.instalments)
    if plan.days.end is None:
        raise Refused("Kỳ thu phải có ngày kết thúc.")
    _refuse_bad_days(shares, plan.days.start, plan.days.end, plan.due_on)
    if not school_year_of(plan.days.start) == school_year_of(plan.days.end) == plan.school_year:
        raise Refused(
            f"Kỳ thu {plan.days.start:%d/%m/%Y}–{plan.days.end:%d/%m/%Y} không nằm trong năm học {plan.school_year}"
            " (từ 01/8 đến 31/7 năm sau). Hãy chọn lại ngày, hoặc chia thành hai đợt thu, mỗi năm học một đợt.",
            school_year=plan.school_year,
        )
    if not plan.code.strip() or not plan.code.isprintable():
        raise Refused("Mã đợt thu phải gồm chữ, số hay dấu nhìn thấy được, như 2025-10.", code=plan.code)
    taken = select(BillingRound.id).where(
        BillingRound.school_id == plan.school_id,
        BillingRound.school_year == plan.school_year,
        BillingRound.code == plan.code,
    )
    if session.exec(taken).first() is not None:
        raise Refused(f"Năm học {plan.school_year} đã có đợt thu mã {plan.code}. Hãy đặt mã khác.", code=plan.code)
    if base is None:
        refuse_same_months(session, plan.school_id, plan.days.start, plan.days.end)
    made = BillingRound(
        school_id=plan.school_id,
        school_year=plan.school_year,
        code=plan.code,
        name=plan.name,
        period_from=plan.days.start,
        period_to=plan.days.end,
        meal_days=sorted(plan.meal_days),
        due_on=plan.due_on,
        made_by=person(actor),
        made_at=now,
        kind="supplementary" if base else "regular",
        base_round_id=base,
        instalments=shares_as_json(shares),
    )
    session.add(made)
    session.flush()
    record_deed(session, actor, round_deed(made, "round.draft"), now, code=plan.code, base=str(base) if base else None)
    return made


def refuse_same_months(session: Session, school_id: UUID, first: date, last: date, own: UUID | None = None) -> None:
    """Raise ``Conflict`` when another regular round that is approved or issued bills one of the months of these days.

    Every item by the month would be asked for twice. Supplementary rounds are for who has no bill, and stay allowed.
    """
    other = session.exec(
        select(BillingRound)
        .where(
            BillingRound.school_id == school_id,
            BillingRound.kind == "regular",
            *(() if own is None else (BillingRound.id != own,)),
            col(BillingRound.state).in_(("approved", *ISSUED_STATES)),
            col(BillingRound.period_from) <= last_day(last),
            col(BillingRound.period_to) >= first.replace(day=1),
        )
        .order_by(col(BillingRound.period_from))
        .limit(1)
    ).first()
    if other is not None:
        remedy = (
            "Hãy lập đợt bổ sung của đợt đó cho em chưa có thông báo, hoặc chọn tháng khác."
            if other.state in ISSUED_STATES
            else "Hãy phát hành đợt đó, hoặc hủy nó rồi mới lập đợt này."
        )
        raise Conflict(
            f"Đợt thu {other.name} (mã {other.code}) đã tính {other.period_from:%d/%m/%Y}–{other.period_to:%d/%m/%Y};"
            f" hai đợt thường không thu cùng một tháng. {remedy}",
            round=other.id,
        )


def _refuse_bad_days(shares: Sequence[Share], starts: date, ends: date, due_on: date) -> None:
    first = shares[0].due_on if shares else due_on
    if due_on - ends > _LATEST_DUE:  # a mistyped year: nobody would ever be reminded
        raise Refused(f"Hạn nộp {due_on:%d/%m/%Y} sau kỳ thu hơn một năm. Hãy xem lại năm.", due_on=due_on)
    if first < starts:
        raise Refused(f"Hạn nộp {first:%d/%m/%Y} trước ngày đầu của kỳ thu.", due_on=first)
    if shares and shares[-1].due_on != due_on:
        raise Refused(
            f"Hạn của đợt nộp cuối ({shares[-1].due_on:%d/%m/%Y}) phải là hạn nộp của đợt thu ({due_on:%d/%m/%Y})."
        )


def find_round(session: Session, round_id: UUID, *, hold: bool = False) -> BillingRound:
    """Return a round as it stands now; raises ``NotFound`` outside what the caller may see.

    ``hold``: wait for whoever is changing it; nobody else changes it from then on until this transaction ends. Whoever
    changes a round holds it first, and looks at it only then: what two people do at once is done one after the other.
    """
    query = select(BillingRound).where(BillingRound.id == round_id).execution_options(populate_existing=True)
    # Rows that name the round may come meanwhile: they do not change it.
    found = session.exec(query.with_for_update(key_share=True) if hold else query).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đợt thu này.", round=round_id)
    return found


def person(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for the system, since a person answers for a round."""
    if actor.user_id is None:
        raise NotAllowed("Đợt thu phải do một người có tên lập và duyệt.")
    return actor.user_id


def period_of(billing_round: BillingRound) -> Period:
    """Return the round's days and meal days as the rules take them."""
    days = Span(billing_round.period_from, billing_round.period_to)
    return Period(billing_round.code, billing_round.name, days, frozenset(billing_round.meal_days))


def round_deed(billing_round: BillingRound, action: str, reason: str = "") -> Deed:
    """Return a deed on the round, for the audit."""
    return Deed(billing_round.school_id, action, "billing_round", str(billing_round.id), reason)
