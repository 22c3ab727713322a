"""SMS on the real database: where the school pays, within its month, once, and on to mail when it does not arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.audit.tables import AuditEntry
from billing.errors import NotAllowed, Refused
from billing.money import ZERO, Money
from billing.storage import new_id
from notifications.channels.base import Accepted
from notifications.channels.esms import Delivery, SmsMessage, Told
from notifications.errors import (
    DeliveryProblem,
    PermanentFailure,
    RepeatableDoubt,
    TemporaryFailure,
    UnknownOutcome,
    Unreachable,
)
from notifications.rules import Kind, Via
from notifications.sending import LEASE, claim, store
from notifications.sms_budget import BY_PHONE, Month, phone_is_full, set_monthly, this_month
from notifications.sms_course import LOOKS, look_soon, note_look, to_look
from notifications.sms_tables import SmsText
from notifications.tables import Message
from notifications.wording.gsm import is_one_sms
from service.access.guardian_tables import GuardianCode
from service.database import EVERYTHING, Scope
from tests.factories.schools import make_user
from tests.notifications.test_sending import Killed, Provider, planned, prepared, send_all
from tests.notifications.world import World

NO_ZALO = Unreachable("Không có Zalo.", channel="zalo", code="-118")
TAKEN = Accepted("sms-1", '{"CodeResult": "100"}', "100")
DOUBLE = Accepted("", '{"CodeResult": "124"}', "124")
ARRIVED = Told(Delivery.DELIVERED, "5/1/0", Money(850))
LOST = Told(Delivery.UNDELIVERED, "5/0/1", ZERO)


def doubt(code: str = "ReadTimeout") -> RepeatableDoubt:
    return RepeatableDoubt("Không rõ.", channel="sms", code=code)


def down() -> TemporaryFailure:
    return TemporaryFailure("Không nối được.", channel="sms", code="ConnectError")


def pays(world: World, monthly: int) -> None:
    """Let the school pay for so many SMS a month."""

    def set_it(session: Session) -> None:
        user = make_user(session, world.school).user_id or new_id()
        set_monthly(session, world.school.id, monthly, Actor(user, "approver"), world.now)

    within(world, set_it)


def within(world: World, deed: Callable[[Session], object]) -> None:
    with world.database.transaction(Scope.of(world.school.id)) as session:
        deed(session)


def texts(world: World) -> list[SmsText]:
    with world.database.transaction(EVERYTHING) as session:
        return list(session.exec(select(SmsText).order_by(SmsText.at, SmsText.id)).all())  # type: ignore[arg-type]  # columns


def month(world: World, now: datetime | None = None) -> Month:
    with world.database.transaction(Scope.of(world.school.id)) as session:
        return this_month(session, world.school.id, now or world.now)


def looked(world: World, told: Told | None, now: datetime) -> int:
    """Ask about what is due and give one answer to all of it."""
    with world.database.transaction(EVERYTHING) as session:
        due = to_look(session, now, 10)
    for school_id, text_id, _ in due:
        with world.database.transaction(Scope.of(school_id)) as session:
            note_look(session, text_id, told, now)
    return len(due)


@pytest.fixture
def noticed(world: World) -> World:
    """A family with phone and mail, a notice, and a school that pays for ten SMS a month."""
    world.guardian()
    pays(world, 10)
    world.bill()
    planned(world)
    return world


def rang(noticed: World, *answers: DeliveryProblem | Accepted | Killed) -> Provider:
    """Return a provider whose Zalo has no such account, and whose eSMS answers as told."""
    provider = Provider({"zalo": [NO_ZALO], "sms": list(answers)})
    send_all(noticed, provider)
    return provider


def test_zalo_then_sms_then_mail(noticed: World) -> None:
    assert [message.channel for message in noticed.messages()] == ["zalo", "sms", "email"]
    provider = rang(noticed, TAKEN)
    send_all(noticed, provider)
    assert provider.channels == ["zalo", "sms"]
    assert noticed.states() == [("zalo", "failed"), ("sms", "accepted"), ("email", "superseded")]
    assert noticed.attempts() == [("unreachable", "-118"), ("accepted", "100")]
    sent = provider.got[1][1]
    assert isinstance(sent, SmsMessage)
    assert is_one_sms(sent.text)
    assert "can nop 616.000d" in sent.text
    [row] = texts(noticed)
    assert (row.state, row.provider_id, row.message_id) == ("accepted", "sms-1", UUID(sent.tracking_id))


def test_zalo_that_took_it_makes_no_sms(noticed: World) -> None:
    provider = Provider()
    send_all(noticed, provider)
    assert noticed.states() == [("zalo", "accepted"), ("sms", "superseded"), ("email", "superseded")]
    assert texts(noticed) == []


def test_a_school_that_pays_for_none_plans_none(world: World) -> None:
    world.guardian()
    world.bill()
    planned(world)
    assert [message.channel for message in world.messages()] == ["zalo", "email"]


def test_without_zalo_at_all_a_phone_gets_sms(world: World) -> None:
    world.guardian(email=None)
    pays(world, 10)
    world.bill()
    planned(world, frozenset({Via.SMS, Via.MAIL}))
    assert world.states() == [("sms", "pending")]


def test_a_receipt_goes_to_the_phone_once_and_by_mail(world: World) -> None:
    world.guardian()
    pays(world, 10)
    world.pay(world.bill(), 616_000)
    planned(world)
    receipts = [message for message in world.messages() if message.kind == Kind.PAYMENT_RECEIVED]
    assert [(message.channel, message.fallback_of is None) for message in receipts] == [
        ("zalo", True), ("sms", False), ("email", True),
    ]  # fmt: skip


def test_two_guardians_with_one_phone_are_told_there_once(noticed: World) -> None:
    noticed.guardian(email=None)  # the father, with the mother's phone
    noticed.bill()
    planned(noticed)
    assert [message.channel for message in noticed.messages()].count("sms") == 2, "one for each notice"


@pytest.mark.parametrize("answers", [[doubt(), TAKEN], [doubt(), DOUBLE], [down(), doubt(), DOUBLE]])
def test_a_doubt_is_offered_again_under_the_same_id(noticed: World, answers: list[Accepted | DeliveryProblem]) -> None:
    provider = rang(noticed, *answers)
    for seconds in range(1, 15):
        send_all(noticed, provider, noticed.now + timedelta(seconds=seconds))
    assert provider.channels == ["zalo"] + ["sms"] * len(answers)
    assert len({sent.tracking_id for channel, sent in provider.got if channel == "sms"}) == 1
    assert noticed.states() == [("zalo", "failed"), ("sms", "accepted"), ("email", "superseded")]
    assert (month(noticed).used, len(texts(noticed))) == (1, 1)


def test_killed_between_send_and_record_it_is_asked_again_and_never_sent_twice(noticed: World) -> None:
    provider = rang(noticed)
    provider.answers["sms"] = [Killed(), DOUBLE]
    with pytest.raises(Killed):
        send_all(noticed, provider)
    assert noticed.states() == [("zalo", "failed"), ("sms", "pending"), ("email", "pending")]
    assert send_all(noticed, provider, noticed.now + LEASE - timedelta(seconds=1)) == 0
    send_all(noticed, provider, noticed.now + LEASE)  # the lost lease is found
    send_all(noticed, provider, noticed.now + LEASE + timedelta(seconds=1))
    assert provider.channels == ["zalo", "sms", "sms"]
    assert provider.got[1][1].tracking_id == provider.got[2][1].tracking_id
    assert noticed.states() == [("zalo", "failed"), ("sms", "accepted"), ("email", "superseded")]
    assert [code for _, code in noticed.attempts()] == ["-118", "lost", "124"]


def test_a_doubt_of_yesterday_is_not_offered_again(noticed: World) -> None:
    provider = rang(noticed)
    provider.answers["sms"] = [Killed()]
    with pytest.raises(Killed):
        send_all(noticed, provider)
    tomorrow = noticed.now + timedelta(days=1)
    for seconds in range(3):
        send_all(noticed, provider, tomorrow + timedelta(seconds=seconds))
    assert provider.channels == ["zalo", "sms", "email"]
    assert noticed.states() == [("zalo", "failed"), ("sms", "unknown"), ("email", "accepted")]
    assert (texts(noticed)[0].state, month(noticed, tomorrow).used) == ("unknown", 1), "it may have cost money"


@pytest.mark.parametrize("refusal", ["104", "146"])
def test_a_refusal_after_a_doubt_leaves_the_doubt(noticed: World, refusal: str) -> None:
    provider = rang(noticed, doubt(), PermanentFailure("Không.", channel="sms", code=refusal))
    for seconds in range(3):
        send_all(noticed, provider, noticed.now + timedelta(seconds=seconds))
    assert noticed.states() == [("zalo", "failed"), ("sms", "unknown"), ("email", "accepted")]
    assert texts(noticed)[0].provider_code == refusal


def test_a_refusal_costs_nothing_and_goes_on_by_mail(noticed: World) -> None:
    provider = rang(noticed, PermanentFailure("Không.", channel="sms", code="146"))
    send_all(noticed, provider)
    send_all(noticed, provider)
    assert provider.channels == ["zalo", "sms", "email"]
    assert (texts(noticed)[0].state, month(noticed).used) == ("refused", 0)


def test_an_outage_of_two_hours_is_waited_for(world: World) -> None:
    """Nothing goes by mail meanwhile, nothing is sent twice, and one that gets through brings the others forward."""
    world.guardian(email=None)
    pays(world, 10)
    world.bill()
    planned(world, frozenset({Via.SMS}))
    provider = Provider({"sms": [down() for _ in range(200)]})
    now, end = world.now, world.now + timedelta(hours=2)
    while now < end:
        send_all(world, provider, now)
        now = world.messages()[0].next_try_at or end
    provider.answers["sms"] = [TAKEN]
    send_all(world, provider, now)
    assert world.states() == [("sms", "accepted")]
    assert month(world).used == 1


def test_no_sms_at_night_but_a_receipt_just_paid(world: World) -> None:
    world.guardian(email=None)
    pays(world, 10)
    world.bill()
    planned(world, frozenset({Via.SMS}))
    night = datetime(2025, 10, 6, 14, 0, tzinfo=UTC)  # nine in the evening
    provider = Provider({"sms": [TAKEN, TAKEN]})
    send_all(world, provider, night)
    assert provider.got == []
    world.now = night
    world.pay(world.bill(), 616_000, paid_at=night.isoformat())
    with world.database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE messages SET next_try_at = :then"), {"then": night + timedelta(hours=10)})
    planned_at(world, night)
    send_all(world, provider, night)
    assert [sent.text.count("da nhan") for _, sent in provider.got if isinstance(sent, SmsMessage)] == [1]


def planned_at(world: World, now: datetime) -> None:
    """Plan what there is for SMS at a moment."""
    from_now, world.now = world.now, now
    planned(world, frozenset({Via.SMS}))
    world.now = from_now


def test_the_month_stops_and_the_rest_goes_by_mail(world: World) -> None:
    world.guardian()
    pays(world, 2)
    for _ in range(4):
        world.bill()
    planned(world)
    provider = Provider({"zalo": [NO_ZALO] * 4, "sms": [TAKEN] * 4})
    for _ in range(3):
        send_all(world, provider)
    assert (provider.channels.count("sms"), provider.channels.count("email")) == (2, 2)
    assert [code for _, code in world.attempts()].count("budget") == 2
    assert month(world) == Month(monthly=2, used=2, delivered=0, undelivered=0, told=0, cost=ZERO)
    november = world.now + timedelta(days=31)
    assert (month(world, november).used, month(world, november).left) == (0, 2)


def test_two_senders_do_not_take_the_last_one_twice(world: World) -> None:
    world.guardian(email=None)
    pays(world, 1)
    world.bill()
    world.bill()
    planned(world, frozenset({Via.SMS}))
    both, together, ours = prepared(world, world.now), threading.Barrier(2), list[bool]()

    def run(place: int) -> None:
        together.wait()
        with world.database.transaction(Scope.of(world.school.id)) as session:
            ours.append(claim(session, both[place], world.now))

    threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(ours) == [False, True]
    assert month(world).used == 1


def test_a_school_that_stops_paying_stops_at_once(noticed: World) -> None:
    provider = rang(noticed)
    pays(noticed, 0)
    send_all(noticed, provider)
    send_all(noticed, provider)
    assert provider.channels == ["zalo", "email"]
    assert noticed.attempts()[1] == ("unreachable", "off")


@pytest.mark.parametrize("change", ["receives_notices = false", "may_see_bills = false"])
def test_who_took_the_consent_back_gets_no_sms(noticed: World, change: str) -> None:
    provider = rang(noticed)
    with noticed.database.transaction(EVERYTHING) as session:
        session.execute(text(f"UPDATE guardianships SET {change}"))  # noqa: S608  words of this test
    send_all(noticed, provider)
    assert provider.channels == ["zalo"]
    assert texts(noticed) == []


def test_a_phone_that_got_many_texts_is_reminded_later(noticed: World) -> None:
    blind, school = b"b" * 32, noticed.school.id
    (most, span), (most_a_day, _) = BY_PHONE

    def full(kind: Kind) -> datetime | None:
        with noticed.database.transaction(Scope.of(school)) as session:
            return phone_is_full(session, school, blind, kind, noticed.now)

    def got(number: int, ago: timedelta) -> None:
        with noticed.database.transaction(EVERYTHING) as session:
            message = session.exec(select(Message).where(Message.channel == "sms")).all()[0]
            for _ in range(number):
                copied = Message(**message.model_dump() | {"id": new_id(), "guardian_id": noticed.guardian().id})
                session.add(copied)
                session.flush()
                row = SmsText(school_id=school, message_id=copied.id, phone_blind=blind, at=noticed.now - ago)
                session.add(row)

    assert full(Kind.BILL_REMINDED) is None
    got(most, timedelta(minutes=20))
    assert full(Kind.BILL_REMINDED) == noticed.now - timedelta(minutes=20) + span
    assert full(Kind.PAYMENT_RECEIVED) is None, "a receipt never waits for that"
    got(most_a_day - most, timedelta(hours=5))
    assert full(Kind.CHOICE_OFFERED) == datetime(2025, 10, 7, 0, 0, tzinfo=UTC)


def test_a_reminder_put_off_counts_no_try_and_goes_when_the_hour_is_over(world: World) -> None:
    guardian = world.guardian(email=None)
    pays(world, 10)
    world.bill()
    planned(world, frozenset({Via.SMS}))
    send_all(world, Provider({"sms": [TAKEN]}))
    with world.database.transaction(EVERYTHING) as session:
        first = session.exec(select(Message)).one()
        [taken] = session.exec(select(SmsText)).all()
        for _ in range(BY_PHONE[0][0] - 1):
            session.add(
                SmsText(**taken.model_dump() | {"id": new_id(), "message_id": None, "code_id": code(session, world)})
            )
        reminder = {"id": new_id(), "kind": "bill_reminded", "channel": "zalo", "state": "pending", "attempts": 0}
        reminder |= {"channel": "sms", "guardian_id": guardian.id, "next_try_at": world.now, "provider_id": None}
        world.bill()
        event = session.execute(text("SELECT max(id) FROM events")).scalar_one()
        session.add(Message(**first.model_dump() | reminder | {"event_id": event}))
    provider = Provider({"sms": [TAKEN]})
    send_all(world, provider)
    [waiting] = [message for message in world.messages() if message.kind == Kind.BILL_REMINDED]
    later = world.now + BY_PHONE[0][1]
    assert (provider.got, waiting.attempts, waiting.lease_until, waiting.next_try_at) == ([], 0, None, later)
    send_all(world, provider, later)
    assert provider.channels == ["sms"]


def code(session: Session, world: World) -> UUID:
    """Put a one-time code into the database, as somebody asked for it."""
    row = GuardianCode(
        school_id=world.school.id, purpose="explain", link_hash=b"l", contact_kind="phone", contact_blind=b"b",
        contact_masked="09", digest=b"d", made_at=world.now, expires_at=world.now + timedelta(minutes=10),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def test_what_did_not_arrive_goes_on_by_mail(noticed: World) -> None:
    provider = rang(noticed, TAKEN)
    send_all(noticed, provider)
    assert looked(noticed, LOST, noticed.now) == 0, "not asked at once"
    soon = noticed.now + LOOKS[0]
    assert looked(noticed, LOST, soon) == 1
    send_all(noticed, provider, soon)
    assert noticed.states() == [("zalo", "failed"), ("sms", "failed"), ("email", "accepted")]
    assert ("undelivered", "5/0/1") in noticed.attempts()
    assert month(noticed).undelivered == 1
    assert looked(noticed, ARRIVED, soon + timedelta(days=1)) == 0, "nobody asks again"


def test_what_arrived_is_counted_with_its_cost(noticed: World) -> None:
    send_all(noticed, rang(noticed, TAKEN))
    assert looked(noticed, ARRIVED, noticed.now + LOOKS[0]) == 1
    assert month(noticed) == Month(monthly=10, used=1, delivered=1, undelivered=0, told=1, cost=Money(850))


def test_what_nothing_is_told_of_is_asked_about_later_and_given_up_in_the_end(noticed: World) -> None:
    send_all(noticed, rang(noticed, TAKEN))
    now, asked = noticed.now, 0
    while (due := texts(noticed)[0].next_look_at) is not None:
        now = due
        asked += looked(noticed, None if asked % 2 else Told(Delivery.WAITING, "7/0/0"), now)
    assert asked == len(LOOKS)
    assert texts(noticed)[0].state == "accepted"


def test_news_makes_us_ask_and_nothing_else(noticed: World) -> None:
    send_all(noticed, rang(noticed, TAKEN))
    [row] = texts(noticed)
    assert row.message_id is not None
    with noticed.database.transaction(EVERYTHING) as session:
        assert look_soon(session, [new_id()], noticed.now) == 0
        assert look_soon(session, [row.message_id], noticed.now) == 1
    assert texts(noticed)[0].state == "accepted"
    assert looked(noticed, ARRIVED, noticed.now) == 1
    with noticed.database.transaction(EVERYTHING) as session:
        assert look_soon(session, [row.message_id], noticed.now) == 0, "it is known by now"


def test_a_late_answer_does_not_undo_what_another_try_brought(noticed: World) -> None:
    rang(noticed)
    [one] = prepared(noticed, noticed.now)
    within(noticed, lambda session: claim(session, one, noticed.now))
    within(noticed, lambda session: store(session, one.message_id, TAKEN, noticed.now))
    within(noticed, lambda session: store(session, one.message_id, doubt(), noticed.now))
    within(noticed, lambda session: store(session, one.message_id, DOUBLE, noticed.now))
    assert noticed.states()[1] == ("sms", "accepted")
    assert (texts(noticed)[0].state, texts(noticed)[0].provider_id) == ("accepted", "sms-1")
    assert [outcome for outcome, _ in noticed.attempts()] == ["unreachable", "accepted", "repeated", "repeated"]
    again = Accepted("sms-2", "{}", "100")
    within(noticed, lambda session: store(session, one.message_id, again, noticed.now))
    assert noticed.attempts()[-1] == ("accepted", "100"), "two texts of one message are two, and I11 says so"


def test_a_bill_paid_meanwhile_gives_its_text_back(noticed: World) -> None:
    provider = rang(noticed, down())
    send_all(noticed, provider)
    assert month(noticed).used == 1
    with noticed.database.transaction(EVERYTHING) as session:
        request = session.execute(text("SELECT id FROM payment_requests")).scalar_one()
    noticed.void_bill(request)
    send_all(noticed, provider, noticed.now + timedelta(seconds=2))
    assert (texts(noticed)[0].state, month(noticed).used) == ("refused", 0)


def test_who_sets_the_month_is_written_down_and_nonsense_is_refused(world: World) -> None:
    pays(world, 300)
    assert month(world).monthly == 300
    with world.database.transaction(EVERYTHING) as session:
        assert [row.action for row in session.exec(select(AuditEntry)).all()] == ["sms.set"]
        user = make_user(session, world.school).user_id
        for wrong in (-1, 100_001):
            with pytest.raises(Refused):
                set_monthly(session, world.school.id, wrong, Actor(user, "approver"), world.now)
        with pytest.raises(NotAllowed):
            set_monthly(session, world.school.id, 1, Actor(None, "system"), world.now)


def test_an_unknown_outcome_of_another_channel_is_not_repeated(noticed: World) -> None:
    provider = Provider({"zalo": [UnknownOutcome("Không rõ.", channel="zalo", code="500")], "sms": [TAKEN]})
    send_all(noticed, provider)
    send_all(noticed, provider)
    assert provider.channels == ["zalo", "sms"]
    assert noticed.states() == [("zalo", "unknown"), ("sms", "accepted"), ("email", "superseded")]
