"""Plays money: payments through the bank's callbacks or in cash, credit used by hand, refunds, leaving."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Mapping
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.credits.applying import apply_credit
from billing.credits.payee import Payee
from billing.credits.paying_out import mark_sent, pay_cash, take_back
from billing.credits.refunding import Wanted, approve_refund, ask_refund, lines_of, reject_refund
from billing.credits.tables import Refund, RefundDecision, RefundLine
from billing.errors import Conflict, Refused
from billing.money import Money
from billing.moving.graduating import refund_graduates
from billing.moving.leaving import Plan, corrections_waiting, find_leaving, leave, settle_leaving, take_back_leaving
from billing.newyear.opening import draw_up, sign
from billing.newyear.opening import lines_of as opening_lines
from billing.payments.allocation import allocate
from billing.payments.recording import Received, record_payment
from billing.payments.relieving import NoLonger, approve_relief, ask_write_off
from billing.payments.still_open import open_bills
from billing.people.tables import School
from billing.rounds.correcting import approve_correction, find_correction, reject_correction
from billing.storage import new_id
from tests.factories.plans import paper
from tests.factories.rounds import REFERENCE_KEY
from tests.factories.till import fill_till
from tests.journeys.year import events as e
from tests.journeys.year.acting_people import WHY
from tests.journeys.year.book import Key
from tests.journeys.year.town import Place, Town

_BANK = Payee("Nguyễn Văn Hòa", "970436", "0071000123456", proof="Đơn ngày 02/10/2025, đã gọi lại số trong hồ sơ")


def pay(town: Town, place: Place, event: e.Pay) -> None:
    """Let a family pay: what is asked for on the day, by each way."""
    if event.way == "cash":
        _pay_cash(town, place, event)
        return
    for order in place.reckoner.orders(event):
        if town.payers & set(event.pupils):
            town.reconcile()  # of one family's payments, the first comes first
        town.payers |= set(event.pupils)
        codes = town.codes(place, order.requests)
        memo = " ".join(codes) + "-CT DEN" if codes else "nop tien hoc cho chau"
        town.bank_tells(place, order.account, memo, order.amount, times=event.told)
        place.reckoner.book.transfer(order.account, order.amount, order.requests)


def _pay_cash(town: Town, place: Place, event: e.Pay) -> None:
    town.reconcile()
    pupil = town.pupils[event.pupils[0]].id
    amount, _ = place.reckoner.cash(event)
    if not amount:
        return
    with town.at(place) as session:
        rests = [(bill.bill_id, bill.rest) for bill in open_bills(session, place.id, [pupil])]
        received = Received(
            school_id=place.id,
            pupil_id=pupil,
            source_kind="cash",
            source_id=new_id(),
            amount=Money(amount),
            value_date=town.clock.today,
        )
        record_payment(session, received, allocate(Money(amount), rests)[0], town.clock.now)


def bank_fee(town: Town, place: Place, event: e.BankFee) -> None:
    """Let the bank take its fee."""
    town.bank_tells(place, e.MAIN, "phi quan ly tai khoan", event.amount, out=True)
    place.reckoner.book.bank[e.MAIN] -= event.amount
    place.reckoner.book.fees += event.amount


def use_credit(town: Town, place: Place, event: e.UseCredit) -> None:
    """Set credit against open bills by hand."""
    expected = place.reckoner.use_credit(event)
    pupils = [town.pupils[event.pupil].id]
    with town.at(place) as session:
        if expected:
            apply_credit(session, place.accountant, place.id, pupils, WHY, town.clock.now, freely=event.freely)
            return
        with pytest.raises(Refused):
            apply_credit(session, place.accountant, place.id, pupils, WHY, town.clock.now, freely=event.freely)


def refund(town: Town, place: Place, event: e.Refund) -> None:
    """Ask for all free credit of a pupil back, and go on with it as the story says."""
    book = place.reckoner.book
    wanted: dict[Key, int] = {(event.pupil, item): amount for item, amount in book.free(event.pupil).items()}
    if not wanted:
        return
    payee = _BANK if "sent" in event.steps else Payee()
    pupil = town.pupils[event.pupil].id
    rows = [Wanted(pupil, item, Money(amount), payee) for (_, item), amount in wanted.items()]
    with town.at(place) as session:
        asked = ask_refund(session, town.vault, place.accountant, place.id, rows, WHY, town.clock.now)
        place.parked.add(asked.id)
    book.ask_back(wanted)
    with town.at(place) as session:
        for step in event.steps:
            _refund_step(town, place, session, asked.id, wanted, step)


def _refund_step(  # noqa: PLR0913, PLR0917  what is done with which refund
    town: Town, place: Place, session: Session, refund_id: UUID, wanted: dict[Key, int], step: str
) -> None:
    book, now = place.reckoner.book, town.clock.now
    asked = session.get_one(Refund, refund_id)
    if step == "approve":
        approve_refund(session, refund_id, place.approver, now)
        book.decide(wanted, approved=True)
    elif step == "reject":
        reject_refund(session, refund_id, place.approver, WHY, now)
        book.decide(wanted, approved=False)
    missing = book.fetch(wanted) if step == "pay" else 0
    if missing:
        fill_till(session, session.get_one(School, place.id), Money(missing), now)
    for line in lines_of(session, asked):
        if step == "pay":
            pay_cash(session, line.id, place.accountant, "Nguyễn Văn Hòa", town.clock.today, now)
        elif step == "sent":
            mark_sent(session, line.id, place.accountant, town.clock.today, now)
        elif step == "take_back":
            take_back(session, line.id, place.accountant, WHY, now)
    if step == "pay":
        book.pay_out(wanted)
    elif step == "take_back":
        book.keep_again(wanted)


def graduates(town: Town, place: Place, event: e.RefundGraduates) -> None:
    """Give the last grade back what is kept for it."""
    book, stays = place.reckoner.book, place.reckoner.facts.stays
    last = [pupil for pupil, stay in stays.items() if stay.group_on(town.clock.today) in event.groups]
    wanted: dict[Key, int] = {(pupil, item): amount for pupil in last for item, amount in book.free(pupil).items()}
    groups = {place.classes[group] for group in event.groups}
    about = place.accountant, place.id, groups, WHY, town.clock.now, town.clock.today
    with town.at(place) as session:
        if not wanted:
            with pytest.raises(Refused):
                refund_graduates(session, town.vault, *about)
            return
        asked = refund_graduates(session, town.vault, *about)
        assert _lines(town, session, asked) == wanted
        book.ask_back(wanted)
        for step in ("approve", "pay"):
            _refund_step(town, place, session, asked.id, wanted, step)


def write_off(town: Town, place: Place, event: e.WriteOff) -> None:
    """Ask no longer for the rest of a bill, by a decision; another person approves it."""
    owing = sorted((bill for bill in place.reckoner.book.bills if bill.rest), key=lambda bill: (bill.pupil, bill.order))
    if not owing:
        return
    bill = owing[event.turn % len(owing)]
    with town.at(place) as session:
        row = town.bill_row(session, place, bill).id
        wanted = NoLonger(row, "15/QĐ-THHM", town.clock.today, WHY, paper())
        asked = ask_write_off(session, place.accountant, place.id, wanted, town.clock.now)
        approve_relief(session, place.approver, place.id, asked.id, town.clock.now)
    bill.written_off += bill.rest


def open_year(town: Town, place: Place, event: e.OpenYear) -> None:
    """List what is open and kept for the new year: every đồng of it once, and a second person signs."""
    names = {pupil.id: name for name, pupil in town.pupils.items()}
    with town.at(place) as session:
        opening = draw_up(session, place.id, event.year, place.accountant, town.clock.now)
        lines = [(names[line.pupil_id], line.item_code, line.bill_id is None, line.amount.dong)
                 for line in opening_lines(session, opening)]  # fmt: skip
        sign(session, place.id, opening.id, place.approver, town.clock.now)
    book = place.reckoner.book
    debts = [(bill.pupil, None, False, bill.rest) for bill in book.bills if bill.rest]
    kept = [(pupil, item, True, amount) for (pupil, item), amount in book.credit.items() if amount]
    assert Counter(lines) == Counter([*debts, *kept])
    assert (opening.due.dong, opening.credit.dong) == (sum(each[3] for each in debts), sum(each[3] for each in kept))


def go(town: Town, place: Place, event: e.Leave) -> None:
    """Let a pupil leave; either it is taken back at once, or finished now or later."""
    reckoner, pupil = place.reckoner, event.pupil
    before = copy.deepcopy((reckoner.facts.stays, reckoner.facts.registered))
    expected = reckoner.leave(event)
    plan = Plan(place.enrolled[pupil].enrolment.id, event.last, event.state, WHY)
    with town.at(place) as session:
        leaving = leave(session, town.vault, place.accountant, place.id, plan, town.clock.now)
        assert len(leaving.corrections) == expected
        place.leavings[pupil] = leaving.id
        place.stayed.discard(pupil)
        if event.back:
            place.stayed.add(pupil)
            take_back_leaving(session, place.accountant, leaving, "Gia đình đổi ý", town.clock.now)
    if event.back:
        reckoner.facts.stays, reckoner.facts.registered = before
        reckoner.leaving.pop(pupil)
        _decide_pending(town, place, pupil, approved=False)
    elif event.approved:
        finish(town, place, e.FinishLeaving(event.at, event.school, pupil))


def finish(town: Town, place: Place, event: e.FinishLeaving) -> None:
    """Approve what a leaver did not use, let what is kept pay what is open, and give the rest back."""
    reckoner, pupil = place.reckoner, event.pupil
    if reckoner.facts.stays[pupil].last is None:
        with town.at(place) as session:
            leaving = find_leaving(session, place.id, place.leavings[pupil])
            with pytest.raises(Conflict, match="đã được rút lại" if pupil in place.stayed else "nhập học lại"):
                settle_leaving(session, town.vault, place.accountant, leaving, town.clock.now)
        return
    with town.at(place) as session:
        leaving = find_leaving(session, place.id, place.leavings[pupil])
        falls = {town.bill_row(session, place, unused.bill).id: bool(unused.offs()) and not unused.bill.void
                 for unused in reckoner.leaving.get(pupil, [])}  # fmt: skip
        waiting = corrections_waiting(session, leaving)
        assert len(waiting) == len(falls)
    for each in waiting:
        _approve_or_reject(town, place, each, falls)
    reckoner.approve_leaving(pupil)
    expected = reckoner.settle(pupil)
    with town.at(place) as session:
        leaving = find_leaving(session, place.id, place.leavings[pupil])
        if expected:
            settle_leaving(session, town.vault, place.accountant, leaving, town.clock.now)
        else:
            with pytest.raises(Refused):
                settle_leaving(session, town.vault, place.accountant, leaving, town.clock.now)
    _decide_pending(town, place, pupil, approved=True)


def _approve_or_reject(town: Town, place: Place, correction: UUID, falls: Mapping[UUID, bool]) -> None:
    """Approve what still takes something off a bill; what came off otherwise, or with its whole bill, is rejected."""
    with town.at(place) as session:
        bill = find_correction(session, correction).bill_id
        if bill is not None and falls[bill]:
            approve_correction(session, correction, place.approver, town.clock.now, REFERENCE_KEY)
            return
    with pytest.raises((Conflict, Refused)), town.at(place) as session:
        approve_correction(session, correction, place.approver, town.clock.now, REFERENCE_KEY)
    with town.at(place) as session:
        reject_correction(session, correction, place.approver, town.clock.now, "Đã giảm bằng cách khác")


def _decide_pending(town: Town, place: Place, pupil: str, *, approved: bool) -> None:
    """Pay out, or refuse, the refunds that leaving asked for."""
    with town.at(place) as session:
        rows = _undecided(session, place, town.pupils[pupil].id, place.parked)
        pending = place.reckoner.pending.pop(pupil, [])
        assert [_lines(town, session, row) for row in rows] == pending
        for row, wanted in zip(rows, pending, strict=True):
            for step in ("approve", "pay") if approved else ("reject",):
                _refund_step(town, place, session, row.id, wanted, step)


def _undecided(session: Session, place: Place, pupil: UUID, but: Collection[UUID]) -> list[Refund]:
    rows = session.exec(
        select(Refund)
        .join(RefundLine, col(RefundLine.refund_id) == Refund.id)
        .outerjoin(RefundDecision, col(RefundDecision.refund_id) == Refund.id)
        .where(Refund.school_id == place.id, RefundLine.pupil_id == pupil, col(RefundDecision.refund_id).is_(None))
        .order_by(col(Refund.made_at))
        .distinct()
    ).all()
    return [row for row in rows if row.id not in but]


def _lines(town: Town, session: Session, asked: Refund) -> dict[Key, int]:
    names = {pupil.id: name for name, pupil in town.pupils.items()}
    lines = ((line.pupil_id, line) for line in lines_of(session, asked))
    return {(names[pupil], line.item_code): line.amount.dong for pupil, line in lines if pupil is not None}
