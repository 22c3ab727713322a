"""Assigning money that waits: who may alone, who needs another, and what stands afterwards to the đồng."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.errors import Conflict, NotFound, OwnFamily, Refused, SamePerson
from billing.money import Money
from billing.people import agreeing
from billing.people.declaring import Named, declare_child
from billing.people.tables import PupilCode
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.errors import BillsFilled, Overtaken
from reconciliation.queue.assigning import Wanted, agree, assign, refuse
from reconciliation.queue.pieces import Piece
from reconciliation.queue.standing import Seen, open_act, open_acts
from reconciliation.queue.tables import QueueAct, QueueDecision
from reconciliation.tables import Match, TransferStep
from service.access.kin_refusals import kin_refusal_of
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import bill_and_ask, make_collecting
from tests.reconciliation.queue.queue_world import Queue


def damaged(queue: Queue, child: int = 0) -> str:
    """Return a memo whose reference lost a character: the matcher suggests this child alone."""
    code = queue.collecting.requests[child].reference
    return code[:6] + code[7:]


def test_the_only_suggestion_with_the_sum_that_is_due_is_taken_by_one_person(queue: Queue) -> None:
    transfer = queue.waits(650_000, damaged(queue))
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.on_bill(session, 0, 650_000), reason="")
        assert act.evidence["rule"] == "corrected_reference"
    collecting = queue.collecting
    assert (collecting.states(), collecting.rests()) == (["matched"], [0, 300_000])
    assert collecting.receipts() == [(1, 650_000)]
    assert collecting.books() == {"112": 650_000, "131": 300_000, "531": -950_000}
    with queue.open() as session:
        assert session.exec(select(QueueDecision.verdict)).all() == ["alone"]
        match = session.exec(select(Match).order_by("id")).all()[-1]
        step = session.exec(select(TransferStep).order_by("id")).all()[-1]
    assert (match.outcome, match.made_by) == ("matched", queue.accountant.user_id)
    assert match.evidence["act"] == str(act.id)
    assert (step.to_state, step.made_by, step.reason) == (
        "matched",
        queue.accountant.user_id,
        f"queue assign {act.id}",
    )


@pytest.mark.parametrize("case", ["another pupil", "less", "credit", "nobody suggested", "split"])
def test_everything_else_waits_for_another_person(queue: Queue, case: str) -> None:
    dong, memo = (600_000 if case == "less" else 650_000), damaged(queue)
    if case == "nobody suggested":
        memo = "chuyen khoan"
    transfer = queue.waits(dong, memo)
    with queue.open() as session:
        pieces = {
            "another pupil": (queue.on_bill(session, 1, 300_000), queue.credit(1, 350_000)),
            "less": (queue.on_bill(session, 0, 600_000),),
            "credit": (queue.credit(0, 650_000),),
            "nobody suggested": (queue.on_bill(session, 0, 650_000),),
            "split": (queue.on_bill(session, 0, 350_000), queue.on_bill(session, 1, 300_000)),
        }[case]
        with pytest.raises(Refused, match="người thứ hai"):
            queue.assign(session, transfer, *pieces, reason=" ")
        act = queue.assign(session, transfer, *pieces)
        assert open_acts(session, queue.school_id) == [act]
    assert queue.collecting.states() == ["waiting"]
    assert queue.collecting.receipts() == []
    with queue.open() as session, pytest.raises(SamePerson):
        agree(session, queue.accountant, queue.school_id, act.id, queue.collecting.wiring.clock())
    with queue.open() as session:
        agree(session, queue.approver, queue.school_id, act.id, queue.collecting.wiring.clock())
        assert open_act(session, queue.school_id, transfer) is None
        outcome = session.exec(select(Match.outcome).order_by("id")).all()[-1]
    words = {"another pupil": "overpaid", "less": "partial", "credit": "credited", "split": "split"}
    assert outcome == words.get(case, "matched")
    assert queue.collecting.states() == ["matched"]
    assert sum(amount for _, amount in queue.collecting.receipts()) == dong


def test_a_split_gives_each_pupil_its_receipt(queue: Queue) -> None:
    transfer = queue.waits(1_000_000)
    with queue.open() as session:
        pieces = queue.on_bill(session, 0, 650_000), queue.on_bill(session, 1, 300_000), queue.credit(1, 50_000)
        act = queue.assign(session, transfer, *pieces)
    with queue.open() as session:
        agree(session, queue.approver, queue.school_id, act.id, queue.collecting.wiring.clock())
    assert queue.collecting.rests() == [0, 0]
    assert sorted(amount for _, amount in queue.collecting.receipts()) == [350_000, 650_000]
    assert queue.collecting.books() == {"112": 1_000_000, "3383": -50_000, "531": -950_000}


def test_many_transfers_pay_one_bill(queue: Queue) -> None:
    for dong in (200_000, 450_000):
        transfer = queue.waits(dong)
        with queue.open() as session:
            act = queue.assign(session, transfer, queue.on_bill(session, 0, dong))
            agree(session, queue.approver, queue.school_id, act.id, queue.collecting.wiring.clock())
    assert queue.collecting.rests() == [0, 300_000]
    assert queue.collecting.receipts() == [(1, 200_000), (2, 450_000)]


def test_parts_that_do_not_fit_are_refused_in_words(queue: Queue) -> None:
    transfer = queue.waits(650_000)
    with queue.open() as session:
        bill = queue.bill(session, 0)
        wrong: dict[str, tuple[Piece, ...]] = {
            "ít nhất": (),
            "lớn hơn 0": (Piece(queue.pupil(0), bill, Money(0)), queue.credit(0, 650_000)),
            "một lần": (Piece(queue.pupil(0), bill, Money(1)), Piece(queue.pupil(0), bill, Money(649_999))),
            "còn thiếu 50.000": (Piece(queue.pupil(0), bill, Money(600_000)),),
            "thừa 10.000": (Piece(queue.pupil(0), bill, Money(650_000)), queue.credit(1, 10_000)),
            "không phải học sinh": (Piece(queue.collecting.school.id, None, Money(650_000)),),
        }
        for words, pieces in wrong.items():
            with pytest.raises(Refused, match=words):
                queue.assign(session, transfer, *pieces)
        with pytest.raises(NotFound):
            queue.assign(session, transfer, Piece(queue.pupil(1), bill, Money(650_000)))
        with pytest.raises(Conflict, match=r"chỉ còn 300\.000"):
            queue.assign(session, transfer, queue.on_bill(session, 1, 650_000))
        with pytest.raises(NotFound):
            queue.assign(session, new_id(), queue.credit(0, 650_000), seen=Seen(1))
    assert queue.count("queue_acts") == 0


def test_who_comes_second_is_told_who_was_first_and_when(queue: Queue) -> None:
    transfer = queue.waits(650_000)
    with queue.open() as session:
        old = queue.seen(session, transfer)
        queue.assign(session, transfer, queue.credit(0, 650_000))
    with queue.open() as session, pytest.raises(Overtaken) as told:
        queue.assign(session, transfer, queue.credit(1, 650_000), by=queue.other, seen=old)
    assert told.value.facts == {
        "what": "act",
        "by": queue.accountant.user_id,
        "at": queue.collecting.wiring.clock(),
    }
    assert Seen.read(str(old)) == old
    with pytest.raises(Conflict):
        Seen.read("cũ")


def test_an_act_is_refused_by_another_or_withdrawn_and_then_done_anew(queue: Queue) -> None:
    transfer, now = queue.waits(650_000), queue.collecting.wiring.clock()
    for who, reason, verdict in ((queue.approver, "nhầm em", "refused"), (queue.accountant, "", "withdrawn")):
        with queue.open() as session:
            act = queue.assign(session, transfer, queue.credit(0, 650_000))
            if who is queue.approver:
                with pytest.raises(Refused):
                    refuse(session, who, queue.school_id, act.id, " ", now)
            refuse(session, who, queue.school_id, act.id, reason, now)
            assert session.get_one(QueueDecision, act.id).verdict == verdict
            with pytest.raises(Overtaken):
                refuse(session, who, queue.school_id, act.id, reason or "x", now)
            with pytest.raises(Overtaken):
                agree(session, queue.other, queue.school_id, act.id, now)
    assert queue.state(transfer) == "waiting"


def test_what_was_paid_meanwhile_is_not_paid_again(queue: Queue) -> None:
    transfer, now = queue.waits(650_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.on_bill(session, 0, 650_000))
    queue.collecting.hear_of(queue.collecting.pays(queue.collecting.requests[0].reference, 100_000))
    with queue.open() as session, pytest.raises(Conflict, match=r"chỉ còn 550\.000"):
        agree(session, queue.approver, queue.school_id, act.id, now)
    assert queue.state(transfer) == "waiting"


def test_every_bill_that_has_less_open_is_named_with_child_and_sums(queue: Queue) -> None:
    """To whoever assigns, and to whoever agrees, each with what to do."""
    transfer, now = queue.waits(950_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        pieces = [queue.on_bill(session, 0, 650_000), queue.on_bill(session, 1, 300_000)]
        act = queue.assign(session, transfer, *pieces)
    for child, dong in ((0, 50_000), (1, 300_000)):
        queue.collecting.hear_of(queue.collecting.pays(queue.collecting.requests[child].reference, dong))
    with queue.open() as session:
        with pytest.raises(BillsFilled, match="Hãy không đồng ý, để người đề nghị sửa") as told:
            agree(session, queue.approver, queue.school_id, act.id, now)
        refuse(session, queue.approver, queue.school_id, act.id, "đã nộp", now)
        with pytest.raises(BillsFilled, match="Hãy sửa các phần sau rồi làm lại") as again:
            queue.assign(session, transfer, *pieces)
        codes = {
            child: session.exec(select(PupilCode.code).where(PupilCode.pupil_id == queue.pupil(child))).one()
            for child in (0, 1)
        }
    assert told.value.each == again.value.each
    children = queue.collecting.children
    left = {0: "nay chỉ còn 600.000 đ chưa nộp, định ghi 650.000 đ", 1: "nay chỉ còn 0 đ chưa nộp, định ghi 300.000 đ"}
    for child, words in left.items():
        starts = (
            f"{children[child].pupil.full_name} ({codes[child]}), lớp {children[child].class_group.code}: thông báo"
        )
        assert [each for each in told.value.each if each.startswith(starts) and each.endswith(words)]
    assert len(told.value.each) == 2
    assert queue.state(transfer) == "waiting"


def test_nobody_assigns_or_agrees_for_the_own_child(queue: Queue) -> None:
    transfer, now = queue.waits(650_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        pupil = queue.collecting.children[0].pupil
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
        for actor in (queue.other, queue.approver):
            assert actor.user_id
            declare_child(session, actor, queue.school_id, actor.user_id, Named(code, pupil.full_name), now)
        with pytest.raises(OwnFamily):
            queue.assign(session, transfer, queue.credit(0, 650_000), by=queue.other)
        act = queue.assign(session, transfer, queue.credit(0, 650_000))
        with pytest.raises(OwnFamily):
            agree(session, queue.approver, queue.school_id, act.id, now)
    assert queue.state(transfer) == "waiting"


def test_a_child_declared_after_asking_stops_the_agreement(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever agrees; and where the rules forgot it, the database would not."""
    transfer, now = queue.waits(650_000), queue.collecting.wiring.clock()
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.credit(0, 650_000))
        declared(queue, session, queue.accountant)
    with queue.open() as session, pytest.raises(OwnFamily, match="trong nhà của người đề nghị") as refused:
        agree(session, queue.approver, queue.school_id, act.id, now)
    assert refused.value.facts["user"] == queue.accountant.user_id
    monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
    with pytest.raises(IntegrityError) as stopped, queue.open() as session:
        agree(session, queue.approver, queue.school_id, act.id, now)
    told = kin_refusal_of(stopped.value.orig)
    assert told is not None
    assert told.facts == refused.value.facts
    assert queue.state(transfer) == "waiting"


def declared(queue: Queue, session: Session, actor: Actor) -> None:
    pupil = queue.collecting.children[0].pupil
    code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
    assert actor.user_id
    said = Named(code, pupil.full_name)
    declare_child(session, actor, queue.school_id, actor.user_id, said, queue.collecting.wiring.clock())


def test_equal_candidates_are_never_plain(queue: Queue) -> None:
    """The names of both children stand in the memo: whichever is taken, another agrees."""
    transfer = queue.waits(650_000, "Nguyen Van 0 va Nguyen Van 1")
    with queue.open() as session:
        act = queue.assign(session, transfer, queue.on_bill(session, 0, 650_000))
        assert open_act(session, queue.school_id, transfer) == act


def test_another_schools_bill_and_pupil_are_not_found(
    queue: Queue, database: Database, addresses: Addresses, vault: Vault
) -> None:
    other = make_collecting(database, addresses, vault)
    with database.transaction(other.scope) as session:
        request = bill_and_ask(session, other.children[0], other.account, 10_000, "2025-11")
    transfer = queue.waits(650_000, request.reference)
    with queue.open() as session, pytest.raises(Refused, match="không phải học sinh"):
        queue.assign(session, transfer, Piece(other.children[0].id, None, Money(650_000)))
    wanted = Wanted(transfer, [Piece(other.children[0].id, None, Money(650_000))], Seen(1), "x")
    with database.transaction(other.scope) as session, pytest.raises(NotFound):
        assign(session, vault, queue.accountant, other.school.id, wanted, queue.collecting.wiring.clock())


STATEMENTS = {
    "parts that do not sum": "INSERT INTO queue_parts (school_id, act_id, pupil_id, amount)"
    " SELECT school_id, act_id, (SELECT id FROM pupils WHERE id <> pupil_id LIMIT 1), 5 FROM queue_parts",
    "a second open act": "INSERT INTO queue_acts (id, school_id, transfer_id, kind, seen_step, evidence, reason,"
    " made_by, at) SELECT gen_random_uuid(), school_id, transfer_id, 'assign', 1, '{}', 'x', made_by, at"
    " FROM queue_acts",
    "the maker agrees": "INSERT INTO queue_decisions (act_id, school_id, verdict, decided_by, reason, at)"
    " SELECT id, school_id, 'agreed', made_by, '', at FROM queue_acts",
    "another does it alone": "INSERT INTO queue_decisions (act_id, school_id, verdict, decided_by, reason, at)"
    " SELECT id, school_id, 'alone', gen_random_uuid(), '', at FROM queue_acts",
    "another's bill": "INSERT INTO queue_parts (school_id, act_id, pupil_id, bill_id, amount)"
    " SELECT p.school_id, p.act_id, p.pupil_id, b.id, 5 FROM queue_parts p, bills b WHERE b.pupil_id <> p.pupil_id",
    "undone while it waits": "INSERT INTO queue_acts (id, school_id, transfer_id, kind, seen_step, evidence, reason,"
    " made_by, at) SELECT gen_random_uuid(), school_id, id, 'undo', 1, '{}', 'x', id, now() FROM transfers"
    " WHERE id NOT IN (SELECT transfer_id FROM queue_acts)",
    "an act without parts": "INSERT INTO queue_acts (id, school_id, transfer_id, kind, seen_step, evidence, reason,"
    " made_by, at) SELECT gen_random_uuid(), school_id, id, 'assign', 1, '{}', 'x', id, now() FROM transfers"
    " WHERE id NOT IN (SELECT transfer_id FROM queue_acts)",
    "an act is changed": "UPDATE queue_acts SET reason = 'y'",
    "a part is taken away": "DELETE FROM queue_parts",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_database_itself_refuses(queue: Queue, name: str) -> None:
    first, _ = queue.waits(650_000), queue.waits(40_000)
    with queue.open() as session:
        queue.assign(session, first, queue.credit(0, 650_000))
    with pytest.raises(DBAPIError), queue.collecting.database.transaction(queue.collecting.scope) as session:
        session.execute(text(STATEMENTS[name]))


@pytest.mark.parametrize("turn", range(3))
def test_two_accountants_on_one_transfer_have_one_winner(queue: Queue, turn: int) -> None:
    del turn
    transfer = queue.waits(650_000)
    with queue.open() as session:
        seen = queue.seen(session, transfer)
    start = Barrier(2)

    def act(child: int) -> UUID | str:
        start.wait()
        try:
            with queue.collecting.database.transaction(queue.collecting.scope) as session:
                actor = (queue.accountant, queue.other)[child]
                return queue.assign(session, transfer, queue.credit(child, 650_000), by=actor, seen=seen).id
        except Overtaken as told:
            return str(told.facts["by"])

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(act, range(2)))
    with queue.open() as session:
        (won,) = session.exec(select(QueueAct)).all()
    assert won.id in answers
    assert str(won.made_by) in answers
