"""The State's money in the book: what it owes by an approved claim, what it paid, and what was handed on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.claims import tables
from billing.claims.months import Difference, days_of, year_of
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.council_rates import KIND_NAMES, RateKind
from billing.fees.items import GROUP_NAMES, Group, Span
from billing.fees.schedule import read_prices
from billing.ledger.accounts import CASH, STATE_RECEIVABLE, open_account, open_treasury
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.till import hold_cash, refuse_short
from billing.money import ZERO, Money, total
from billing.storage import new_id
from billing.visible import is_blank

HANDED_ON = "3388N"  # learning-cost support that came and is to be handed to families
_HANDED_ON_NAME = "Hỗ trợ chi phí học tập chờ chi trả"
_HANDED_ON_BEFORE = "3388H"  # where support stood once, beside refunds to pay; old entries are never rewritten
INCOME = "531"
WAY_NAMES = {"treasury": "về tài khoản Kho bạc", "cash": "về quỹ tiền mặt", "families": "Nhà nước trả thẳng gia đình"}
_VIET_NAM = timedelta(hours=7)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_OWED_BEFORE = text("""
SELECT coalesce(sum(CASE WHEN x.credit_account_id = l.id THEN x.amount ELSE -x.amount END), 0)::bigint
FROM ledger_accounts l
JOIN postings x ON x.school_id = l.school_id AND l.id IN (x.debit_account_id, x.credit_account_id)
JOIN journal_entries e ON e.school_id = x.school_id AND e.id = x.entry_id
LEFT JOIN journal_entries o ON o.school_id = e.school_id AND o.id = e.reverses_id
WHERE l.school_id = :school AND l.code = :code
  AND coalesce(o.kind, e.kind) IN ('state_payment', 'payout', 'support_moved')
""")


@dataclass(frozen=True, slots=True)
class NewPayment:
    """What the State paid on a claim, when, which way, and the number of the paper that says so."""

    amount: Money
    paid_on: date
    way: str
    document: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim against what came: to the school and to the families; a rest below zero was overpaid."""

    to_school: Money
    to_families: Money
    paid_school: Money
    paid_families: Money

    @property
    def rest(self) -> Money:
        """What the State has still to pay."""
        return self.to_school + self.to_families - self.paid_school - self.paid_families


def book_approval(session: Session, claim: tables.StateClaim, lines: Iterable[Difference], now: datetime) -> None:
    """Post what the State owes the school by an approved claim, unless the school's bills have done so.

    Bills that carry tuition post the State's share themselves (public schools that bill it, private schools that get
    the support). A public school that bills none has its receivable from here; a correction may lower it.
    """
    owed = total(line.amount for line in lines if line.right.payee == "school")
    days = Span(claim.first_month, days_of(claim.last_month).end)
    billed = any(price.item.group is Group.TUITION for price in read_prices(session, claim.school_id, days))
    if not owed or billed or claim.kind == RateKind.LEARNING:
        return
    open_account(session, claim.school_id, INCOME, GROUP_NAMES[Group.TUITION], "income")
    line = Line(STATE_RECEIVABLE, INCOME, owed) if owed > ZERO else Line(INCOME, STATE_RECEIVABLE, -owed)
    fact = Fact(claim.school_id, "claim_approved", str(claim.id), (now + _VIET_NAM).date(), _title(claim))
    post(session, fact, [line], now)


def record_payment(
    session: Session, claim: tables.StateClaim, actor: Actor, new: NewPayment, now: datetime
) -> tables.StatePayment:
    """Write down money that the State paid on a claim, and post what came to the school.

    Raises ``Conflict`` before the claim is approved and for a paper that was written down before, ``Refused`` for an
    amount, day or way that cannot be.
    """
    if claim.state not in {"approved", "sent"}:
        raise Conflict("Chỉ ghi tiền về cho danh sách đã duyệt.", state=claim.state)
    if actor.user_id is None:
        raise NotAllowed("Tiền về phải do một người có tên ghi.")
    session.execute(_ONE_AT_A_TIME, {"name": f"state payment {claim.id}"})  # as the database does
    _refuse_payment(session, claim, new, (now + _VIET_NAM).date())
    payment_id = new_id()
    payment = tables.StatePayment(
        id=payment_id,
        school_id=claim.school_id,
        claim_id=claim.id,
        amount=new.amount,
        paid_on=new.paid_on,
        way=new.way,
        document=new.document.strip(),
        entry_id=_post_payment(session, claim, new, payment_id, now),
        made_by=actor.user_id,
        at=now,
    )
    session.add(payment)
    session.flush()
    deed = claim_money_deed(claim, "claim.paid", payment.id, new.document)
    record_deed(session, actor, deed, now, amount=new.amount.dong, way=new.way, paid_on=str(new.paid_on))
    return payment


def undo_payment(session: Session, payment_id: UUID, actor: Actor, reason: str, now: datetime) -> tables.StatePayment:
    """Take back a payment that was written down wrongly: a row that points at it, and a reversing entry.

    Raises ``Refused`` where the till does not hold the cash any more.
    """
    wrong = session.exec(select(tables.StatePayment).where(tables.StatePayment.id == payment_id)).one_or_none()
    if wrong is None:
        raise NotFound("Không có khoản tiền về này.", payment=payment_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do đảo khoản tiền về.")
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    done = select(tables.StatePayment.id).where(tables.StatePayment.reverses_id == wrong.id)
    if wrong.reverses_id is not None or session.exec(done).first() is not None:
        raise Conflict("Khoản tiền về này đã được đảo.")
    if wrong.way == "cash":
        refuse_short(session, wrong.school_id, wrong.amount)
    undo_id, entry_id = new_id(), None
    if wrong.entry_id is not None:
        day = (now + _VIET_NAM).date()
        fact = Fact(wrong.school_id, "state_payment_undone", str(undo_id), day, reason.strip())
        entry_id = reverse(session, wrong.entry_id, fact, now)
        open_handed_on(session, wrong.school_id, day, now)
    undo = tables.StatePayment(
        id=undo_id,
        school_id=wrong.school_id,
        claim_id=wrong.claim_id,
        amount=wrong.amount,
        paid_on=wrong.paid_on,
        way=wrong.way,
        document=wrong.document,
        entry_id=entry_id,
        reverses_id=wrong.id,
        reason=reason.strip(),
        made_by=actor.user_id,
        at=now,
    )
    session.add(undo)
    session.flush()
    claim = session.exec(select(tables.StateClaim).where(tables.StateClaim.id == wrong.claim_id)).one()
    record_deed(session, actor, claim_money_deed(claim, "claim.paid_undone", undo.id, reason), now)
    return undo


def payments_of(session: Session, claim: tables.StateClaim) -> list[tables.StatePayment]:
    """Return the payments on a claim that stand, by day."""
    rows = session.exec(
        select(tables.StatePayment).where(
            tables.StatePayment.school_id == claim.school_id, tables.StatePayment.claim_id == claim.id
        )
    ).all()
    undone = {row.reverses_id for row in rows}
    live = [row for row in rows if row.reverses_id is None and row.id not in undone]
    return sorted(live, key=lambda row: (row.paid_on, row.at, row.id))


def standing_of(session: Session, claim: tables.StateClaim) -> Standing:
    """Return what a claim asked for and what came of it."""
    lines = session.exec(
        select(tables.StateClaimLine).where(
            tables.StateClaimLine.school_id == claim.school_id, tables.StateClaimLine.claim_id == claim.id
        )
    ).all()
    paid = payments_of(session, claim)
    asked = {
        payee: total(line.amount - line.previous for line in lines if line.payee == payee)
        for payee in ("school", "family")
    }
    return Standing(
        to_school=asked["school"],
        to_families=asked["family"],
        paid_school=total(each.amount for each in paid if each.way != "families" and not _handed_on(claim)),
        paid_families=total(each.amount for each in paid if each.way == "families" or _handed_on(claim)),
    )


def claim_money_deed(claim: tables.StateClaim, action: str, object_id: UUID, reason: str) -> Deed:
    """Return a deed on money of a claim, for the audit."""
    return Deed(claim.school_id, action, "state_claim_money", str(object_id), reason)


def _handed_on(claim: tables.StateClaim) -> bool:
    """Tell whether money that comes to the school is the families' all the same."""
    return claim.kind == RateKind.LEARNING


def _refuse_payment(session: Session, claim: tables.StateClaim, new: NewPayment, today: date) -> None:
    if new.amount <= ZERO:
        raise Refused("Số tiền Nhà nước đã chi phải lớn hơn 0 đ.")
    if new.paid_on > today:
        raise Refused(f"Ngày {new.paid_on:%d/%m/%Y} chưa đến. Hãy ghi ngày tiền đã về.", paid_on=new.paid_on)
    if new.paid_on < year_of(claim.school_year).start:
        raise Refused(f"Ngày {new.paid_on:%d/%m/%Y} trước năm học {claim.school_year}. Hãy xem lại ngày tiền về.")
    if is_blank(new.document):
        raise Refused("Hãy ghi số chứng từ (lệnh chi, giấy báo có) của khoản tiền.")
    if new.way not in WAY_NAMES:
        raise Refused("Hãy chọn tiền về đâu.", way=new.way)
    for each in payments_of(session, claim):
        if _paper(each.amount, each.paid_on, each.document) == _paper(new.amount, new.paid_on, new.document):
            raise Conflict(
                f"Chứng từ {each.document} ngày {each.paid_on:%d/%m/%Y}, {each.amount} đã được ghi cho danh sách này."
                " Nếu là khoản khác, hãy ghi số chứng từ của khoản đó."
            )
    if claim.kind == RateKind.LEARNING:
        return
    standing = standing_of(session, claim)
    wanted = standing.to_families if new.way == "families" else standing.to_school
    if not wanted:
        whom = "gia đình" if new.way == "families" else "nhà trường"
        raise Refused(f"Danh sách này không đề nghị chi cho {whom}. Hãy xem lại tiền về đâu.", way=new.way)


def _paper(amount: Money, day: date, document: str) -> tuple[Money, date, str]:
    """Return what no two payments on a list may share."""
    return amount, day, document.strip().lower()


def _post_payment(
    session: Session, claim: tables.StateClaim, new: NewPayment, payment_id: UUID, now: datetime
) -> int | None:
    """Post money that came to the school; what the State paid to families itself is not in our book."""
    if new.way == "families":
        return None
    into = open_treasury(session, claim.school_id) if new.way == "treasury" else CASH
    if into == CASH:
        hold_cash(session, claim.school_id)  # before support, as who hands it out does
    learning = claim.kind == RateKind.LEARNING
    source = open_handed_on(session, claim.school_id, new.paid_on, now) if learning else STATE_RECEIVABLE
    fact = Fact(claim.school_id, "state_payment", str(payment_id), new.paid_on, f"{_title(claim)}, {new.document}")
    return post(session, fact, [Line(into, source, new.amount)], now)


def open_handed_on(session: Session, school_id: UUID, day: date, now: datetime) -> str:
    """Return the code of support to be handed on, opened if missing; what stood on the account before is moved there.

    Reversing an old entry puts its sum back where it was written, so this is asked for after that too.
    """
    session.execute(_ONE_AT_A_TIME, {"name": f"handed on {school_id}"})
    open_account(session, school_id, HANDED_ON, _HANDED_ON_NAME, "pass_through")
    owed = Money(session.execute(_OWED_BEFORE, {"school": school_id, "code": _HANDED_ON_BEFORE}).scalar_one())
    if owed:
        line = Line(_HANDED_ON_BEFORE, HANDED_ON, owed) if owed > ZERO else Line(HANDED_ON, _HANDED_ON_BEFORE, -owed)
        post(session, Fact(school_id, "support_moved", str(new_id()), day, "Tách khỏi tiền tồn phải hoàn"), [line], now)
    return HANDED_ON


def _title(claim: tables.StateClaim) -> str:
    return f"{KIND_NAMES[RateKind(claim.kind)]} {claim.school_year} đợt {claim.instalment}.{claim.number}"
