"""Handing learning-cost support to families: each pupil of an approved list once, against a signature.

A later list may lower what an earlier one asked for, so a list pays out at most what all lists of the year leave.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.audit.recording import Actor, record_deed
from billing.claims.booking import claim_money_deed, open_handed_on
from billing.claims.claiming import claim_lines
from billing.claims.tables import Payout, StateClaim
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.council_rates import RateKind
from billing.ledger.accounts import CASH, open_treasury
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.till import refuse_short
from billing.money import ZERO, Money
from billing.storage import new_id
from billing.visible import is_blank

WAY_NAMES = {"cash": "tiền mặt", "transfer": "chuyển khoản"}
_VIET_NAM = timedelta(hours=7)
_OWED = text("""
SELECT x.pupil_id, sum(x.amount)::bigint FROM state_claims c
JOIN LATERAL (
    SELECT l.pupil_id, l.amount - l.previous AS amount FROM state_claim_lines l
    WHERE l.school_id = c.school_id AND l.claim_id = c.id
    UNION ALL
    SELECT p.pupil_id, CASE WHEN p.reverses_id IS NULL THEN -p.amount ELSE p.amount END FROM payouts p
    WHERE p.school_id = c.school_id AND p.claim_id = c.id
) x ON true
WHERE c.school_id = :school AND c.kind = 'learning_cost' AND c.state IN ('approved', 'sent') AND c.school_year = :year
GROUP BY x.pupil_id
""")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who received the money for a pupil, on which day, and how."""

    received_by: str
    received_on: date
    way: str


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """One pupil of a list: how many months, how much, and the payout if there was one. No class of poverty.

    ``too_much``: what the family signed for and a later list took back; undoing the payout and paying anew rights it.
    """

    pupil_id: UUID
    class_name: str
    months: int
    amount: Money
    payout: Payout | None
    too_much: Money = ZERO


def payout_list(session: Session, claim: StateClaim) -> list[PayoutRow]:
    """Return the pupils to whom an approved list owes money, with what was paid out, by class.

    Not more than all approved lists of the school year, corrections too, leave for the pupil.
    """
    amounts: dict[UUID, Money] = defaultdict(lambda: ZERO)
    months: dict[UUID, set[date]] = defaultdict(set)
    classes: dict[UUID, str] = {}
    for line in claim_lines(session, claim):
        amounts[line.pupil_id] += line.amount - line.previous
        months[line.pupil_id].add(line.month)
        classes[line.pupil_id] = line.class_name
    paid = {payout.pupil_id: payout for payout in _live(session, claim)}
    owed = {pupil: Money(rest) for pupil, rest in session.execute(_OWED, _of_year(claim)).all()}
    rows = []
    for pupil, amount in amounts.items():
        payout, rest = paid.get(pupil), owed.get(pupil, ZERO)
        due = min(amount, rest) if payout is None else payout.amount
        if due > ZERO:
            too_much = max(ZERO, -rest) if payout is not None else ZERO
            rows.append(PayoutRow(pupil, classes[pupil], len(months[pupil]), due, payout, too_much))
    return sorted(rows, key=lambda row: (row.class_name, str(row.pupil_id)))


def pay_out(  # noqa: PLR0913, PLR0917  whom, what for, and who says so
    session: Session, claim: StateClaim, pupil_id: UUID, actor: Actor, signed: Signature, now: datetime
) -> Payout:
    """Write down that a family received its support, in full.

    Raises ``Conflict`` when it was paid before, ``Refused`` where the till holds less.
    """
    if actor.user_id is None:
        raise NotAllowed("Chi trả phải do một người có tên ghi.")
    if claim.kind != RateKind.LEARNING or claim.state not in {"approved", "sent"}:
        raise Conflict("Chỉ chi trả theo danh sách hỗ trợ chi phí học tập đã duyệt.")
    _refuse_signature(signed, (now + _VIET_NAM).date())
    row = next((row for row in payout_list(session, claim) if row.pupil_id == pupil_id), None)
    if row is None:
        raise NotFound("Học sinh này không có trong danh sách chi trả.", pupil=pupil_id)
    if row.payout is not None:
        raise Conflict(
            f"Đã chi trả ngày {row.payout.received_on:%d/%m/%Y} cho {row.payout.received_by}. Không chi hai lần.",
        )
    if signed.way == "cash":
        refuse_short(session, claim.school_id, row.amount)
    payout_id = new_id()
    payout = Payout(
        id=payout_id,
        school_id=claim.school_id,
        claim_id=claim.id,
        pupil_id=pupil_id,
        amount=row.amount,
        received_by=signed.received_by.strip(),
        received_on=signed.received_on,
        way=signed.way,
        entry_id=_post(session, claim, payout_id, row, signed, now),
        made_by=actor.user_id,
        at=now,
    )
    session.add(payout)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("Người khác vừa ghi chi trả cho học sinh này. Hãy mở lại trang.") from error
    deed = claim_money_deed(claim, "claim.pay_out", payout.id, "")
    record_deed(session, actor, deed, now, amount=payout.amount.dong, way=payout.way)
    return payout


def undo_payout(session: Session, payout_id: UUID, actor: Actor, reason: str, now: datetime) -> Payout:
    """Take back a payout that was written down wrongly: a row that points at it, and a reversing entry."""
    wrong = session.exec(select(Payout).where(Payout.id == payout_id)).one_or_none()
    if wrong is None:
        raise NotFound("Không có lần chi trả này.", payout=payout_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do đảo lần chi trả.")
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    if (
        wrong.reverses_id is not None
        or session.exec(select(Payout.id).where(Payout.reverses_id == wrong.id)).first() is not None
    ):
        raise Conflict("Lần chi trả này đã được đảo.")
    undo_id = new_id()
    fact = Fact(wrong.school_id, "payout_undone", str(undo_id), (now + _VIET_NAM).date(), reason.strip())
    entry_id = reverse(session, wrong.entry_id, fact, now)
    open_handed_on(session, wrong.school_id, fact.value_date, now)
    undo = Payout(
        id=undo_id,
        school_id=wrong.school_id,
        claim_id=wrong.claim_id,
        pupil_id=wrong.pupil_id,
        amount=wrong.amount,
        received_by=wrong.received_by,
        received_on=wrong.received_on,
        way=wrong.way,
        entry_id=entry_id,
        reverses_id=wrong.id,
        reason=reason.strip(),
        made_by=actor.user_id,
        at=now,
    )
    session.add(undo)
    session.flush()
    claim = session.exec(select(StateClaim).where(StateClaim.id == wrong.claim_id)).one()
    record_deed(session, actor, claim_money_deed(claim, "claim.pay_out_undone", undo.id, reason), now)
    return undo


def _of_year(claim: StateClaim) -> dict[str, object]:
    return {"school": claim.school_id, "year": claim.school_year}


def _live(session: Session, claim: StateClaim) -> list[Payout]:
    rows = session.exec(select(Payout).where(Payout.school_id == claim.school_id, Payout.claim_id == claim.id)).all()
    undone = {row.reverses_id for row in rows}
    return [row for row in rows if row.reverses_id is None and row.id not in undone]


def _refuse_signature(signed: Signature, today: date) -> None:
    if is_blank(signed.received_by):
        raise Refused("Hãy ghi họ tên người ký nhận.")
    if signed.way not in WAY_NAMES:
        raise Refused("Hãy chọn tiền mặt hoặc chuyển khoản.", way=signed.way)
    if signed.received_on > today:
        raise Refused(f"Ngày {signed.received_on:%d/%m/%Y} chưa đến. Hãy ghi ngày người nhận đã ký.")


def _post(  # noqa: PLR0913, PLR0917  one entry of the book
    session: Session, claim: StateClaim, payout_id: UUID, row: PayoutRow, signed: Signature, now: datetime
) -> int:
    owed = open_handed_on(session, claim.school_id, signed.received_on, now)
    out_of = CASH if signed.way == "cash" else open_treasury(session, claim.school_id)
    fact = Fact(claim.school_id, "payout", str(payout_id), signed.received_on)
    return post(session, fact, [Line(owed, out_of, row.amount, row.pupil_id)], now)
