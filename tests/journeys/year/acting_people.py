"""Plays what happens to people and prices: arrivals, classes, registrations, reductions, absences, closed months."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import select

from billing.attendance.closing import close_month, set_day_off
from billing.attendance.ticking import OfficeAbsence, enter_absences, tick_day
from billing.fees.items import PartMonth, Quantity
from billing.fees.pricing import NewPrice, add_price
from billing.fees.reducing import NewReduction, approve_reduction, end_reduction, enter_reduction
from billing.fees.registering import Registration, end_registrations, register
from billing.fees.tables import Reduction
from billing.money import Money
from billing.moving.class_changing import change_class
from billing.moving.leaving import find_leaving
from billing.moving.returning import ReturnPlan, come_back, registered_before
from billing.people.tables import ClassGroup, School
from tests.factories.schools import make_pupil
from tests.journeys.year import events as e
from tests.journeys.year.town import Place, Town

WHY = "Theo đơn của gia đình"
_NAMES = ("Nguyễn Văn", "Trần Thị", "Lê Hoàng", "Phạm Thị")


def arrive(town: Town, place: Place, event: e.Arrive) -> None:
    """Enrol a pupil; who comes from another of the schools is the same person."""
    number = int(event.pupil.removeprefix("em "))
    with town.at(place) as session:
        group = session.get_one(ClassGroup, place.classes[event.group])
        made = make_pupil(
            session,
            group,
            f"{_NAMES[number % len(_NAMES)]} {number}",
            province_id=town.province,
            pupil=town.pupils.get(event.pupil),
            started_on=event.first,
        )
    town.pupils.setdefault(event.pupil, made.pupil)
    place.enrolled[event.pupil] = made
    place.reckoner.arrive(event)


def come_again(town: Town, place: Place, event: e.ComeBack) -> None:
    """Let a leaver study here again."""
    wanted = place.reckoner.come_back(event)
    with town.at(place) as session:
        leaving = find_leaving(session, place.id, place.leavings[event.pupil])
        assert wanted == event.items & {each.code for each in registered_before(session, leaving)}
        plan = ReturnPlan(leaving.id, place.classes[event.group], event.first, WHY, wanted)
        made = come_back(session, place.accountant, place.id, plan, town.clock.now)
    place.enrolled[event.pupil] = replace(place.enrolled[event.pupil], enrolment=made)


def move_class(town: Town, place: Place, event: e.ChangeClass) -> None:
    """Put a pupil into another class."""
    with town.at(place) as session:
        enrolment, group = place.enrolled[event.pupil].enrolment.id, place.classes[event.group]
        change_class(session, place.accountant, place.id, enrolment, group, event.first, WHY, town.clock.now)
    place.reckoner.facts.stays[event.pupil].groups.append((event.first, event.group))


def take_registration(town: Town, place: Place, event: e.Register) -> None:
    """Register a pupil for an item."""
    wanted = Registration(
        place.enrolled[event.pupil].enrolment.id, event.item, event.first, "Phiếu đăng ký", event.quantity
    )
    with town.at(place) as session:
        register(session, place.id, place.accountant, [wanted], town.clock.now)
    place.reckoner.facts.register(event.pupil, event.item, event.first, event.quantity)


def stop_registration(town: Town, place: Place, event: e.EndRegistration) -> None:
    """End a registration after a day."""
    with town.at(place) as session:
        enrolment = place.enrolled[event.pupil].enrolment.id
        end_registrations(session, place.id, place.accountant, event.item, [enrolment], event.last, town.clock.now, WHY)
    place.reckoner.facts.end_registration(event.pupil, event.item, event.last)


def reduce(town: Town, place: Place, event: e.Reduce) -> None:
    """Enter a reduction, and let another person approve it."""
    wanted = event.reduction
    new = NewReduction(
        place.enrolled[event.pupil].enrolment.id,
        wanted.kind,
        wanted.first,
        evidence=wanted.key,
        valid_to=wanted.last,
        percent=wanted.percent,
        amount=None if wanted.amount is None else Money(wanted.amount),
        item_codes=frozenset(wanted.items),
    )
    with town.at(place) as session:
        school = session.get_one(School, place.id)
        row = enter_reduction(session, school, new, place.accountant, town.clock.now)
        approve_reduction(session, place.id, row.id, place.approver, town.clock.now)
    place.reckoner.reduce(event)


def stop_reduction(town: Town, place: Place, event: e.EndReduction) -> None:
    """End a reduction after a day."""
    with town.at(place) as session:
        found = select(Reduction.id).where(Reduction.school_id == place.id, Reduction.evidence == event.key)
        for row in session.exec(found).all():  # one for each stay it held in
            end_reduction(session, place.id, row, event.last, place.accountant, town.clock.now, WHY)
    place.reckoner.end_reduction(event)


def change_price(town: Town, place: Place, event: e.ChangePrice) -> None:
    """Give an item another price from a day on."""
    old = next(price for price in place.plan.prices if price.item == event.item)
    new = NewPrice(Money(event.amount), event.first, quantity=Quantity(old.quantity), part_month=PartMonth(old.part))
    with town.at(place) as session:
        add_price(session, session.get_one(School, place.id), event.item, new, place.accountant, town.clock.now)
    place.reckoner.facts.change_price(event.item, event.amount, event.first)


def day_off(town: Town, place: Place, event: e.DayOff) -> None:
    """Let the whole school stay at home."""
    with town.at(place) as session:
        set_day_off(session, place.id, place.accountant, event.day, "Nghỉ bão", town.clock.now)
    place.reckoner.facts.off.add(event.day)


def tick(town: Town, place: Place, event: e.Tick) -> None:
    """Tick a class's day."""
    absent = [place.enrolled[pupil].enrolment.id for pupil in sorted(event.absent)]
    with town.at(place) as session:
        group = place.classes[event.group]
        tick_day(session, place.id, place.teacher, group, event.day, absent, town.clock.now)
    place.reckoner.tick(event)


def office_absence(town: Town, place: Place, event: e.OfficeAbsence) -> None:
    """Enter one day of one pupil in the office."""
    wanted = OfficeAbsence(place.enrolled[event.pupil].enrolment.id, event.day, "Giấy bác sĩ", event.credited)
    with town.at(place) as session:
        enter_absences(session, place.id, place.accountant, [wanted], town.clock.now)
    place.reckoner.office(event)


def close(town: Town, place: Place, event: e.Close) -> None:
    """Close a class's month."""
    with town.at(place) as session:
        close_month(session, place.id, place.teacher, place.classes[event.group], event.month, town.clock.now)
    place.reckoner.facts.closed.add((event.group, event.month))
