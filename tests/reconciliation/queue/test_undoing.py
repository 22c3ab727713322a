"""Undoing a match: one act reverses ledger, debt and receipt, and the money waits again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from billing.credits.refunding import Wanted as WantedBack
from billing.credits.refunding import ask_refund, reject_refund
from billing.errors import Conflict, OwnFamily, Refused, SamePerson
from billing.events.tables import Event
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.payments.tables import ReceiptVoid
from billing.people import agreeing
from billing.people.declaring import Named, declare_child
from billing.people.tables import PupilCode
from reconciliation.errors import CreditUsed, Overtaken
from reconciliation.queue import undoing
from reconciliation.queue.assigning import agree, refuse
from reconciliation.queue.standing import open_act
from reconciliation.queue.undoing import agree_undo, ask_undo
from reconciliation.tables import Transfer
from service.database import EVERYTHING
from tests.factories.closing import shut
from tests.reconciliation.queue.queue_world import Queue

WHY = "Tiền của em khác, phụ huynh đã gửi ủy nhiệm chi"


def undone(queue: Queue, transfer: UUID) -> None:
    """Let one ask and another agree."""
    now = queue.collecting.wiring.clock()
    with queue.open() as session:
        seen = queue.seen(session, transfer)
        act = ask_undo(session, queue.accountant, queue.school_id, transfer, seen, WHY, now)
    with queue.open() as session:
        agree_undo(session, queue.approver, queue.school_id, act.id, now)


def paid(queue: Queue, child: int = 0, dong: int = 650_000) -> UUID:
    """Let the matcher book a payment by its reference."""
    return queue.waits(dong, queue.collecting.requests[child].reference)


def test_undoing_reverses_everything_in_one_act_and_the_money_waits(queue: Queue) -> None:
    before = queue.collecting.books()
    transfer = paid(queue, dong=700_000)
    assert queue.state(transfer) == "matched"
    undone(queue, transfer)
    collecting = queue.collecting
    assert (collecting.states(), collecting.rests()) == (["waiting"], [650_000, 300_000])
    assert collecting.books() == before | {"112": 700_000, "3388S": -700_000}
    assert collecting.receipts() == [(1, 700_000)], "it keeps its number, and is void"
    with queue.open() as session:
        assert session.exec(select(ReceiptVoid.reason)).all() == [WHY]
        facts = session.exec(select(Event.facts).where(Event.kind == "payment_reversed")).one()
    assert facts == {"pupil_id": str(queue.pupil(0)), "amount": 700_000}


def test_what_was_undone_is_assigned_to_another_child_by_two_people(queue: Queue) -> None:
    transfer, now = paid(queue), queue.collecting.wiring.clock()
    undone(queue, transfer)
    with queue.open() as session:
        # Even what the matcher would name alone, and for the right sum: somebody undid it before.
        act = queue.assign(session, transfer, queue.on_bill(session, 0, 650_000))
        assert open_act(session, queue.school_id, transfer) == act
        refuse(session, queue.approver, queue.school_id, act.id, "không phải em này", now)
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.on_bill(session, 1, 300_000), queue.credit(1, 350_000))
        agree(session, queue.approver, queue.school_id, act.id, now)
    assert queue.collecting.rests() == [650_000, 0]
    assert queue.collecting.receipts() == [(1, 650_000), (2, 650_000)]
    undone(queue, transfer)
    undone_again = queue.collecting.books()
    assert undone_again == {"112": 650_000, "131": 950_000, "3388S": -650_000, "531": -950_000}
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.credit(1, 650_000))
        agree(session, queue.other, queue.school_id, act.id, now)
    assert queue.collecting.receipts()[-1] == (3, 650_000)


def test_nobody_undoes_alone_or_without_a_reason_or_twice(queue: Queue) -> None:
    transfer, now = paid(queue), queue.collecting.wiring.clock()
    with queue.open() as session:
        seen = queue.seen(session, transfer)
        with pytest.raises(Refused, match="lý do"):
            ask_undo(session, queue.accountant, queue.school_id, transfer, seen, " ", now)
        act = ask_undo(session, queue.accountant, queue.school_id, transfer, seen, WHY, now)
        with pytest.raises(SamePerson):
            agree_undo(session, queue.accountant, queue.school_id, act.id, now)
        with pytest.raises(Overtaken):
            ask_undo(session, queue.other, queue.school_id, transfer, seen, WHY, now)
    assert queue.state(transfer) == "matched"
    with queue.open() as session:
        agree_undo(session, queue.approver, queue.school_id, act.id, now)
        with pytest.raises(Overtaken):
            agree_undo(session, queue.other, queue.school_id, act.id, now)
        with pytest.raises(Conflict):
            ask_undo(session, queue.other, queue.school_id, transfer, queue.seen(session, transfer), WHY, now)


def test_a_closed_month_is_not_undone_and_the_remedy_is_told(queue: Queue) -> None:
    transfer, now = paid(queue), queue.collecting.wiring.clock()
    with queue.open() as session:
        act = ask_undo(session, queue.accountant, queue.school_id, transfer, queue.seen(session, transfer), WHY, now)
    with queue.collecting.database.transaction(EVERYTHING) as session:
        shut(session, queue.school_id, date(2025, 10, 1), now + timedelta(days=40))
    with queue.open() as session, pytest.raises(Refused, match=r"10/2025 đã khóa sổ.*điều chỉnh"):
        agree_undo(session, queue.approver, queue.school_id, act.id, now)
    assert queue.state(transfer) == "matched"


def test_a_month_that_is_closed_while_it_is_undone_is_not_undone(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer, now = paid(queue), queue.collecting.wiring.clock()
    with queue.open() as session:
        act = ask_undo(session, queue.accountant, queue.school_id, transfer, queue.seen(session, transfer), WHY, now)

    def closed_meanwhile(*_: object) -> None:
        with queue.collecting.database.transaction(EVERYTHING) as session:
            shut(session, queue.school_id, date(2025, 10, 1), now + timedelta(days=40))

    monkeypatch.setattr(undoing, "hold_credit", closed_meanwhile)
    # Half done inside: whoever catches it takes the whole transaction back.
    with pytest.raises(Refused, match=r"10/2025 đã khóa sổ"), queue.open() as session:
        agree_undo(session, queue.approver, queue.school_id, act.id, now)
    assert queue.state(transfer) == "matched"


def test_late_money_of_a_closed_month_is_undone_while_the_month_it_is_booked_in_is_open(queue: Queue) -> None:
    collecting = queue.collecting
    now = collecting.wiring.clock() + timedelta(days=40)
    later = now + timedelta(days=30)
    with collecting.database.transaction(EVERYTHING) as session:
        shut(session, queue.school_id, date(2025, 10, 1), now - timedelta(days=1))
    collecting.wiring = replace(collecting.wiring, clock=lambda: now)
    before = collecting.books()
    transfer = paid(queue)
    with queue.open() as session:
        days = session.exec(select(col(JournalEntry.value_date)).where(JournalEntry.kind == "payment")).all()
        assert (list(days), session.get_one(Transfer, transfer).value_date.month) == ([date(2025, 11, 1)], 10)
    undone(queue, transfer)
    assert (collecting.states(), collecting.rests()) == (["waiting"], [650_000, 300_000])
    assert collecting.books() == before | {"112": 650_000, "3388S": -650_000}
    again = paid(queue, child=1, dong=300_000)
    with collecting.database.transaction(EVERYTHING) as session:
        shut(session, queue.school_id, date(2025, 11, 1), later)
    with queue.open() as session:
        seen = queue.seen(session, again)
    with queue.open() as session, pytest.raises(Refused, match=r"11/2025 đã khóa sổ"):
        ask_undo(session, queue.accountant, queue.school_id, again, seen, WHY, later)


def test_credit_that_is_asked_back_is_told_of_before_it_is_undone(queue: Queue) -> None:
    transfer, now = paid(queue, dong=700_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        wanted = [WantedBack(queue.pupil(0), None, Money(20_000))]
        vault = queue.collecting.wiring.vault
        refund = ask_refund(session, vault, queue.other, queue.school_id, wanted, "nộp thừa", now)
        seen = queue.seen(session, transfer)
        with pytest.raises(Refused, match=r"50\.000.*chỉ còn 30\.000"):
            ask_undo(session, queue.accountant, queue.school_id, transfer, seen, WHY, now)
        reject_refund(session, refund.id, queue.approver, "chờ gỡ", now)
        ask_undo(session, queue.accountant, queue.school_id, transfer, seen, WHY, now)


def test_every_child_whose_credit_is_used_is_named_with_its_class_and_sum(queue: Queue) -> None:
    transfer, now = queue.waits(1_080_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        parts = [queue.on_bill(session, 0, 650_000), queue.on_bill(session, 1, 300_000)]
        act = queue.assign(session, transfer, *parts, queue.credit(0, 50_000), queue.credit(1, 80_000))
        agree(session, queue.approver, queue.school_id, act.id, now)
    vault = queue.collecting.wiring.vault
    for child, dong in ((0, 20_000), (1, 80_000)):
        with queue.open() as session:
            wanted = [WantedBack(queue.pupil(child), None, Money(dong))]
            ask_refund(session, vault, queue.other, queue.school_id, wanted, "nộp thừa", now)
    with queue.open() as session:
        names = [each.pupil.full_name for each in queue.collecting.children]
        codes = dict(session.exec(select(PupilCode.pupil_id, PupilCode.code)).all())
        seen = queue.seen(session, transfer)
        with pytest.raises(CreditUsed, match="của 2 em") as told:
            ask_undo(session, queue.accountant, queue.school_id, transfer, seen, WHY, now)
    left = {0: "50.000 đ đã thành tiền tồn, nay chỉ còn 30.000 đ", 1: "80.000 đ đã thành tiền tồn, nay chỉ còn 0 đ"}
    room = queue.collecting.children[0].class_group.code
    wanted_words = [f"{names[each]} ({codes[queue.pupil(each)]}), lớp {room}: {left[each]} chưa dùng" for each in left]
    assert sorted(told.value.each) == sorted(wanted_words)
    assert all(words in told.value.message for words in wanted_words), "said whole where only the sentence is shown"


def test_a_child_declared_after_asking_stops_the_undoing(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database knows from what the act says of its payments."""
    transfer, now = paid(queue), queue.collecting.wiring.clock()
    with queue.open() as session:
        seen = queue.seen(session, transfer)
        act = ask_undo(session, queue.accountant, queue.school_id, transfer, seen, WHY, now)
        pupil = queue.collecting.children[0].pupil
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
        user = queue.accountant.user_id
        assert user
        declare_child(session, queue.accountant, queue.school_id, user, Named(code, pupil.full_name), now)
    with queue.open() as session, pytest.raises(OwnFamily, match="trong nhà của người đề nghị"):
        agree_undo(session, queue.approver, queue.school_id, act.id, now)
    monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
    with pytest.raises(IntegrityError, match="family of who asked"), queue.open() as session:
        agree_undo(session, queue.approver, queue.school_id, act.id, now)
    assert queue.state(transfer) == "matched"


def test_nobody_undoes_for_the_own_child(queue: Queue) -> None:
    transfer, now = paid(queue), queue.collecting.wiring.clock()
    with queue.open() as session:
        pupil = queue.collecting.children[0].pupil
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
        assert queue.other.user_id
        declare_child(session, queue.other, queue.school_id, queue.other.user_id, Named(code, pupil.full_name), now)
        with pytest.raises(OwnFamily):
            ask_undo(session, queue.other, queue.school_id, transfer, queue.seen(session, transfer), WHY, now)
