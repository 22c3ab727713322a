"""Asking the matcher again, and words beside a transfer."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlmodel import select

from billing.errors import Conflict, OwnFamily, Refused
from billing.payments.tables import PaymentRequest
from billing.people.declaring import Named, declare_child
from billing.people.tables import PupilCode
from reconciliation.errors import Overtaken
from reconciliation.matching import Outcome
from reconciliation.queue.retrying import MOST_WORDS, comment, retry
from reconciliation.queue.tables import QueueComment
from reconciliation.tables import Match, TransferStep
from service.database import EVERYTHING
from tests.factories.collecting import bill_and_ask
from tests.reconciliation.queue.queue_world import Queue
from tests.reconciliation.queue.test_undoing import paid, undone


def retried(queue: Queue, transfer: UUID) -> Outcome:
    with queue.open() as session:
        seen, vault = queue.seen(session, transfer), queue.collecting.wiring.vault
        now = queue.collecting.wiring.clock()
        return retry(session, vault, queue.accountant, queue.school_id, transfer, seen, now).outcome


def two_months(queue: Queue) -> PaymentRequest:
    with queue.collecting.database.transaction(EVERYTHING) as session:
        return bill_and_ask(session, queue.collecting.children[0], queue.collecting.account, 200_000, "2025-11")


def test_what_became_certain_is_booked_by_the_matcher(queue: Queue) -> None:
    """Two references and one đồng too few; then one of the two bills is paid otherwise and the sum of both is right."""
    first, second = queue.collecting.requests
    transfer = queue.waits(850_000, f"{first.reference} {second.reference}")
    assert queue.state(transfer) == "waiting"
    assert retried(queue, transfer) is Outcome.SUGGESTED
    assert queue.state(transfer) == "waiting"
    queue.collecting.hear_of(queue.collecting.pays(first.reference, 100_000))
    assert retried(queue, transfer) is Outcome.SPLIT
    assert (queue.state(transfer), queue.collecting.rests()) == ("matched", [0, 0])
    with queue.open() as session:
        step = session.exec(select(TransferStep).where(TransferStep.transfer_id == transfer).order_by("id")).all()[-1]
    assert step.made_by == queue.accountant.user_id


def test_what_a_person_undid_the_matcher_only_suggests(queue: Queue) -> None:
    transfer = paid(queue)
    undone(queue, transfer)
    assert retried(queue, transfer) is Outcome.MATCHED
    assert queue.state(transfer) == "waiting"
    with queue.open() as session:
        match = session.exec(select(Match).order_by("id")).all()[-1]
    assert match.outcome == "suggested"
    assert queue.collecting.rests() == [650_000, 300_000]


def test_not_while_an_act_is_open_nor_on_an_old_page_nor_when_it_is_matched(queue: Queue) -> None:
    transfer, vault, now = queue.waits(5_000), queue.collecting.wiring.vault, queue.collecting.wiring.clock()
    with queue.open() as session:
        seen = queue.seen(session, transfer)
        queue.assign(session, transfer, queue.credit(0, 5_000))
        with pytest.raises(Overtaken):
            retry(session, vault, queue.accountant, queue.school_id, transfer, seen, now)
    with pytest.raises(Conflict, match="người thứ hai"):
        retried(queue, transfer)
    with pytest.raises(Conflict):
        retried(queue, paid(queue))


def test_never_for_the_own_child(queue: Queue) -> None:
    """What was to be suggested may be asked about; what the matcher would book for the own child may not."""
    first, second = queue.collecting.requests
    transfer = queue.waits(850_000, f"{first.reference} {second.reference}")
    queue.collecting.hear_of(queue.collecting.pays(first.reference, 100_000))
    with queue.open() as session:
        pupil = queue.collecting.children[1].pupil
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
        assert queue.accountant.user_id
        said, now = Named(code, pupil.full_name), queue.collecting.wiring.clock()
        declare_child(session, queue.accountant, queue.school_id, queue.accountant.user_id, said, now)
    with pytest.raises(OwnFamily):
        retried(queue, transfer)
    assert queue.state(transfer) == "waiting"


def test_a_comment_stands_beside_and_moves_nothing(queue: Queue) -> None:
    transfer, now = queue.waits(5_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        seen = queue.seen(session, transfer)
        comment(session, queue.accountant, queue.school_id, transfer, " Đã gọi phụ huynh, chờ trả lời ", now)
        assert queue.seen(session, transfer) == seen, "a comment overtakes nobody"
        for words in ("  ", "x" * (MOST_WORDS + 1)):
            with pytest.raises(Refused):
                comment(session, queue.accountant, queue.school_id, transfer, words, now)
        assert session.exec(select(QueueComment.words)).all() == ["Đã gọi phụ huynh, chờ trả lời"]
    assert queue.state(transfer) == "waiting"
