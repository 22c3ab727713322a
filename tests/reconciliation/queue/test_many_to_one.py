"""Several transfers for one pupil: one behind the other, each an act of its own, all or none."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlmodel import Session, select

from billing.errors import Conflict, Refused
from billing.money import Money
from reconciliation.errors import Overtaken
from reconciliation.queue.assigning import agree
from reconciliation.queue.many_to_one import assign_together, plan_together
from reconciliation.queue.standing import open_acts
from reconciliation.queue.tables import QueueAct, QueueDecision
from tests.factories.collecting import bill_and_ask
from tests.reconciliation.queue.queue_world import Queue
from tests.reconciliation.queue.test_assigning import damaged


def given(
    queue: Queue, session: Session, *transfers: UUID, digest: str = "", why: str = "Ông bà nộp"
) -> list[QueueAct]:
    """Give transfers to a child as a page opened now shows it."""
    seen = {transfer: queue.seen(session, transfer) for transfer in transfers}
    pupil, wiring = queue.pupil(0), queue.collecting.wiring
    digest = digest or plan_together(session, queue.school_id, pupil, transfers).digest
    return assign_together(
        session, wiring.vault, queue.accountant, queue.school_id, pupil, seen, digest, why, wiring.clock()
    )


def test_what_the_first_leaves_open_is_paid_by_the_next_and_the_rest_is_credit(queue: Queue) -> None:
    with queue.open() as session:
        bill_and_ask(session, queue.collecting.children[0], queue.collecting.account, 200_000, "2025-11")
    transfers = [queue.waits(dong) for dong in (400_000, 300_000, 250_000)]
    with queue.open() as session:
        run = plan_together(session, queue.school_id, queue.pupil(0), transfers)
        amounts = [[piece.amount.dong for piece in each.pieces] for each in run.taken]
        assert amounts == [[400_000], [250_000, 50_000], [150_000, 100_000]]
        assert [each.pieces[-1].bill_id for each in run.taken][-1] is None
        assert run.amount == Money(950_000)
        acts = given(queue, session, *transfers)
    assert queue.collecting.states() == ["waiting"] * 3
    for act in acts:
        with queue.open() as session:
            agree(session, queue.approver, queue.school_id, act.id, queue.collecting.wiring.clock())
    assert queue.collecting.states() == ["matched"] * 3
    assert queue.collecting.rests() == [0, 0, 300_000]
    assert queue.collecting.books() == {"112": 950_000, "131": 300_000, "3383": -100_000, "531": -1_150_000}


def test_what_one_person_may_take_is_taken_at_once_and_the_rest_asked_for(queue: Queue) -> None:
    first, second = queue.waits(650_000, damaged(queue)), queue.waits(5_000)
    with queue.open() as session:
        given(queue, session, first, second)
        assert sorted(session.exec(select(QueueDecision.verdict)).all()) == ["alone"]
        assert [act.transfer_id for act in open_acts(session, queue.school_id)] == [second]
    assert (queue.state(first), queue.state(second)) == ("matched", "waiting")


def test_none_is_stored_where_one_is_taken_or_differs_from_what_was_shown(queue: Queue) -> None:
    first, second = queue.waits(300_000), queue.waits(350_000)
    with queue.open() as session:
        was = {transfer: queue.seen(session, transfer) for transfer in (first, second)}
        shown = plan_together(session, queue.school_id, queue.pupil(0), [first, second]).digest
    with queue.open() as session:
        queue.assign(session, second, queue.credit(1, 350_000), by=queue.other)
    pupil, wiring = queue.pupil(0), queue.collecting.wiring
    with pytest.raises(Overtaken) as told, queue.open() as session:
        assign_together(
            session, wiring.vault, queue.accountant, queue.school_id, pupil, was, shown, "Ông bà", wiring.clock()
        )
    assert told.value.facts["by"] == queue.other.user_id
    with pytest.raises(Conflict, match="không còn như lúc xem"), queue.open() as session:
        given(queue, session, first, digest="other")
    with pytest.raises(Refused, match="Hãy ghi vì sao"), queue.open() as session:
        given(queue, session, first, why=" ")
    with pytest.raises(Refused, match="Hãy chọn từ 1"), queue.open() as session:
        given(queue, session, digest="x")
    with queue.open() as session:
        assert [act.transfer_id for act in open_acts(session, queue.school_id)] == [second]
        left = plan_together(session, queue.school_id, pupil, [first, second]).left
        assert [each.transfer.id for each in left] == [second]
