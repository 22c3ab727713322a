"""Who is told what, by which channel, and when not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money
from notifications.quiet import SCHOOL_TIME
from notifications.rules import LISTED, NOTICES, Kind, Occasion, Recipient, Silence, Via, earliest, plan, still_wanted

NOON = datetime(2025, 9, 8, 12, tzinfo=SCHOOL_TIME)
NIGHT = datetime(2025, 9, 8, 22, tzinfo=SCHOOL_TIME)
BILL = Occasion(Kind.BILL_ISSUED, Money(603_000))
PAID = Occasion(Kind.PAYMENT_RECEIVED, ZERO, NOON)


def person(number: int, phone: str | None = None, mail: str | None = None, **more: bool) -> Recipient:
    return Recipient(UUID(int=number), more.pop("wants_notices", True), phone, mail, **more)


def told(occasion: Occasion, *guardians: Recipient, both: bool = False) -> list[tuple[int, tuple[Via, ...]]]:
    made = plan(occasion, guardians, NOON, every_channel=both)
    return [(message.guardian_id.int, message.channels) for message in made.messages]


def test_sms_stands_between_zalo_and_mail() -> None:
    assert told(BILL, person(1, "p", "m", takes_sms=True)) == [(1, (Via.ZALO, Via.SMS, Via.MAIL))]
    assert told(BILL, person(1, "p", takes_sms=True, refuses_zalo=True)) == [(1, (Via.SMS,))]
    assert told(BILL, person(1, None, "m", takes_sms=True)) == [(1, (Via.MAIL,))]


def test_a_receipt_goes_to_the_phone_by_one_way_and_by_mail() -> None:
    assert told(PAID, person(1, "p", "m", takes_sms=True), both=True) == [(1, (Via.ZALO, Via.SMS)), (1, (Via.MAIL,))]


def test_a_shared_phone_is_told_once_by_whatever_way() -> None:
    both = person(1, "p", "m1", takes_sms=True), person(2, "p", "m2", takes_sms=True)
    assert told(BILL, *both) == [(1, (Via.ZALO, Via.SMS, Via.MAIL)), (2, (Via.MAIL,))]
    assert told(PAID, *both, both=True) == [(1, (Via.ZALO, Via.SMS)), (1, (Via.MAIL,)), (2, (Via.MAIL,))]


def test_zalo_first_then_mail() -> None:
    assert told(BILL, person(1, "p", "m")) == [(1, (Via.ZALO, Via.MAIL))]


def test_only_what_there_is() -> None:
    assert told(BILL, person(1, "p"), person(2, None, "m")) == [(1, (Via.ZALO,)), (2, (Via.MAIL,))]


def test_zalo_refused_means_mail() -> None:
    assert told(BILL, person(1, "p", "m", refuses_zalo=True)) == [(1, (Via.MAIL,))]


def test_both_when_the_school_says_so() -> None:
    assert told(PAID, person(1, "p", "m"), both=True) == [(1, (Via.ZALO,)), (1, (Via.MAIL,))]


def test_a_shared_phone_rings_once_and_the_other_parent_gets_mail() -> None:
    assert told(BILL, person(1, "p", "m1"), person(2, "p", "m2")) == [(1, (Via.ZALO, Via.MAIL)), (2, (Via.MAIL,))]


def test_a_mailbox_that_is_the_only_way_to_one_is_no_fallback_of_another() -> None:
    assert told(BILL, person(1, "p", "m"), person(2, None, "m")) == [(1, (Via.ZALO,)), (2, (Via.MAIL,))]


def test_who_does_not_want_notices_gets_none_and_frees_the_phone() -> None:
    assert told(BILL, person(1, "p", wants_notices=False), person(2, "p")) == [(2, (Via.ZALO,))]


def test_why_nobody_is_told() -> None:
    assert plan(BILL, [], NOON).silence is Silence.NO_GUARDIAN
    assert plan(BILL, [person(1), person(2)], NOON).silence is Silence.NO_CONTACT
    assert plan(BILL, [person(1, "p", refuses_zalo=True)], NOON).silence is Silence.NO_CONTACT
    assert plan(BILL, [person(1, "p", wants_notices=False)], NOON).silence is Silence.NOT_WANTED
    assert frozenset({Silence.NO_GUARDIAN, Silence.NO_CONTACT}) == LISTED


def test_a_covered_bill_is_never_announced() -> None:
    covered = Occasion(Kind.BILL_ISSUED, ZERO)
    assert plan(covered, [person(1, "p", "m")], NOON).silence is Silence.NOTHING_TO_PAY
    assert not still_wanted(covered)
    assert still_wanted(BILL)


def test_a_receipt_is_given_even_when_all_is_paid() -> None:
    assert told(PAID, person(1, "p")) == [(1, (Via.ZALO,))]


def test_a_notice_waits_for_the_morning() -> None:
    [message] = plan(BILL, [person(1, "p")], NIGHT).messages
    assert message.not_before == datetime(2025, 9, 9, 0, tzinfo=UTC)


def test_a_receipt_at_night_goes_out_only_while_the_payer_is_awake() -> None:
    just = Occasion(Kind.PAYMENT_RECEIVED, ZERO, NIGHT - timedelta(minutes=2))
    assert earliest(just, NIGHT) == NIGHT
    assert earliest(just, NIGHT + timedelta(hours=1)) == datetime(2025, 9, 9, 0, tzinfo=UTC)
    by_statement = Occasion(Kind.PAYMENT_RECEIVED, ZERO, None)
    assert earliest(by_statement, NIGHT) == datetime(2025, 9, 9, 0, tzinfo=UTC)


def test_a_notice_at_night_is_not_excused_by_a_payment() -> None:
    assert earliest(Occasion(Kind.BILL_ISSUED, Money(1), NIGHT), NIGHT) > NIGHT


keys = st.none() | st.sampled_from(["a", "b", "c"])
people = st.lists(
    st.builds(
        Recipient,
        guardian_id=st.uuids(),
        wants_notices=st.booleans(),
        phone=keys,
        mail=keys,
        refuses_zalo=st.booleans(),
        takes_sms=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda one: one.guardian_id,
)
occasions = st.builds(
    Occasion,
    kind=st.sampled_from(Kind),
    unpaid=st.integers(0, 10_000_000).map(Money),
    paid_at=st.none() | st.just(NOON),
)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  naive bounds are asked for


@given(occasions, people, moments, st.booleans())
def test_what_always_holds(occasion: Occasion, guardians: list[Recipient], now: datetime, both: bool) -> None:  # noqa: FBT001  Hypothesis fills it
    made = plan(occasion, guardians, now, every_channel=both)
    by_id = {one.guardian_id: one for one in guardians}
    assert bool(made.messages) is (made.silence is None)
    first_ways: list[tuple[str, str | bytes | None]] = []
    for message in made.messages:
        guardian = by_id[message.guardian_id]
        assert guardian.wants_notices
        assert message.channels
        assert message.not_before >= now
        assert list(message.channels) == sorted(message.channels, key=[Via.ZALO, Via.SMS, Via.MAIL].index)
        assert Via.ZALO not in message.channels or (guardian.phone and not guardian.refuses_zalo)
        assert Via.SMS not in message.channels or (guardian.phone and guardian.takes_sms)
        assert Via.MAIL not in message.channels or guardian.mail
        first = message.channels[0]
        first_ways.append(("mail", guardian.mail) if first is Via.MAIL else ("phone", guardian.phone))
    assert len(first_ways) == len(set(first_ways))
    if occasion.kind in NOTICES and not occasion.unpaid:
        assert made.silence is Silence.NOTHING_TO_PAY


@given(people, moments)
def test_everybody_reachable_who_wants_to_know_is_reached(guardians: list[Recipient], now: datetime) -> None:
    made = plan(BILL, guardians, now)
    ways = {
        (via, key)
        for one in guardians
        if one.wants_notices
        for via, key in (
            ("phone", one.phone if one.takes_sms or not one.refuses_zalo else None),
            ("mail", one.mail),
        )
        if key
    }
    named = {one.guardian_id for one in guardians if one.wants_notices}
    assert {message.guardian_id for message in made.messages} <= named
    assert bool(made.messages) is bool(ways)
