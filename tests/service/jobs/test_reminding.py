"""Reminders of what is not paid yet: on the days the school set, once a day, and mute where the rules say so."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.bills.instalments import Share, split_due
from billing.bills.tables import Bill, BillInstalment
from billing.errors import Refused
from billing.events.recording import BILL_REMINDED
from billing.events.tables import Event
from billing.payments.relieving import MoreTime, approve_relief, ask_grace
from billing.people.tables import Guardianship
from billing.vault import Vault
from notifications.occasions import happenings
from notifications.planning import plan_events
from notifications.reminding import set_days
from notifications.rules import Kind, Silence, Via, still_wanted
from notifications.tables import Message, NoticePlan, ReminderDay
from service.database import EVERYTHING, Database
from service.jobs import reconciling
from service.jobs.finding import waiting
from service.jobs.reminding import remind
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import make_guardian
from tests.service.pages.test_fee_pages import post
from tests.service.pages.test_leftovers import pay_and_lower
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

LOCAL = timezone(timedelta(hours=7))
DUE = date(2025, 10, 20)
PAGE = "/van-phong/nhac-nop"


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    """Three families with October's bill, due on the 20th; the school reminds three days before and five after."""
    made = make_world(database, addresses, vault, servers)
    made.change(lambda session: remind_on(session, made, -3, 5))
    return made


def remind_on(session: Session, world: World, *days: int) -> None:
    set_days(session, world.billing.id, days, world.billing.accountant, world.clock())


def at(world: World, day: date, hour: int = 8) -> datetime:
    world.clock.now = datetime.combine(day, time(hour, 5), LOCAL)
    return world.clock.now


def reminded(world: World) -> list[UUID]:
    """Return the pupils of all reminders so far."""
    query = select(Event).where(Event.kind == BILL_REMINDED).order_by(col(Event.id))
    with world.collecting.database.transaction(EVERYTHING) as session:
        events = session.exec(query).all()
        told = happenings(session, events)
    return [told[event.id or 0].pupil_id for event in events]


def pupils(world: World, *numbers: int) -> set[UUID]:
    return {world.billing.pupils[number].id for number in numbers}


def test_families_are_reminded_on_the_days_set_and_once_a_day(world: World) -> None:
    assert due_days(world) == {DUE}
    day = DUE - timedelta(days=3)
    at(world, day, 7)
    assert (waiting(world.wiring, "notifications.remind"), remind(world.wiring)) == (None, 0), "before eight o'clock"
    at(world, day)
    assert waiting(world.wiring, "notifications.remind") is not None
    assert (remind(world.wiring), remind(world.wiring)) == (1, 0)
    assert waiting(world.wiring, "notifications.remind") is None
    assert sorted(reminded(world)) == sorted(pupils(world, 0, 1, 2))
    at(world, DUE)
    assert remind(world.wiring) == 1, "looked at, and nobody's day"
    at(world, DUE + timedelta(days=5), 21)
    assert waiting(world.wiring, "notifications.remind") is None, "nor in the evening"
    assert len(reminded(world)) == 3


def due_days(world: World) -> set[date]:
    with world.collecting.database.transaction(EVERYTHING) as session:
        return set(session.exec(select(col(Bill.due_on))).all())


def test_who_has_paid_or_has_more_time_or_money_on_its_way_hears_nothing(world: World) -> None:
    world.change(lambda session: pay_and_lower(world, session, 0, 1))
    later = DUE + timedelta(days=10)

    def more_time(session: Session) -> None:
        billing, now = world.billing, world.clock()
        wanted = MoreTime(billing.pupils[1].id, None, later, "Đơn của gia đình", ())
        asked = ask_grace(session, billing.accountant, billing.id, wanted, now)
        approve_relief(session, billing.approver, billing.id, asked.id, now)

    world.change(more_time)
    at(world, DUE + timedelta(days=5))
    collecting = world.collecting
    asks = collecting.requests[2]
    collecting.receive(collecting.bank.callback(collecting.pays(asks.reference, 1_000)))
    reconciling.normalise(world.wiring)
    assert remind(world.wiring) == 1
    assert reminded(world) == []
    with collecting.database.transaction(EVERYTHING) as session:
        (day,) = session.exec(select(ReminderDay)).all()
        assert (day.reminded, day.muted) == (0, 1)


def test_money_that_waits_with_the_child_suggested_mutes_its_reminder(world: World) -> None:
    """A code that lacks one sign only suggests; the family has paid all the same."""
    collecting = world.collecting
    collecting.hear_of(collecting.pays(collecting.requests[2].reference[:-1], 650_000))
    collecting.reconcile()
    assert collecting.states() == ["waiting"]
    at(world, DUE + timedelta(days=5))
    assert remind(world.wiring) == 1
    assert set(reminded(world)) == pupils(world, 0, 1)


def test_an_instalment_that_is_not_asked_for_yet_reminds_nobody(world: World) -> None:
    shares = (Share(DUE, 40), Share(date(2025, 12, 20), 60))

    def in_parts(session: Session) -> None:
        for bill in session.exec(select(Bill)).all():
            session.add_all(
                BillInstalment(
                    school_id=bill.school_id, bill_id=bill.id, number=part.number, amount=part.amount,
                    due_on=part.due_on,
                )
                for part in split_due(bill.family_due, shares)
            )  # fmt: skip
            session.flush()

    world.change(in_parts)
    at(world, date(2025, 12, 17))
    assert remind(world.wiring) == 1
    assert reminded(world) == [], "December's part comes after October's, which is asked for first"
    at(world, DUE - timedelta(days=3))
    assert remind(world.wiring) == 1
    assert len(reminded(world)) == 3


def test_a_reminder_goes_as_a_notice_goes_and_is_dropped_when_it_was_paid_meanwhile(world: World) -> None:
    def guardians(session: Session) -> None:
        for number, wants in ((0, True), (1, True), (2, False)):
            child = world.billing.pupils[number]
            mail = f"me{number}@gia-dinh.example"
            guardian = make_guardian(session, world.wiring.vault, child, phone="", email=mail)
            of_guardian = select(Guardianship).where(Guardianship.guardian_id == guardian.id)
            session.exec(of_guardian).one().receives_notices = wants

    world.change(guardians)
    now = at(world, DUE - timedelta(days=3))
    remind(world.wiring)
    world.change(lambda session: pay_and_lower(world, session, 0, 1))
    with world.collecting.database.transaction(EVERYTHING) as session:
        events = session.exec(select(Event).where(Event.kind == BILL_REMINDED).order_by(col(Event.id))).all()
        occasions = {each.pupil_id: each.occasion for each in happenings(session, events).values()}
        assert [still_wanted(occasions[child.id]) for child in world.billing.pupils] == [False, True, True]
        plan_events(session, [event.id or 0 for event in events], now, {Via.MAIL})
        told = session.exec(select(Message)).all()
        assert {(row.kind, row.channel) for row in told} == {(Kind.BILL_REMINDED, Via.MAIL)}
        assert world.billing.pupils[1].id in {row.pupil_id for row in told}
        assert world.billing.pupils[0].id not in {row.pupil_id for row in told}, "paid meanwhile"
        reasons = {row.event_id: row.reason for row in session.exec(select(NoticePlan)).all()}
        assert Silence.MORE_TIME in {reasons[event.id or 0] for event in events}


def test_nobody_is_reminded_where_nothing_is_set(world: World) -> None:
    world.change(lambda session: remind_on(session, world))
    at(world, DUE - timedelta(days=3))
    assert (waiting(world.wiring, "notifications.remind"), remind(world.wiring)) == (None, 0)


def test_the_accountant_sets_the_days_on_the_page(world: World) -> None:
    accountant, approver = (world.signed_in(world.staff(role)) for role in ("accountant", "approver"))
    assert "3 ngày" in accountant.get(PAGE).text
    status, text = post(accountant, PAGE, truoc="2", sau="0, 7")
    assert (status, "Đã lưu" in text, "0, 7 ngày" in text) == (200, True, True)
    assert post(accountant, PAGE, truoc="hai", sau="")[0] == 422
    assert post(accountant, PAGE, truoc="11", sau="")[0] == 422
    assert post(approver, PAGE, truoc="1", sau="")[0] == 403
    assert "0, 7 ngày" in approver.get(PAGE).text
    with pytest.raises(Refused):
        world.change(lambda session: remind_on(session, world, 1, 2, 3, 4, 5, 6))
