"""Plays rounds and what is corrected of them; where nothing is to fall, the product must refuse."""

from __future__ import annotations

import pytest
from sqlmodel import Session, col, select

from billing.bills.tables import BillLine
from billing.errors import Conflict, Refused
from billing.fees.items import Span
from billing.money import Money
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.by_days import propose_attendance
from billing.rounds.choosing_late import Choice, choose_late, late_pupils
from billing.rounds.correcting import Lowering, approve_correction, propose_credit, propose_price, propose_void
from billing.rounds.drafting import RoundPlan, SupplementaryPlan, draft_round, draft_supplementary
from billing.rounds.issuing import issue_round
from billing.rounds.locking import lock_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound, Correction
from tests.factories.rounds import REFERENCE_KEY
from tests.factories.schools import SCHOOL_YEAR
from tests.journeys.year import events as e
from tests.journeys.year.acting_people import WHY
from tests.journeys.year.book import Bill
from tests.journeys.year.town import Place, Town


def issue(town: Town, place: Place, event: e.Issue) -> None:
    """Take a round all the way."""
    plan = RoundPlan(
        school_id=place.id,
        school_year=SCHOOL_YEAR,
        code=event.code,
        name=event.name,
        days=Span(event.first, event.last),
        meal_days=event.meal_days,
        due_on=event.due,
    )
    with town.at(place) as session:
        drafted = draft_round(session, place.accountant, plan, town.clock.now)
        _approve(town, place, session, drafted)
    _issue(town, place, event.code)
    assert place.reckoner.issue(event)


def supplement(town: Town, place: Place, event: e.Supplement) -> None:
    """Bill who has no bill in a round yet, if there is anybody."""
    if not place.reckoner.supplement(event):
        return
    plan = SupplementaryPlan(event.code, f"Đợt thu bổ sung {event.code}", event.due)
    with town.at(place) as session:
        drafted = draft_supplementary(session, place.accountant, place.rounds[event.base], plan, town.clock.now)
        _approve(town, place, session, drafted)
    _issue(town, place, event.code)


def _approve(town: Town, place: Place, session: Session, drafted: BillingRound) -> None:
    preview_round(session, drafted.id, place.accountant, town.clock.now)
    submit_round(session, drafted.id, place.accountant, town.clock.now)
    approve_round(session, drafted.id, place.approver, town.clock.now, confirm=True)
    place.rounds[drafted.code] = drafted.id


def _issue(town: Town, place: Place, code: str) -> None:
    with town.at(place) as session:
        issue_round(session, place.rounds[code], town.clock.now, REFERENCE_KEY)


def choose_items(town: Town, place: Place, event: e.ChooseLate) -> None:
    """Ask about who came when a round was over, and compare who that is and what each item costs."""
    if event.base not in place.rounds:
        return
    names = {pupil.id: name for name, pupil in town.pupils.items()}
    expected = place.reckoner.choose_late(event)
    base, now = place.rounds[event.base], town.clock.now
    with town.at(place) as session:
        shown = {names[each.pupil_id]: each for each in late_pupils(session, base)}
        offered = {pupil: {item.code: item.amount.dong for item in each.items} for pupil, each in shown.items()}
        assert offered == {pupil: {item: due for item, (_, due) in each.items()} for pupil, each in expected.items()}
        for pupil, wanted in expected.items():
            choices = {item: Choice(kind, "" if kind == "take" else WHY) for item, (kind, _) in wanted.items() if kind}
            if choices:
                choose_late(session, place.accountant, base, shown[pupil].enrolment_id, choices, now)


def settle_meals(town: Town, place: Place, event: e.SettleMeals) -> None:
    """Settle the meals of a round and of its supplements by the days attended."""
    for code in (event.round, f"{event.round}-BS"):
        if code in place.reckoner.rounds:
            _settle_meals(town, place, code)


def _settle_meals(town: Town, place: Place, code: str) -> None:
    falls = place.reckoner.settle_meals(code)
    with town.at(place) as session:
        if not falls:
            with pytest.raises(Refused):
                propose_attendance(session, place.accountant, place.rounds[code], town.clock.now)
            return
        _carry_out(town, place, session, propose_attendance(
            session, place.accountant, place.rounds[code], town.clock.now
        ))  # fmt: skip


def _carry_out(town: Town, place: Place, session: Session, asked: Correction) -> None:
    approve_correction(session, asked.id, place.approver, town.clock.now, REFERENCE_KEY)


def lower_price(town: Town, place: Place, event: e.LowerPrice) -> None:
    """Make an item of a whole round cheaper."""
    falls = place.reckoner.lower_price(event)
    wanted = place.accountant, place.rounds[event.round], event.item, Money(event.amount), WHY, town.clock.now
    with town.at(place) as session:
        if falls:
            _carry_out(town, place, session, propose_price(session, *wanted))
            return
        with pytest.raises(Refused):
            propose_price(session, *wanted)


def lower_line(town: Town, place: Place, event: e.LowerLine) -> None:
    """Credit some of one line, if anything of it is left."""
    done = place.reckoner.lower_line(event)
    if done is None:
        return
    bill, position, amount = done
    with town.at(place) as session:
        row = town.bill_row(session, place, bill)
        lines = session.exec(
            select(BillLine.id).where(BillLine.bill_id == row.id).order_by(col(BillLine.position))
        ).all()
        lowering = [Lowering(lines[position] or 0, Money(amount))]
        _carry_out(town, place, session, propose_credit(
            session, place.accountant, row.id, lowering, WHY, town.clock.now
        ))  # fmt: skip


def take_back(town: Town, place: Place, event: e.TakeBack) -> None:
    """Take a pupil's bills of a round back, with or without new ones; paid ones are refused."""
    for bill in place.reckoner.book.live(event.pupil, [event.round]):
        _take_back(town, place, bill, replace=event.replace)


def take_back_late(town: Town, place: Place, event: e.TakeBackLate) -> None:
    """Take the bills of one pupil of a supplementary round back, every other time."""
    mine = [bill for bill in place.reckoner.book.bills if bill.round == event.round and not bill.void]
    if mine and event.turn % 2:
        pupil = mine[event.turn % len(mine)].pupil
        take_back(town, place, e.TakeBack(event.at, event.school, event.round, pupil, event.replace))


def _take_back(town: Town, place: Place, bill: Bill, *, replace: bool) -> None:
    with town.at(place) as session:
        row = town.bill_row(session, place, bill).id
    expected = place.reckoner.take_back(bill, replace=replace)
    with town.at(place) as session:
        if expected:
            asked = propose_void(session, place.accountant, row, WHY, town.clock.now, replace=replace)
            _carry_out(town, place, session, asked)
            return
        with pytest.raises((Conflict, Refused)):
            propose_void(session, place.accountant, row, WHY, town.clock.now, replace=replace)


def lock(town: Town, place: Place, event: e.Lock) -> None:
    """Lock a round."""
    if event.round in place.rounds:
        with town.at(place) as session:
            lock_round(session, place.rounds[event.round], place.approver, town.clock.now)
