"""Taking cash for a pupil: looked at first (which bills, what stays as credit), then stored once, with its receipt.

What was on the screen is condensed into a mark that comes back with the form: if bills or transfers of the child moved
since, nothing is stored and the page is shown anew. The key of the form makes of two presses one taking.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.holding import hold_bills
from billing.bills.tables import Bill
from billing.cash.paper_books import Leaf, enter_leaf, leaf_of, refuse_leaf
from billing.cash.tables import CashTaking
from billing.errors import Conflict, NotAllowed, Refused
from billing.ledger.till import hold_cash
from billing.money import ZERO, Money, total
from billing.payments.allocation import Part, allocate
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.people.kinship import refuse_own_family
from billing.people.tables import Enrolment
from billing.storage import new_id

_VIET_NAM = timedelta(hours=7)


class ScreenMoved(Conflict):
    """Bills or transfers of the child are no longer what the cashier saw; what was typed is still to be used."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sum would do: all open bills, oldest due first; the parts of the chosen ones; what becomes credit."""

    bills: tuple[BillBalance, ...]
    parts: tuple[Part[UUID], ...]
    surplus: Money
    mark: str

    @property
    def open(self) -> Money:
        """What is open on all bills."""
        return total(bill.rest for bill in self.bills)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """Cash as it is handed over. ``chosen``: the bills it is for, None for all. ``leaf``: a paper book's, with ``day``.

    ``payer`` is who brought it, empty for the family; ``collector`` the cashier's name as it is printed.
    """

    pupil_id: UUID
    amount: Money
    form: UUID
    collector: str
    payer: str = ""
    chosen: frozenset[UUID] | None = None
    leaf: Leaf | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """What the cashier saw: the mark of the plan, and the child's transfers as plain JSON values."""

    mark: str
    transfers: list[dict[str, Any]] = field(default_factory=list)


def plan_taking(  # noqa: PLR0913, PLR0917  whose money, how much, for what, beside which transfers
    session: Session,
    school_id: UUID,
    pupil_id: UUID,
    amount: Money,
    chosen: Collection[UUID] | None,
    transfers: list[dict[str, Any]],
) -> Plan:
    """Say what a sum would do; nothing is written. Chosen bills that are no longer open are left out."""
    balances = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.pupil_id) == pupil_id)
    open_ = tuple(bill for bill in balances if bill.rest)
    wanted = [(bill.bill_id, bill.rest) for bill in open_ if chosen is None or bill.bill_id in chosen]
    parts, surplus = allocate(amount, wanted)
    facts: Mapping[str, Any] = {
        "pupil": str(pupil_id),
        "amount": amount.dong,
        "bills": [[str(bill.bill_id), bill.rest.dong] for bill in open_],
        "chosen": [str(bill) for bill, _ in wanted],
        "transfers": transfers,
    }
    return Plan(open_, parts, surplus, hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32])


def take_cash(  # noqa: PLR0913, PLR0917  who takes what, having seen what
    session: Session, actor: Actor, school_id: UUID, handed: Handed, screen: Screen, now: datetime
) -> CashTaking:
    """Store cash with its payment and receipt, and return it; the same form again returns the first taking.

    ``screen.transfers`` are the child's as they are now. Raises ``ScreenMoved`` when the mark is not that of the plan
    made now, ``Conflict`` for a form that stored something else, ``Refused`` for a sum, day or leaf that cannot be,
    ``OwnFamily`` for a child of the cashier's own.
    """
    if actor.user_id is None:
        raise NotAllowed("Việc thu tiền mặt phải do thủ quỹ làm.")
    _wait(session, f"cash form {handed.form}")
    before = session.exec(
        select(CashTaking).where(CashTaking.school_id == school_id, CashTaking.form == handed.form)
    ).one_or_none()
    if before is not None:
        return _same(session, before, handed)
    refuse_own_family(session, actor, school_id, [handed.pupil_id])
    day = _day(session, school_id, handed, now)
    if handed.leaf is not None:
        refuse_leaf(session, school_id, handed.leaf)
    hold_cash(session, school_id)
    _hold(session, school_id, handed.pupil_id)
    plan = plan_taking(session, school_id, handed.pupil_id, handed.amount, handed.chosen, screen.transfers)
    if plan.mark != screen.mark:
        raise ScreenMoved(
            "Từ lúc bạn xem, thông báo thu hoặc chuyển khoản của em này đã thay đổi. Hãy xem lại số mới rồi xác nhận."
        )
    taking = CashTaking(
        id=new_id(),
        school_id=school_id,
        form=handed.form,
        pupil_id=handed.pupil_id,
        amount=handed.amount,
        day=day,
        payer=handed.payer,
        collector=handed.collector,
        seen=_evidence(plan, screen, handed),
        made_by=actor.user_id,
        at=now,
    )
    session.add(taking)
    session.flush()
    if handed.leaf is not None:
        enter_leaf(session, actor, school_id, handed.leaf, taking.id, now)
    _pay(session, actor, taking, plan, handed, now)
    return taking


def _wait(session: Session, name: str) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _same(session: Session, before: CashTaking, handed: Handed) -> CashTaking:
    """Return the taking that a form stored before; anything else under its key is another matter.

    The day is typed for a leaf only; what was chosen is compared where it was noted (``_evidence``).
    """
    leaf = leaf_of(session, before.school_id, before.id)
    chosen = _chosen(handed)
    stored = (before.pupil_id, before.amount, before.payer, leaf, before.seen.get("chosen", chosen))
    other_day = leaf is not None and before.day != handed.day
    if other_day or stored != (handed.pupil_id, handed.amount, handed.payer, handed.leaf, chosen):
        raise Conflict(
            f"Trang này đã ghi một lần thu khác: {before.amount} ngày {before.day:%d/%m/%Y}. "
            "Hãy mở lại trang của em rồi ghi.",
            form=handed.form,
        )
    return before


def _chosen(handed: Handed) -> list[str] | None:
    return None if handed.chosen is None else sorted(map(str, handed.chosen))


def _day(session: Session, school_id: UUID, handed: Handed, now: datetime) -> date:
    """Return the day of the taking; only a leaf of a paper book may be of an earlier one, also in a closed month.

    The book then records it on the first open day, as any late money (``billing/ledger/periods``).
    """
    if handed.amount <= ZERO:
        raise Refused("Số tiền thu phải lớn hơn 0 đ.")
    today = (now + _VIET_NAM).date()
    day = handed.day if handed.leaf is not None else today
    if day is None:
        raise Refused("Hãy ghi ngày thu như trên biên lai giấy.")
    if day > today:
        raise Refused(f"Ngày {day:%d/%m/%Y} chưa đến. Hãy ghi ngày thu như trên biên lai giấy.")
    if handed.leaf is not None:
        _refuse_ancient(session, school_id, day)
    return day


def _refuse_ancient(session: Session, school_id: UUID, day: date) -> None:
    """Raise ``Refused`` for a day before the calendar year in which the first school year with pupils here begins.

    A school takes deposits of who applies for that year from the spring on; one without pupils has no such day.
    """
    earliest = select(func.min(Enrolment.school_year)).where(Enrolment.school_id == school_id)
    year = session.exec(earliest).first()
    if year is not None and day < (first := date(int(year[:4]), 1, 1)):
        raise Refused(
            f"Ngày {day:%d/%m/%Y} quá sớm: trường có học sinh ở đây từ năm học {year}, nên nhận từ ngày "
            f"{first:%d/%m/%Y}. Hãy ghi ngày thu như trên biên lai giấy."
        )


def _hold(session: Session, school_id: UUID, pupil_id: UUID) -> None:
    bills = session.exec(select(Bill.id).where(Bill.school_id == school_id, Bill.pupil_id == pupil_id)).all()
    hold_bills(session, school_id, bills)


def _evidence(plan: Plan, screen: Screen, handed: Handed) -> dict[str, Any]:
    return {
        "chosen": _chosen(handed),
        "mark": plan.mark,
        "transfers": screen.transfers,
        "open": plan.open.dong,
        "surplus": plan.surplus.dong,
    }


def _pay(  # noqa: PLR0913, PLR0917  one payment with its deed
    session: Session, actor: Actor, taking: CashTaking, plan: Plan, handed: Handed, now: datetime
) -> None:
    """Record the payment; the deed is written before the receipt, whose number everybody waits for."""
    deed = Deed(taking.school_id, "cash.take", "cash_taking", str(taking.id))
    record_deed(session, actor, deed, now, amount=taking.amount.dong, surplus=plan.surplus.dong)
    received = Received(
        school_id=taking.school_id,
        pupil_id=taking.pupil_id,
        source_kind="cash",
        source_id=taking.id,
        amount=taking.amount,
        value_date=taking.day,
        paid_at=now,
        on_paper=handed.leaf is not None,
    )
    record_payment(session, received, plan.parts, now)
