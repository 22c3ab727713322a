"""Money from abroad arrives short: within the school's limit it is accepted, by one or by two, and the bill is paid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

import pytest
from sqlalchemy import Executable, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill
from billing.closing.deciding import Unfinished
from billing.errors import Conflict, NotFound, OwnFamily, Refused, SamePerson
from billing.money import Money
from billing.payments.balances import bill_balances
from billing.payments.relief_tables import ReliefDecision
from billing.payments.relieving import approve_relief, end_relief, refuse_relief
from billing.people import agreeing
from billing.people.declaring import Named, declare_child
from billing.people.tables import Pupil, PupilCode
from reconciliation.closing.checking import unfinished
from reconciliation.matching import Direction
from reconciliation.queue.standing import seen_of
from reconciliation.queue.undoing import agree_undo, ask_undo
from reconciliation.reversing.asking import agree_reversal, ask_reversal
from reconciliation.shortfalls.accepting import agree_shortfall, ask_shortfall, take_back_shortfall
from reconciliation.shortfalls.limiting import ask_limit, decide_limit, limit_now, waiting_limit
from service.database import EVERYTHING
from tests.factories.abroad import pay_from_abroad
from tests.factories.collecting import PAID_AT
from tests.journeys.settling.office import Office

PAPER, WHY = "MT103 FT25279001234", "Ngân hàng trung gian thu phí SHA"
LIMIT = Money(300_000)
DECIDE = text(
    "INSERT INTO relief_decisions (relief_id, school_id, approved, decided_by, reason, at)"
    " VALUES (:id, :school, true, :by, '', :at)"
)

DECIDE_BY = text(str(DECIDE).replace(":by", ":decider"))
Paid = Callable[[Office], tuple[UUID, UUID]]


def limited(office: Office, most: Money = LIMIT) -> None:
    """Let two people agree to a limit."""
    with office.collecting.database.transaction(office.collecting.scope) as session:
        asked = ask_limit(session, office.accountant, office.school_id, most, "QĐ 15/QĐ-HT", PAID_AT)
        decide_limit(session, office.approver, office.school_id, asked.id, PAID_AT, approved=True)


def short(office: Office, dong: int = 630_000) -> tuple[UUID, UUID]:
    """Let the first family pay less than its 650,000 đ from abroad; return the transfer and the bill."""
    transfer = pay_from_abroad(office.collecting, office.code(0), dong)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        (bill,) = session.exec(select(Bill.id).where(col(Bill.pupil_id) == office.pupil(0))).all()
    return transfer, bill


def accept(office: Office, transfer: UUID, bill: UUID, paper: str = PAPER) -> UUID:
    """Let one ask and another agree."""
    relief = ask(office, transfer, bill, paper=paper)
    agree(office, relief)
    return relief


def ask(office: Office, transfer: UUID, bill: UUID, by: Actor | None = None, paper: str = PAPER) -> UUID:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        actor = by or office.accountant
        return ask_shortfall(session, actor, office.school_id, transfer, bill, paper, WHY, PAID_AT).id


def status(office: Office, bill: UUID) -> str:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        (balance,) = bill_balances(session, col(Bill.id) == bill)
    return balance.status


def test_within_the_limit_the_bill_is_paid_and_the_fee_is_the_schools(office: Office) -> None:
    limited(office)
    transfer, bill = short(office)
    assert (office.rest(0), status(office, bill)) == (20_000, "partial")
    accept(office, transfer, bill)
    assert (office.rest(0), status(office, bill)) == (0, "paid")
    books = office.collecting.books()
    assert (books["642"], books["131"]) == (20_000, 300_000)
    assert office.collecting.receipts() == [(1, 630_000)], "no receipt for what never came"
    assert office.broken() == []
    with office.collecting.database.transaction(office.collecting.scope) as session:
        deed = session.exec(select(AuditEntry).where(AuditEntry.action == "shortfall.agree")).one()
    assert (deed.actor_id, deed.reason) == (office.approver.user_id, WHY)
    with pytest.raises(Conflict, match="không nộp thiếu"):
        accept(office, transfer, bill)


def test_beyond_the_limit_it_stays_a_part_payment(office: Office) -> None:
    transfer, bill = short(office)
    with pytest.raises(Refused, match="hạn mức 0 đ"):
        accept(office, transfer, bill)
    limited(office, Money(19_999))
    with pytest.raises(Refused, match="vượt hạn mức"):
        accept(office, transfer, bill)
    assert (office.rest(0), status(office, bill)) == (20_000, "partial")
    limited(office, Money(20_000))
    with pytest.raises(Refused, match="số điện SWIFT"):
        accept(office, transfer, bill, paper=" ")
    accept(office, transfer, bill)
    assert office.rest(0) == 0


def test_no_more_than_what_came_and_each_paper_once(office: Office) -> None:
    limited(office, Money(650_000))
    transfer, bill = short(office, 1_000)
    with pytest.raises(Refused, match=r"nhiều hơn 1\.000 đ đã về"):
        accept(office, transfer, bill)
    large = pay_from_abroad(office.collecting, office.code(0), 640_000)
    accept(office, large, bill)
    other = pay_from_abroad(office.collecting, office.code(1), 290_000)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        owed = session.exec(select(Bill.id).where(col(Bill.pupil_id) == office.pupil(1))).one()
    with pytest.raises(Conflict, match="đã dùng cho một giao dịch khác"):
        accept(office, other, owed, paper=f" {PAPER.lower()}")
    accept(office, other, owed, paper="MT103 FT25279009999")
    assert (office.rest(0), office.rest(1)) == (0, 0)
    assert office.broken() == []


def decided(office: Office, relief: UUID) -> bool | None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        decision = session.get(ReliefDecision, relief)
    return decision.approved if decision else None


def agree(office: Office, relief: UUID, by: Actor | None = None) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        agree_shortfall(session, by or office.approver, office.school_id, relief, PAID_AT)


def from_here_with_a_memo(office: Office) -> tuple[UUID, UUID]:
    return from_here(office, "INWARD TT MT103 SHA")


def from_here(office: Office, memo: str) -> tuple[UUID, UUID]:
    """Let the first family pay less, by a bank that names no payer; return the transfer and the bill."""
    office.collecting.hear_of(office.collecting.pays(f"{memo} {office.code(0)}", 630_000))
    (transfer,) = [each.id for each in office.collecting.transfers() if each.direction == "in"]
    with office.collecting.database.transaction(office.collecting.scope) as session:
        return transfer, session.exec(select(Bill.id).where(col(Bill.pupil_id) == office.pupil(0))).one()


@pytest.mark.parametrize("way", [from_here_with_a_memo, short])
def test_two_people_accept_it_whoever_says_that_it_is_from_abroad(office: Office, way: Paid) -> None:
    limited(office)
    transfer, bill = way(office)
    relief = ask(office, transfer, bill)
    assert (office.rest(0), status(office, bill), decided(office, relief)) == (20_000, "partial", None)
    assert Unfinished("shortfalls", 1, Money(20_000)) in left_open(office)
    with pytest.raises(Conflict, match="đang chờ duyệt"):
        ask(office, transfer, bill, paper="MT103 1")
    with pytest.raises(SamePerson):
        agree(office, relief, office.accountant)
    with pytest.raises(IntegrityError, match="does not approve it"):
        run(office, {"id": relief, "school": office.school_id, "by": office.accountant.user_id, "at": PAID_AT}, DECIDE)
    agree(office, relief)
    assert (office.rest(0), status(office, bill), office.collecting.books()["642"]) == (0, "paid", 20_000)
    assert "shortfalls" not in {each.what for each in left_open(office)}
    with pytest.raises(Conflict, match="đã được quyết định"):
        agree(office, relief)
    assert office.broken() == []


def test_what_waits_for_a_second_person_is_refused_or_goes_with_the_payment(office: Office) -> None:
    limited(office)
    transfer, bill = from_here(office, "SWIFT")
    first = ask(office, transfer, bill)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        take_back_shortfall(session, office.approver, office.school_id, first, "Không phải phí", PAID_AT)
    assert (decided(office, first), office.rest(0)) == (False, 20_000)
    with pytest.raises(NotFound):
        agree(office, first)
    second = ask(office, transfer, bill)  # the same paper again: what was refused stands for nothing
    limited(office, Money(19_999))
    with pytest.raises(Refused, match="vượt hạn mức"):
        agree(office, second)
    limited(office)
    office.collecting.hear_of(office.collecting.pays(office.code(0), 5_000))
    with pytest.raises(Conflict, match=r"nay còn 15\.000 đ"):
        agree(office, second)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        seen = seen_of(session, office.school_id, transfer)
        act = ask_undo(session, office.accountant, office.school_id, transfer, seen, "Của em khác", PAID_AT)
        agree_undo(session, office.approver, office.school_id, act.id, PAID_AT)
    assert (decided(office, second), office.rest(0)) == (False, 645_000)
    assert office.broken() == []


def test_it_is_not_decided_or_ended_where_other_reliefs_are(office: Office) -> None:
    limited(office)
    relief = ask(office, *from_here(office, "SWIFT"))
    with office.collecting.database.transaction(office.collecting.scope) as session:
        with pytest.raises(NotFound):
            approve_relief(session, office.approver, office.school_id, relief, PAID_AT)
        for decide in (refuse_relief, end_relief):
            with pytest.raises(NotFound):
                decide(session, office.approver, office.school_id, relief, "x", PAID_AT)
    assert decided(office, relief) is None


def left_open(office: Office) -> tuple[Unfinished, ...]:
    """Return what the month of the bank's day leaves open to whoever closes it."""
    with office.collecting.database.transaction(office.collecting.scope) as session:
        return unfinished(session, office.school_id, PAID_AT.date().replace(day=1), PAID_AT)


def test_the_limit_is_set_by_two(office: Office) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        school, maker = office.school_id, office.accountant
        with pytest.raises(Refused, match="không quá"):
            ask_limit(session, maker, school, Money(2_000_001), "QĐ", PAID_AT)
        with pytest.raises(Refused, match="căn cứ"):
            ask_limit(session, maker, school, LIMIT, " ", PAID_AT)
        asked = ask_limit(session, maker, school, LIMIT, "QĐ", PAID_AT)
        month = PAID_AT.date().replace(day=1)
        assert Unfinished("limits", 1) in unfinished(session, school, month, PAID_AT)
        with pytest.raises(Conflict, match="đang chờ duyệt"):
            ask_limit(session, maker, school, LIMIT, "QĐ", PAID_AT)
        with pytest.raises(SamePerson):
            decide_limit(session, maker, school, asked.id, PAID_AT, approved=True)
        with pytest.raises(Refused, match="lý do"):
            decide_limit(session, office.approver, school, asked.id, PAID_AT, approved=False)
        assert limit_now(session, school) == Money(0)
        decide_limit(session, office.approver, school, asked.id, PAID_AT, approved=True)
        assert "limits" not in {each.what for each in unfinished(session, school, month, PAID_AT)}
        assert (limit_now(session, school), waiting_limit(session, school)) == (LIMIT, None)
        with pytest.raises(Conflict, match="không còn chờ"):
            decide_limit(session, office.approver, school, asked.id, PAID_AT, approved=True)


def test_it_is_taken_back_and_goes_with_the_payment(office: Office) -> None:
    limited(office)
    transfer, bill = short(office)
    relief = accept(office, transfer, bill)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        with pytest.raises(Refused, match="lý do"):
            take_back_shortfall(session, office.approver, office.school_id, relief, " ", PAID_AT)
        take_back_shortfall(session, office.approver, office.school_id, relief, "Ngân hàng đã bù", PAID_AT)
        with pytest.raises(NotFound):
            take_back_shortfall(session, office.approver, office.school_id, relief, "x", PAID_AT)
    assert office.rest(0) == 20_000
    accept(office, transfer, bill)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        seen = seen_of(session, office.school_id, transfer)
        act = ask_undo(session, office.accountant, office.school_id, transfer, seen, "Của em khác", PAID_AT)
        agree_undo(session, office.approver, office.school_id, act.id, PAID_AT)
    assert (office.rest(0), office.collecting.states()) == (650_000, ["waiting"])
    assert office.broken() == []


def test_it_goes_with_what_the_bank_takes_back(office: Office) -> None:
    limited(office)
    transfer, bill = short(office)
    accept(office, transfer, bill)
    office.collecting.hear_of(office.collecting.pays("thu hoi", 630_000, direction=Direction.OUT))
    (out,) = [each.id for each in office.collecting.transfers() if each.direction == "out"]
    with office.collecting.database.transaction(office.collecting.scope) as session:
        asked = ask_reversal(session, office.accountant, office.school_id, out, transfer, "Công văn 3", PAID_AT)
        agree_reversal(session, office.approver, office.school_id, asked.id, PAID_AT)
    assert office.rest(0) == 650_000
    assert "642" not in office.collecting.books()
    assert office.broken() == []


def test_never_for_ones_own_child(office: Office) -> None:
    limited(office)
    transfer, bill = short(office)
    with office.collecting.database.transaction(EVERYTHING) as session:
        declare(session, office, office.accountant)
    with pytest.raises(OwnFamily):
        accept(office, transfer, bill)
    assert office.rest(0) == 20_000


def test_a_child_declared_after_asking_stops_the_agreement(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(office)
    transfer, bill = short(office)
    asked = ask(office, transfer, bill)
    with office.collecting.database.transaction(EVERYTHING) as session:
        declare(session, office, office.accountant)
    with pytest.raises(OwnFamily, match="trong nhà của người đề nghị"):
        agree(office, asked)
    monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
    with pytest.raises(IntegrityError, match="family of who asked"):
        agree(office, asked)
    assert office.rest(0) == 20_000


def declare(session: Session, office: Office, actor: Actor) -> None:
    pupil = office.pupil(0)
    code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil)).one()
    assert actor.user_id
    said = Named(code, session.get_one(Pupil, pupil).full_name)
    declare_child(session, actor, office.school_id, actor.user_id, said, PAID_AT)


def test_the_database_refuses(office: Office) -> None:
    transfer, bill = short(office)
    by = office.accountant.user_id
    relief = {
        "school": office.school_id, "pupil": office.pupil(0), "bill": bill, "transfer": transfer, "by": by,
        "at": PAID_AT, "day": PAID_AT.date(), "id": UUID(int=77), "amount": 20_000, "paper": "x",
    }  # fmt: skip
    insert = text(
        "INSERT INTO reliefs (id, school_id, pupil_id, bill_id, transfer_id, kind, parts, amount, decision_number,"
        " decided_on, reason, made_by, made_at)"
        " VALUES (:id, :school, :pupil, :bill, :transfer, 'shortfall', '[]', :amount, :paper, :day, 'x', :by, :at)"
    )
    with pytest.raises(IntegrityError, match="beyond the limit"):
        run(office, {**relief, "decider": office.approver.user_id}, insert, DECIDE_BY)  # no limit is agreed to
    with pytest.raises(IntegrityError, match="no more than comes"):
        run(office, {**relief, "amount": 630_001}, insert)
    with pytest.raises(IntegrityError, match="paid this bill"):
        run(office, {**relief, "pupil": office.pupil(1)}, insert)
    limited(office)
    with pytest.raises(IntegrityError, match="does not approve it"):
        run(office, relief, insert, DECIDE)
    accept(office, transfer, bill)
    with pytest.raises(IntegrityError, match="accepted short already"):
        run(office, relief, insert)
    other = pay_from_abroad(office.collecting, office.code(1), 290_000)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        owed = session.exec(select(Bill.id).where(col(Bill.pupil_id) == office.pupil(1))).one()
    twice = {**relief, "pupil": office.pupil(1), "bill": owed, "transfer": other, "amount": 10_000}
    with pytest.raises(IntegrityError, match="stands for one transfer"):
        run(office, {**twice, "paper": f" {PAPER.lower()}."}, insert)
    reverse = text(
        "INSERT INTO payment_reversals (payment_id, school_id, entry_id, reason, at)"
        " SELECT p.id, p.school_id, e.id, 'x', :at FROM payments p JOIN journal_entries e ON e.kind = 'payment'"
        " AND e.source_id = p.id::text WHERE p.source_kind = 'transfer'"
    )
    with pytest.raises(IntegrityError, match="take that back first"):
        run(office, relief, reverse)


def run(office: Office, values: Mapping[str, object], *statements: Executable) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        for statement in statements:
            session.execute(statement, values)
