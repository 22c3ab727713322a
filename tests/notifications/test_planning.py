"""Events become messages, on the real database."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from billing.events.going_back import BY_BANK, BY_CARD_DISPUTE, BY_CARD_REFUND
from billing.events.recording import PAYMENT_REVERSED, record_event
from billing.people.tables import Contact, Guardianship
from billing.storage import new_id
from notifications.planning import NO_CHANNEL, NOT_ANNOUNCED, plan_events, unplanned
from notifications.rules import Silence, Via
from service.database import EVERYTHING, Scope
from tests.notifications.world import World, statements

BOTH = frozenset(Via)


def plan_all(world: World, now: datetime | None = None, available: frozenset[Via] = BOTH) -> list[int]:
    with world.database.transaction(EVERYTHING) as session:
        waiting = unplanned(session, 100)
    with world.database.transaction(Scope.of(world.school.id)) as session:
        return list(plan_events(session, [event_id for _, event_id in waiting], now or world.now, available).values())


def test_a_notice_goes_by_zalo_with_mail_behind_it(world: World) -> None:
    guardian = world.guardian()
    world.bill()
    assert plan_all(world) == [2]
    zalo, mail = world.messages()
    assert (zalo.channel, zalo.state, zalo.fallback_of, zalo.next_try_at) == ("zalo", "pending", None, world.now)
    assert (mail.channel, mail.state, mail.fallback_of, mail.next_try_at) == ("email", "pending", zalo.id, None)
    assert {message.guardian_id for message in (zalo, mail)} == {guardian.id}
    assert plan_all(world) == []


def test_a_receipt_goes_both_ways_at_once(world: World) -> None:
    world.guardian()
    world.pay(world.bill(), 616_000)
    plan_all(world)
    receipts = [message for message in world.messages() if message.kind == "payment_received"]
    assert [(one.channel, one.fallback_of, one.next_try_at) for one in receipts] == [
        ("zalo", None, world.now),
        ("email", None, world.now),
    ]


def test_a_paid_bill_is_not_announced(world: World) -> None:
    world.guardian()
    world.pay(world.bill(), 616_000)
    plan_all(world)
    assert world.plans() == [(0, Silence.NOTHING_TO_PAY), (2, "")]


def test_a_void_or_covered_bill_is_not_announced(world: World) -> None:
    world.guardian()
    world.void_bill(world.bill())
    world.bill(0, reduced=616_000)
    plan_all(world)
    assert world.plans() == [(0, Silence.NOTHING_TO_PAY)] * 2


def test_a_reversed_payment_gives_no_receipt(world: World) -> None:
    world.guardian()
    world.reverse(world.pay(world.bill(), 600_000))
    plan_all(world)
    assert world.plans() == [(2, ""), (0, Silence.TAKEN_BACK)]


@pytest.mark.parametrize("by", [BY_BANK, BY_CARD_REFUND, BY_CARD_DISPUTE])
def test_money_that_went_back_to_a_card_is_told_whatever_is_due(world: World, by: str) -> None:
    world.guardian()
    request = world.bill()
    world.reverse(twice := world.pay(request, 0, credit=616_000))
    world.pay(request, 616_000)
    world.went_back(request, twice, by)
    plan_all(world)
    assert world.plans()[-1] == ((0, Silence.NOTHING_TO_PAY) if by == BY_BANK else (2, ""))


def test_what_came_again_before_anybody_was_told_is_no_news(world: World) -> None:
    world.guardian()
    request = world.bill()
    payment = world.pay(request, 616_000)
    world.went_back(request, payment, BY_CARD_DISPUTE)
    plan_all(world)
    assert world.plans()[-1] == (0, Silence.NO_CHANGE), "the payment, or one of its source as large, stands"


def test_why_nobody_is_told_is_written_down(world: World) -> None:
    world.bill()
    plan_all(world)
    guardian = world.guardian(phone=None, email=None)
    with world.database.transaction(EVERYTHING) as session:
        for contact in session.exec(select(Contact)).all():
            contact.valid_to = date(2025, 9, 30)
    world.bill()
    plan_all(world)
    with world.database.transaction(EVERYTHING) as session:
        tie = session.exec(select(Guardianship).where(Guardianship.guardian_id == guardian.id)).one()
        tie.receives_notices = False
    world.bill()
    plan_all(world)
    assert [reason for _, reason in world.plans()] == [Silence.NO_GUARDIAN, Silence.NO_CONTACT, Silence.NOT_WANTED]


@pytest.mark.parametrize("change", [{"may_see_bills": False}, {"valid_to": date(2025, 10, 5)}])
def test_who_may_not_see_bills_gets_none(world: World, change: dict[str, object]) -> None:
    guardian = world.guardian()
    with world.database.transaction(EVERYTHING) as session:
        tie = session.exec(select(Guardianship).where(Guardianship.guardian_id == guardian.id)).one()
        for name, value in change.items():
            setattr(tie, name, value)
    world.bill()
    plan_all(world)
    assert world.messages() == []


def test_a_contact_that_has_ended_is_not_used(world: World) -> None:
    guardian = world.guardian(email=None)
    with world.database.transaction(EVERYTHING) as session:
        old = session.exec(select(Contact).where(Contact.guardian_id == guardian.id)).one()
        old.valid_to = date(2025, 10, 5)
    world.bill()
    plan_all(world)
    assert world.plans() == [(0, Silence.NO_CONTACT)]


def test_at_night_a_notice_waits_and_a_receipt_just_paid_does_not(world: World) -> None:
    world.guardian(email=None)
    night = datetime(2025, 10, 6, 15, 30, tzinfo=UTC)  # half past ten in the evening
    world.bill()
    world.pay(world.bill(), 1_000, paid_at=(night - timedelta(minutes=3)).isoformat())
    world.pay(world.bill(), 1_000)
    plan_all(world, night)
    morning = datetime(2025, 10, 7, 0, 0, tzinfo=UTC)
    due = [(one.kind, one.next_try_at) for one in world.messages()]
    assert due.count(("payment_received", night)) == 1
    assert due.count(("payment_received", morning)) == 1
    assert due.count(("bill_issued", morning)) == 3


def test_only_channels_that_are_set_up_are_planned(world: World) -> None:
    world.guardian()
    world.bill()
    plan_all(world, available=frozenset({Via.MAIL}))
    assert world.states() == [("email", "pending")]
    world.bill()
    plan_all(world, available=frozenset())
    assert world.plans()[-1] == (0, NO_CHANNEL)


def test_an_event_that_is_nobodys_news_is_ticked_off(world: World) -> None:
    world.guardian()
    with world.database.transaction(EVERYTHING) as session:
        record_event(session, world.school.id, PAYMENT_REVERSED, new_id(), world.now)
    assert plan_all(world) == [0]
    assert world.plans() == [(0, NOT_ANNOUNCED)]


def test_planners_side_by_side_plan_once(world: World) -> None:
    world.guardian()
    for _ in range(5):
        world.bill()
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def run() -> None:
        together.wait()
        try:
            plan_all(world)
        except BaseException as failure:  # noqa: BLE001  a thread's failure must fail the test
            failures.append(failure)

    planners = [threading.Thread(target=run) for _ in range(4)]
    for planner in planners:
        planner.start()
    for planner in planners:
        planner.join()
    plan_all(world)
    assert failures == []
    assert len(world.messages()) == 10
    assert world.plans() == [(2, "")] * 5


def test_many_events_are_planned_with_as_many_questions_as_one(world: World) -> None:
    world.guardian()
    world.pay(world.bill(), 1_000)
    one = statements(world.database, lambda: plan_all(world))
    for _ in range(8):
        world.pay(world.bill(), 1_000)
    many = statements(world.database, lambda: plan_all(world))
    assert len(world.plans()) == 2 + 16
    assert many == one


def test_another_school_sees_nothing_of_it(world: World) -> None:
    world.guardian()
    world.bill()
    plan_all(world)
    with world.database.transaction(Scope.of(new_id())) as session:
        assert unplanned(session, 10) == []
