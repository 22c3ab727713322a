"""While money is being decided about at one door, every other door refuses it; the machine's rules pass it over."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from billing.credits.payee import TYPED
from billing.credits.refunding import lines_of, reject_refund
from billing.credits.tables import Refund, RefundLine
from billing.errors import Conflict
from billing.money import Money
from billing.vault import Vault
from reconciliation.queue.assigning import agree, refuse
from reconciliation.queue.in_bulk import dry_run
from reconciliation.queue.retrying import retry
from reconciliation.queue.tables import QueueAct
from reconciliation.returning.asking import Chosen, ask_return
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.reconciliation.queue.queue_world import Queue, make_queue
from tests.reconciliation.queue.test_assigning import damaged
from tests.standing import standing

TO = Chosen(TYPED, "970436", "Nguyễn Văn Hòa", "0071000123456", "Đơn ngày 02/10/2025, đã gọi lại số trong đơn")


@pytest.fixture
@standing
def queue(database: Database, addresses: Addresses, vault: Vault) -> Queue:
    return make_queue(make_collecting(database, addresses, vault))


def ask_back(queue: Queue, transfer: UUID) -> Refund:
    with queue.open() as session:
        vault, now = queue.collecting.wiring.vault, queue.collecting.wiring.clock()
        return ask_return(session, vault, queue.accountant, queue.school_id, transfer, TO, "Không rõ của ai", now)


def test_what_is_asked_back_is_not_assigned_nor_retried_nor_taken_in_bulk(queue: Queue) -> None:
    transfer = queue.waits(650_000, damaged(queue))
    refund = ask_back(queue, transfer)
    vault, now = queue.collecting.wiring.vault, queue.collecting.wiring.clock()
    with queue.open() as session:
        with pytest.raises(Conflict, match="trả lại giao dịch này"):
            queue.assign(session, transfer, queue.on_bill(session, 0, 650_000))
        with pytest.raises(Conflict, match="trả lại giao dịch này"):
            retry(session, vault, queue.other, queue.school_id, transfer, queue.seen(session, transfer), now)
        (left,) = dry_run(session, vault, queue.other, queue.school_id, [transfer]).left
        assert "trả lại giao dịch này" in left.why_not
    assert queue.state(transfer) == "waiting"
    with queue.open() as session:
        reject_refund(session, refund.id, queue.accountant, "Đã rõ của ai", now)
        queue.assign(session, transfer, queue.on_bill(session, 0, 650_000))
    assert queue.state(transfer) == "matched"


def test_the_database_keeps_assigning_and_giving_back_apart(queue: Queue) -> None:
    """Also where somebody writes rows past the rooms that ask first."""
    asked, acted = queue.waits(650_000, damaged(queue)), queue.waits(5_000)
    refund = ask_back(queue, asked)
    with queue.open() as session:
        act = queue.assign(session, acted, queue.credit(0, 5_000))
        (line,) = lines_of(session, refund)
    act_row = {name: getattr(act, name) for name in QueueAct.model_fields if name != "id"}
    line_row = {name: getattr(line, name) for name in RefundLine.model_fields if name not in {"id", "code"}}
    with pytest.raises(IntegrityError, match="this money is asked back"):
        write(queue, QueueAct(**{**act_row, "transfer_id": asked}))
    other = Refund(school_id=refund.school_id, reason="x", made_by=refund.made_by, made_at=refund.made_at)
    row = RefundLine(**{**line_row, "transfer_id": acted, "amount": Money(5_000), "refund_id": other.id})
    with pytest.raises(IntegrityError, match="an act about this money is open"):
        write(queue, other, row)


def write(queue: Queue, *rows: QueueAct | Refund | RefundLine) -> None:
    with queue.open() as session:
        for row in rows:
            session.add(row)
            session.flush()


def test_what_waits_for_the_second_person_is_not_asked_back(queue: Queue) -> None:
    transfer, now = queue.waits(5_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.credit(0, 5_000))
    with pytest.raises(Conflict, match="người thứ hai"):
        ask_back(queue, transfer)
    with queue.open() as session:
        refuse(session, queue.approver, queue.school_id, act.id, "Không phải của em", now)
    ask_back(queue, transfer)
    with queue.open() as session, pytest.raises(Conflict):
        agree(session, queue.approver, queue.school_id, act.id, now)
