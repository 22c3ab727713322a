"""Messages go out once: answers, nights, fallbacks, kills and races, on the real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from billing.payments.tables import PaymentRequest
from billing.people.tables import Contact, Guardian
from notifications.channels.base import Accepted
from notifications.channels.base import Message as Outgoing
from notifications.channels.mail import Letter
from notifications.channels.zalo import TemplateMessage
from notifications.errors import DeliveryProblem, PermanentFailure, TemporaryFailure, UnknownOutcome, Unreachable
from notifications.planning import plan_events, unplanned
from notifications.rules import Via
from notifications.sending import (
    LEASE,
    MOST_TRIES,
    RESERVED,
    Reserved,
    Written,
    bring_forward,
    claim,
    note_breakdown,
    reserve,
    store,
    wait_before,
    write,
)
from service.database import EVERYTHING, Scope
from tests.notifications.world import PDF, World, statements

Answer = Accepted | DeliveryProblem
OK = Accepted("p-1", "250 OK")


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing after it runs."""


@dataclass
class Provider:
    """A provider that answers as told and remembers what it was given."""

    answers: dict[str, list[Answer | Killed]] = field(default_factory=dict)
    got: list[tuple[str, Outgoing]] = field(default_factory=list)

    def __call__(self, channel: str, outgoing: Outgoing) -> Answer:
        self.got.append((channel, outgoing))
        waiting = self.answers.get(channel, [])
        answer = waiting.pop(0) if waiting else OK
        if isinstance(answer, Killed):
            raise answer
        return answer

    @property
    def channels(self) -> list[str]:
        return [channel for channel, _ in self.got]


def send_all(world: World, provider: Callable[[str, Outgoing], Answer], now: datetime | None = None) -> int:
    """One sweep: everything that is due now, once each."""
    now = now or world.now
    reserved = taken(world, now)
    for group in reserved:
        with world.database.transaction(Scope.of(group.school_id)) as session:
            written = write(session, group, world.desk(), now)
        for one in written:
            with world.database.transaction(Scope.of(group.school_id)) as session:
                if not claim(session, one, now):
                    continue
            answer = provider(one.channel, one.outgoing)
            with world.database.transaction(Scope.of(group.school_id)) as session:
                store(session, one.message_id, answer, now)
    return sum(len(group.message_ids) for group in reserved)


def taken(world: World, now: datetime) -> list[Reserved]:
    with world.database.transaction(EVERYTHING) as session:
        return reserve(session, now, 100, 25)


def prepared(world: World, now: datetime) -> list[Written]:
    """Reserve and write what is due, and go no further."""
    [group] = taken(world, now)
    with world.database.transaction(Scope.of(group.school_id)) as session:
        return write(session, group, world.desk(), now)


def planned(world: World, available: frozenset[Via] = frozenset(Via)) -> None:
    with world.database.transaction(EVERYTHING) as session:
        waiting = unplanned(session, 100)
    with world.database.transaction(Scope.of(world.school.id)) as session:
        plan_events(session, [event_id for _, event_id in waiting], world.now, available)


@pytest.fixture
def noticed(world: World) -> World:
    """A bill just issued, its notice planned: Zalo, with mail behind it."""
    world.guardian()
    world.bill()
    planned(world)
    return world


def trouble(kind: type[DeliveryProblem], code: str = "x") -> DeliveryProblem:
    return kind("Không gửi được.", channel="zalo", code=code)


def test_an_accepted_notice_needs_no_fallback(noticed: World) -> None:
    provider = Provider()
    send_all(noticed, provider)
    assert noticed.states() == [("zalo", "accepted"), ("email", "superseded")]
    assert noticed.messages()[0].provider_id == "p-1"
    assert noticed.attempts() == [("accepted", "")]
    assert send_all(noticed, provider, noticed.now + timedelta(days=1)) == 0
    [(_, sent)] = provider.got
    assert isinstance(sent, TemplateMessage)
    assert (sent.to, sent.tracking_id) == ("84912345678", str(noticed.messages()[0].id))
    assert sent.params["amount"] == "616.000 đ"
    assert sent.params["student_name"] == "N. T. B. An"


@pytest.mark.parametrize(
    ("kind", "state"), [(Unreachable, "failed"), (PermanentFailure, "failed"), (UnknownOutcome, "unknown")]
)
def test_what_is_refused_or_doubtful_goes_on_by_mail(noticed: World, kind: type[DeliveryProblem], state: str) -> None:
    provider = Provider({"zalo": [trouble(kind, "-118")]})
    send_all(noticed, provider)
    send_all(noticed, provider)
    assert provider.channels == ["zalo", "email"]
    assert noticed.states() == [("zalo", state), ("email", "accepted")]
    assert noticed.attempts()[0][1] == "-118"
    letter = provider.got[1][1]
    assert isinstance(letter, Letter)
    assert (letter.to, letter.from_name) == ("hong@gia-dinh.example", noticed.school.name)
    assert "Tiền ăn bán trú: 616.000 đ (22 ngày ăn × 28.000 đ)" in letter.text
    assert letter.attachments == ()


def test_a_temporary_refusal_waits_longer_each_time_and_ends_after_forty(noticed: World) -> None:
    provider = Provider({"zalo": [trouble(TemporaryFailure) for _ in range(MOST_TRIES + 5)]})
    now, waits = noticed.now, []
    for _ in range(MOST_TRIES):
        send_all(noticed, provider, now)
        due_at = noticed.messages()[0].next_try_at
        if due_at is None:
            break
        waits.append(due_at - now)
        assert send_all(noticed, provider, due_at - timedelta(microseconds=1)) == 0
        now = due_at
    assert waits[:4] == [timedelta(seconds=second) for second in (1, 3, 9, 27)]
    assert waits[-1] == timedelta(minutes=10)
    assert provider.channels == ["zalo"] * MOST_TRIES
    send_all(noticed, provider, now)
    assert noticed.states() == [("zalo", "failed"), ("email", "accepted")]


def test_the_waits_grow_from_a_second_to_ten_minutes() -> None:
    waits = [wait_before(tries) for tries in range(1, MOST_TRIES + 1)]
    assert waits[0] == timedelta(seconds=1)
    assert waits == sorted(waits)
    assert max(waits) == timedelta(minutes=10)


def test_a_spent_quota_goes_by_mail_today(noticed: World) -> None:
    spent = TemporaryFailure("Hết hạn mức.", channel="zalo", code="-1472", next_day=True)
    provider = Provider({"zalo": [spent]})
    send_all(noticed, provider)
    send_all(noticed, provider)
    assert provider.channels == ["zalo", "email"]


def test_a_spent_quota_without_another_way_waits_for_tomorrow(world: World) -> None:
    world.guardian(email=None)
    world.bill()
    planned(world)
    provider = Provider({"zalo": [TemporaryFailure("Hết.", channel="zalo", code="-1472", next_day=True)]})
    send_all(world, provider)
    tomorrow = datetime(2025, 10, 7, 0, 0, tzinfo=UTC)
    assert world.messages()[0].next_try_at == tomorrow
    send_all(world, provider, tomorrow)
    assert world.states() == [("zalo", "accepted")]


def test_a_bill_made_void_meanwhile_is_not_announced(noticed: World) -> None:
    noticed.void_bill(_request_of(noticed))
    provider = Provider()
    send_all(noticed, provider)
    assert provider.got == []
    assert noticed.states() == [("zalo", "superseded"), ("email", "superseded")]


def test_what_became_due_at_night_waits_for_the_morning(noticed: World) -> None:
    provider = Provider()
    night = datetime(2025, 10, 6, 14, 0, tzinfo=UTC)  # nine in the evening
    send_all(noticed, provider, night)
    assert provider.got == []
    assert noticed.messages()[0].next_try_at == datetime(2025, 10, 7, 0, 0, tzinfo=UTC)
    assert noticed.messages()[0].attempts == 0


def test_a_receipt_comes_with_its_pdf_and_says_what_is_left(world: World) -> None:
    world.guardian()
    world.pay(world.bill(), 500_000)
    planned(world)
    provider = Provider()
    send_all(world, provider)
    by_channel = {channel: sent for channel, sent in provider.got if "BL2025" in _words(sent)}
    assert set(by_channel) == {"zalo", "email"}
    zalo, letter = by_channel["zalo"], by_channel["email"]
    assert isinstance(zalo, TemplateMessage)
    assert isinstance(letter, Letter)
    assert (zalo.params["amount"], zalo.params["remaining"]) == ("500.000 đ", "116.000 đ")
    assert zalo.params["receipt_number"] == "BL2025-0000001"
    assert "Còn chưa nộp: 116.000 đ" in letter.text
    [pdf] = letter.attachments
    assert (pdf.file_name, pdf.content) == ("bien-lai-BL2025-0000001.pdf", PDF)


def test_money_beyond_the_bill_is_told_as_such(world: World) -> None:
    world.guardian()
    world.pay(world.bill(), 616_000, credit=34_000)
    planned(world)
    provider = Provider()
    send_all(world, provider)
    letter = next(sent for _, sent in provider.got if isinstance(sent, Letter))
    assert "Tiền nộp thừa: 34.000 đ" in letter.text
    assert "Đã nộp đủ." in letter.text


def test_a_payment_that_paid_no_bill_still_gets_its_receipt(world: World) -> None:
    world.guardian(email=None)
    request_id = world.bill()
    world.pay(request_id, 616_000)
    world.pay(request_id, 0, credit=50_000)
    planned(world)
    provider = Provider()
    send_all(world, provider)
    amounts = [sent.params["amount"] for _, sent in provider.got if isinstance(sent, TemplateMessage)]
    assert sorted(amounts) == ["50.000 đ", "616.000 đ"]


def test_a_reduction_never_shows(world: World) -> None:
    world.guardian(phone=None)
    world.bill(308_000, reduced=308_000)
    planned(world, frozenset({Via.MAIL}))
    provider = Provider()
    send_all(world, provider)
    [(_, letter)] = provider.got
    assert isinstance(letter, Letter)
    assert "Tiền ăn bán trú: 308.000 đ\n" in letter.text
    assert "616.000" not in letter.text + letter.html
    assert "28.000" not in letter.text + letter.html


def test_an_english_reader_gets_english_mail(world: World) -> None:
    world.guardian(language="en")
    world.bill()
    planned(world, frozenset({Via.MAIL}))
    provider = Provider()
    send_all(world, provider)
    [(_, letter)] = provider.got
    assert isinstance(letter, Letter)
    assert letter.text.startswith("Dear Trần Thị Hồng,")


def test_a_contact_removed_meanwhile_is_not_written_to(noticed: World) -> None:
    with noticed.database.transaction(EVERYTHING) as session:
        for contact in session.exec(select(Contact).where(Contact.kind == "phone")).all():
            contact.valid_to = noticed.now.date() - timedelta(days=1)
    provider = Provider()
    send_all(noticed, provider)
    send_all(noticed, provider)
    assert provider.channels == ["email"]
    assert noticed.attempts() == [("unreachable", "no_contact"), ("accepted", "")]


@pytest.mark.parametrize(
    "change",
    ["receives_notices = false", "may_see_bills = false", "valid_to = '2025-10-05'"],
    ids=["took the consent back", "barred", "answers no more"],
)
def test_who_is_not_to_be_told_any_more_is_not_told_what_was_planned_before(noticed: World, change: str) -> None:
    """A night lies between planning and sending; what was taken back in it is taken back."""
    with noticed.database.transaction(EVERYTHING) as session:
        session.execute(text(f"UPDATE guardianships SET {change}"))  # noqa: S608  words of this test
    provider = Provider()
    send_all(noticed, provider)
    assert provider.got == []
    assert noticed.states() == [("zalo", "superseded"), ("email", "superseded")]


def test_what_does_not_fit_zalo_goes_by_mail(world: World) -> None:
    world.guardian()
    world.bill(period="※")  # nothing of it may stand in a parameter
    planned(world)
    provider = Provider()
    send_all(world, provider)
    send_all(world, provider)
    assert provider.channels == ["email"]
    assert world.attempts()[0] == ("permanent", "unfit")


def test_killed_after_the_provider_accepted_it_is_never_sent_again(noticed: World) -> None:
    provider = Provider({"zalo": [Killed()]})
    with pytest.raises(Killed):
        send_all(noticed, provider)
    assert noticed.states() == [("zalo", "pending"), ("email", "pending")]
    assert send_all(noticed, provider, noticed.now + LEASE - timedelta(seconds=1)) == 0
    send_all(noticed, provider, noticed.now + LEASE)
    assert noticed.states() == [("zalo", "unknown"), ("email", "pending")]
    assert noticed.attempts() == [("unknown", "lost")]
    send_all(noticed, provider, noticed.now + LEASE)
    assert provider.channels == ["zalo", "email"]


def test_killed_before_the_call_it_is_sent_a_minute_later(noticed: World) -> None:
    """Whether while writing or before claiming: nobody can have got it, so there is no doubt, and no try is counted."""
    assert len(prepared(noticed, noticed.now)) == 1
    provider = Provider()
    assert send_all(noticed, provider, noticed.now + RESERVED - timedelta(seconds=1)) == 0
    send_all(noticed, provider, noticed.now + RESERVED)
    assert provider.channels == ["zalo"]
    assert noticed.states() == [("zalo", "accepted"), ("email", "superseded")]
    assert noticed.messages()[0].attempts == 1


def test_what_was_written_too_long_ago_is_written_again_by_somebody(noticed: World) -> None:
    [slow] = prepared(noticed, noticed.now)
    later = noticed.now + RESERVED
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        assert not claim(session, slow, later)
    [quick] = prepared(noticed, later)
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        assert not claim(session, slow, noticed.now)  # by a clock that stood still: the other has reserved it
        assert claim(session, quick, later)
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        assert not claim(session, quick, later)
        store(session, quick.message_id, OK, later)
    assert noticed.attempts() == [("accepted", "")]
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        assert not claim(session, slow, noticed.now)


def test_a_message_brought_forward_while_it_was_written_is_still_sent_once(world: World) -> None:
    world.guardian(email=None)
    world.bill()
    planned(world)
    send_all(world, Provider({"zalo": [trouble(TemporaryFailure)]}))
    soon = world.now + timedelta(seconds=1)
    [first] = prepared(world, soon)
    with world.database.transaction(EVERYTHING) as session:
        bring_forward(session, "zalo", soon)
    [second] = prepared(world, soon)
    with world.database.transaction(EVERYTHING) as session:
        assert [claim(session, first, soon), claim(session, second, soon)] == [True, False]


def test_many_are_written_with_as_many_questions_as_one(world: World) -> None:
    world.guardian()
    asked: list[int] = []
    sent: list[Written] = []
    for families in (1, 8):
        for _ in range(families):
            world.pay(world.bill(), 1_000)
        planned(world)
        asked.append(statements(world.database, lambda: sent.extend(prepared(world, world.now))))
    assert len(sent) == 3 + 3 * 8  # a notice by Zalo, a receipt by Zalo and by mail
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("answer", "state"), [(OK, "accepted"), (trouble(TemporaryFailure), "failed"), (trouble(UnknownOutcome), "unknown")]
)
def test_an_answer_after_the_lease_was_lost_settles_the_doubt(noticed: World, answer: Answer, state: str) -> None:
    [one] = prepared(noticed, noticed.now)
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        assert claim(session, one, noticed.now)
    later = noticed.now + LEASE
    send_all(noticed, Provider(), later)
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        store(session, one.message_id, answer, later)
    assert noticed.states()[0] == ("zalo", state)


def test_senders_side_by_side_send_once(world: World) -> None:
    world.guardian(email=None)
    for _ in range(6):
        world.bill()
    planned(world)
    provider, together, failures = Provider(), threading.Barrier(4), list[BaseException]()

    def run() -> None:
        together.wait()
        try:
            send_all(world, provider)
        except BaseException as failure:  # noqa: BLE001  a thread's failure must fail the test
            failures.append(failure)

    senders = [threading.Thread(target=run) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert failures == []
    send_all(world, provider)
    tracking = [sent.tracking_id for _, sent in provider.got]
    assert len(tracking) == len(set(tracking)) == 6
    assert {state for _, state in world.states()} == {"accepted"}
    assert len(world.attempts()) == 6


def test_what_our_program_cannot_write_is_put_back_and_ends(noticed: World) -> None:
    message_id = noticed.messages()[0].id
    for tries in range(1, MOST_TRIES + 1):
        with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
            note_breakdown(session, message_id, noticed.now)
        assert noticed.messages()[0].attempts == tries
    assert noticed.states()[0] == ("zalo", "failed")
    assert set(noticed.attempts()) == {("temporary", "program")}


def test_a_channel_that_works_again_brings_forward_what_waits(world: World) -> None:
    world.guardian(email=None)
    world.bill()
    world.bill()
    planned(world)
    provider = Provider({"zalo": [trouble(TemporaryFailure) for _ in range(2)]})
    send_all(world, provider)
    soon = world.now + timedelta(milliseconds=1)
    assert send_all(world, provider, soon) == 0
    with world.database.transaction(EVERYTHING) as session:
        bring_forward(session, "email", soon)
    assert send_all(world, provider, soon) == 0
    with world.database.transaction(EVERYTHING) as session:
        bring_forward(session, "zalo", soon)
    assert send_all(world, provider, soon) == 2
    assert world.states() == [("zalo", "accepted")] * 2


def test_a_school_sends_only_its_own(noticed: World) -> None:
    [group] = taken(noticed, noticed.now)
    with noticed.database.transaction(Scope.of(UUID(int=1))) as session:
        assert write(session, group, noticed.desk(), noticed.now) == []
    with noticed.database.transaction(Scope.of(noticed.school.id)) as session:
        [one] = write(session, group, noticed.desk(), noticed.now)
    with noticed.database.transaction(Scope.of(UUID(int=1))) as session:
        assert not claim(session, one, noticed.now)


def test_the_guardian_may_be_renamed_before_sending(noticed: World) -> None:
    with noticed.database.transaction(EVERYTHING) as session:
        guardian = session.exec(select(Guardian)).one()
        guardian.full_name = "Trần Thị Ánh Hồng"
    provider = Provider()
    send_all(noticed, provider)
    sent = provider.got[0][1]
    assert isinstance(sent, TemplateMessage)
    assert sent.params["customer_name"] == "Trần Thị Ánh Hồng"


def _request_of(world: World) -> UUID:
    with world.database.transaction(EVERYTHING) as session:
        return session.exec(select(PaymentRequest.id)).one()


def _words(sent: Outgoing) -> str:
    return sent.text if isinstance(sent, Letter) else str(sent.params) if isinstance(sent, TemplateMessage) else ""
