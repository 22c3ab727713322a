"""A bank takes back what it had told of: tied to that transfer, by two people or by the bank's own number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import Executable, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.closing.deciding import Unfinished
from billing.errors import Conflict, OwnFamily, Refused, SamePerson
from billing.events.recording import PAYMENT_TAKEN_BACK
from billing.events.tables import Event
from billing.money import Money
from billing.payments.tables import Receipt, ReceiptVoid
from billing.people import agreeing
from billing.people.declaring import Named, declare_child
from billing.people.tables import Pupil, PupilCode
from reconciliation.closing.checking import unfinished
from reconciliation.matching import Direction
from reconciliation.outgoing.classifying import Purpose, classify
from reconciliation.outgoing.kinds import Tie
from reconciliation.reports.filling import report_record
from reconciliation.reports.records import checks
from reconciliation.reversing.asking import agree_reversal, ask_reversal, open_reversals, refuse_reversal
from reconciliation.tables import Transfer
from service.database import EVERYTHING
from tests.factories.collecting import PAID_AT
from tests.journeys.settling.office import Office

WHY = "Công văn của ngân hàng: lệnh chuyển nhầm, thu hồi"

INSERT = text(
    "INSERT INTO bank_reversals (id, school_id, out_id, came_id, named, reason, made_by, made_at)"
    " VALUES (gen_random_uuid(), :school, :out, :came, :named, 'x', :by, :at)"
)


def pair(office: Office, memo: str = "thu hoi lenh chuyen nham", dong: int = 650_000) -> tuple[UUID, UUID]:
    """Let the first family pay and the bank take as much back; return money out and money in."""
    office.collecting.hear_of(office.collecting.pays(office.code(0), dong))
    return took(office, memo, dong), came(office)


def took(office: Office, memo: str, dong: int = 650_000, number: str = "") -> UUID:
    """Let money go out; ``number`` is the reference that the bank gives it, else one of its own."""
    left = office.collecting.pays(memo, dong, direction=Direction.OUT)
    office.collecting.hear_of(replace(left, bank_reference=number or left.bank_reference))
    (out,) = [each.id for each in office.collecting.transfers() if each.direction == "out" and each.memo == memo]
    return out


def left_open(office: Office) -> tuple[Unfinished, ...]:
    """Return what the month of the bank's day leaves open to whoever closes it."""
    with office.collecting.database.transaction(office.collecting.scope) as session:
        return unfinished(session, office.school_id, PAID_AT.date().replace(day=1), PAID_AT)


def came(office: Office) -> UUID:
    (money,) = [each.id for each in office.collecting.transfers() if each.direction == "in"]
    return money


def ask(office: Office, out: UUID, money: UUID, by: Actor | None = None, why: str = WHY) -> UUID:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        return ask_reversal(session, by or office.accountant, office.school_id, out, money, why, PAID_AT).id


def agree(office: Office, reversal: UUID, by: Actor | None = None) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        agree_reversal(session, by or office.approver, office.school_id, reversal, PAID_AT)


def sound(office: Office) -> None:
    assert office.broken() == []
    day = PAID_AT.date()
    with office.collecting.database.transaction(office.collecting.scope) as session:
        report = report_record(session, office.school_id, day.replace(day=1), day, PAID_AT)
    of_lines = "Chưa nộp: sổ cái và trang Chưa nộp"  # the bills of this world have no lines to list
    assert [each for each in checks(report) if each.difference and each.name != of_lines] == []


def test_two_people_reverse_the_payment_and_the_bill_is_open_again(office: Office) -> None:
    out, money = pair(office)
    assert (office.rest(0), office.collecting.receipts()) == (0, [(1, 650_000)])
    reversal = ask(office, out, money)
    assert (office.rest(0), office.collecting.states()) == (0, ["ignored_out", "matched"]), "nothing moved yet"
    with pytest.raises(SamePerson):
        agree(office, reversal, office.accountant)
    with pytest.raises(Conflict, match="đang chờ người khác duyệt"):
        ask(office, out, money)
    agree(office, reversal)
    assert (office.rest(0), office.collecting.states()) == (650_000, ["ignored_out", "reversed"])
    books = office.collecting.books()
    assert {"1388", "3388S", "3383"} & books.keys() == set()
    assert books.get("112", 0) == 0, "the bank has it no more, and nothing of it is income"
    sound(office)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        void = session.exec(select(Receipt.number).join(ReceiptVoid, col(ReceiptVoid.receipt_id) == Receipt.id)).all()
        told = session.exec(select(Event.facts).where(Event.kind == PAYMENT_TAKEN_BACK)).one()
    assert (list(void), told["used"], told["pupil_id"]) == ([1], 650_000, str(office.pupil(0)))
    with pytest.raises(Conflict, match="đã được quyết định"):
        agree(office, reversal)
    office.collecting.hear_of(office.collecting.pays(office.code(0), 650_000))
    assert (office.rest(0), office.collecting.receipts()) == (0, [(1, 650_000), (2, 650_000)])
    sound(office)


def test_the_banks_own_number_lets_one_person_do_it(office: Office) -> None:
    office.collecting.hear_of(office.collecting.pays(office.code(0)))
    (credited,) = office.collecting.transfers()
    number = credited.bank_reference or ""
    assert len(number) >= 6
    out = took(office, "HOAN TRA GD", number=f"RV01 {number}")
    ask(office, out, credited.id)
    assert (office.rest(0), office.collecting.states()) == (650_000, ["ignored_out", "reversed"])
    sound(office)


def test_what_the_school_types_itself_names_nothing(office: Office) -> None:
    """A memo is typed by whoever orders the payment; a piece of a number is no number."""
    office.collecting.hear_of(office.collecting.pays(office.code(0)))
    (credited,) = office.collecting.transfers()
    number = credited.bank_reference or ""
    typed = took(office, f"HOAN TRA GD {number}")
    pieces = took(office, "CT TIEN MUA BAN GHE", number=f"{number}9981")
    broken = took(office, "CT TIEN BAN", number=f"{number[:3]} {number[3:]}1")
    for out in (typed, pieces, broken):
        named = {"school": office.school_id, "out": out, "came": credited.id, "by": office.accountant.user_id}
        with pytest.raises(IntegrityError, match="does not name"):
            run(office, INSERT, {**named, "named": True, "at": PAID_AT})
        first = ask(office, out, credited.id)
        assert sorted(office.collecting.states()) == ["ignored_out"] * 3 + ["matched"], "another person decides"
        refuse(office, first)
    assert office.rest(0) == 0


def refuse(office: Office, reversal: UUID) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        refuse_reversal(session, office.approver, office.school_id, reversal, "Ngân hàng chưa báo", PAID_AT)


def test_a_refusal_moves_nothing(office: Office) -> None:
    out, money = pair(office)
    first = ask(office, out, money)
    assert Unfinished("bank_reversals", 1, Money(650_000)) in left_open(office)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        with pytest.raises(Refused, match="lý do"):
            refuse_reversal(session, office.approver, office.school_id, first, " ", PAID_AT)
        refuse_reversal(session, office.approver, office.school_id, first, "Ngân hàng chưa báo", PAID_AT)
        assert open_reversals(session, office.school_id) == []
    assert "bank_reversals" not in {each.what for each in left_open(office)}
    assert office.collecting.states() == ["ignored_out", "matched"]


def test_what_is_not_taken_back(office: Office) -> None:
    out, money = pair(office)
    other = took(office, "phi dich vu", 11_000)
    for wrong, error, words in ((other, Refused, "đúng số tiền"), (out, Refused, "lý do")):
        with pytest.raises(error, match=words):
            ask(office, wrong, money, why=" " if wrong == out else WHY)
    with office.collecting.database.transaction(EVERYTHING) as session:
        named(session, office.approver, office)
    with pytest.raises(OwnFamily):
        ask(office, out, money, office.approver)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        direct = Purpose("reversed", tie=Tie.REVERSED, tied_id=money)
        with pytest.raises(Conflict, match="hai người"):
            classify(session, office.accountant, office.school_id, out, [direct], PAID_AT)


def test_a_child_declared_after_asking_stops_the_reversal(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    out, money = pair(office)
    reversal = ask(office, out, money)
    with office.collecting.database.transaction(EVERYTHING) as session:
        named(session, office.accountant, office)
    with pytest.raises(OwnFamily, match="trong nhà của người đề nghị"):
        agree(office, reversal)
    monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
    with pytest.raises(IntegrityError, match="family of who asked"):
        agree(office, reversal)
    assert office.collecting.states() == ["ignored_out", "matched"]


def named(session: Session, actor: Actor, office: Office) -> None:
    pupil = office.pupil(0)
    code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil)).one()
    assert actor.user_id
    said = Named(code, session.get_one(Pupil, pupil).full_name)
    declare_child(session, actor, office.school_id, actor.user_id, said, PAID_AT)


def test_used_credit_is_given_back_first(office: Office) -> None:
    out, money = pair(office, dong=700_000)
    assert office.ask_refund(0)
    reversal = ask(office, out, money)
    with pytest.raises(Refused, match="tiền tồn"):
        agree(office, reversal)
    assert office.decide_refund(approve=False)
    agree(office, reversal)
    sound(office)


def test_the_database_refuses(office: Office) -> None:
    out, money = pair(office)
    values = {"school": office.school_id, "out": out, "came": money, "by": office.accountant.user_id, "at": PAID_AT}
    with pytest.raises(IntegrityError, match="does not name"):
        run(office, INSERT, {**values, "named": True})
    with pytest.raises(IntegrityError, match="only money out takes back"):
        run(office, INSERT, {**values, "named": False, "came": out})
    reversal = ask(office, out, money)
    with pytest.raises(IntegrityError, match="waits already"):
        run(office, INSERT, {**values, "named": False})
    decide = text(
        "INSERT INTO bank_reversal_decisions (reversal_id, school_id, approved, decided_by, reason, at)"
        " VALUES (:reversal, :school, true, :by, '', :at)"
    )
    with pytest.raises(IntegrityError, match="does not approve it"):
        run(office, decide, {**values, "reversal": reversal})
    with pytest.raises(IntegrityError, match="reversed by a decision"):
        move(office, money)


def run(office: Office, statement: Executable, values: Mapping[str, object]) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        session.execute(statement, values)


def move(office: Office, transfer: UUID) -> None:
    with office.collecting.database.transaction(office.collecting.scope) as session:
        found = session.get_one(Transfer, transfer)
        found.state = "reversed"
        session.add(found)
