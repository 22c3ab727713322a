"""Several transfers at once: first what it would do, then one confirmation of exactly that."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlmodel import Session, select

from billing.errors import Conflict, Refused
from billing.money import Money
from billing.people.declaring import Named, declare_child
from billing.people.tables import PupilCode
from billing.storage import new_id
from reconciliation.errors import Overtaken
from reconciliation.queue.in_bulk import MOST_AT_ONCE, DryRun, assign_plain, dry_run
from reconciliation.queue.standing import Seen
from reconciliation.queue.tables import QueueDecision
from tests.reconciliation.queue.queue_world import Queue
from tests.reconciliation.queue.test_assigning import damaged
from tests.reconciliation.queue.test_undoing import paid, undone


def planned(queue: Queue, session: Session, *transfers: UUID) -> DryRun:
    return dry_run(session, queue.collecting.wiring.vault, queue.accountant, queue.school_id, transfers)


def confirmed(queue: Queue, session: Session, seen: dict[UUID, Seen], digest: str) -> DryRun:
    vault, now = queue.collecting.wiring.vault, queue.collecting.wiring.clock()
    return assign_plain(session, vault, queue.accountant, queue.school_id, seen, digest, now)


def test_what_is_plain_is_counted_and_the_rest_told_then_one_confirmation(queue: Queue) -> None:
    first, second = queue.waits(650_000, damaged(queue, 0)), queue.waits(300_000, damaged(queue, 1))
    less, nobody = queue.waits(10_000, damaged(queue, 0)), queue.waits(20_000)
    undone_once = paid(queue, 1, 5_000)
    undone(queue, undone_once)
    with queue.open() as session:
        asked = queue.waits(30_000)
        queue.assign(session, asked, queue.credit(0, 30_000))
        run = planned(queue, session, first, second, less, nobody, undone_once, asked)
        assert {each.transfer.id for each in run.taken} == {first, second}
        assert run.amount == Money(950_000)
        why = {each.transfer.id: each.why_not for each in run.left}
        assert "Số tiền khác" in why[less]
        assert "đúng một em" in why[nobody]
        assert "hai người" in why[undone_once]
        assert "người thứ hai" in why[asked]
        seen = {transfer: queue.seen(session, transfer) for transfer in (first, second)}
    with queue.open() as session:
        confirmed(queue, session, seen, run.digest)
        assert set(session.exec(select(QueueDecision.verdict)).all()) == {"agreed", "alone"}
    assert queue.collecting.rests() == [0, 0]
    assert {queue.state(first), queue.state(second)} == {"matched"}
    assert [number for number, _ in queue.collecting.receipts()] == [1, 2, 3]


def test_nothing_else_than_what_was_shown_is_stored(queue: Queue) -> None:
    first, second = queue.waits(650_000, damaged(queue, 0)), queue.waits(300_000, damaged(queue, 1))
    with queue.open() as session:
        run = planned(queue, session, first, second)
        seen = {transfer: queue.seen(session, transfer) for transfer in (first, second)}
        with pytest.raises(Conflict, match="xem lại"):
            confirmed(queue, session, seen, "another")
        with pytest.raises(Conflict):
            confirmed(queue, session, {first: seen[first]}, run.digest)
        with pytest.raises(Refused):
            confirmed(queue, session, dict.fromkeys([new_id() for _ in range(MOST_AT_ONCE + 1)], Seen(1)), run.digest)
    queue.collecting.hear_of(queue.collecting.pays(queue.collecting.requests[0].reference, 1_000))
    with queue.open() as session, pytest.raises(Conflict):
        confirmed(queue, session, seen, run.digest)
    with queue.open() as session:
        queue.assign(session, second, queue.on_bill(session, 1, 300_000), reason="")
    with queue.open() as session, pytest.raises(Overtaken):
        confirmed(queue, session, seen, run.digest)
    assert queue.state(first) == "waiting"


def test_two_that_would_fill_one_bill_are_not_both_taken_nor_the_own_child(queue: Queue) -> None:
    first, again = queue.waits(650_000, damaged(queue, 0)), queue.waits(650_000, damaged(queue, 0))
    with queue.open() as session:
        run = planned(queue, session, first, again)
        assert (len(run.taken), len(run.left)) == (1, 1)
        assert "giao dịch khác" in run.left[0].why_not
        pupil, user = queue.collecting.children[0].pupil, queue.accountant.user_id
        assert user
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
        child = Named(code, pupil.full_name)
        declare_child(session, queue.accountant, queue.school_id, user, child, queue.collecting.wiring.clock())
        assert {each.why_not for each in planned(queue, session, first).left} == {
            "Là em trong nhà của bạn: hãy nhờ đồng nghiệp."
        }
