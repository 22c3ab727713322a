"""Nobody decides about money of the own family, whichever way the family is known; only others can take that away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, select

from billing.audit.recording import SYSTEM, Actor
from billing.audit.tables import AuditEntry
from billing.bills.tables import BillLine
from billing.claims.entitling import NewEntitlement, approve_entitlement, entitle
from billing.credits.payee import Payee
from billing.credits.paying_out import mark_sent, pay_cash
from billing.credits.refunding import Wanted, approve_refund, ask_refund
from billing.errors import Conflict, NotFound, OwnFamily, Refused, SamePerson
from billing.fees.reducing import NewReduction, approve_reduction, enter_reduction
from billing.money import Money
from billing.payments.relieving import MoreTime, NoLonger, approve_relief, ask_grace, ask_write_off, end_relief
from billing.people import agreeing
from billing.people.declaring import (
    Named,
    children_of,
    contacts_of,
    declare_child,
    declare_contact,
    end_child,
    end_contact,
)
from billing.people.kinship import own_family, refuse_own_family
from billing.people.tables import PupilCode
from billing.plans.papers import read_paper
from billing.rounds.correcting import Lowering, approve_correction, propose_credit, propose_price, propose_void
from billing.vault import Vault
from service.access.kin_refusals import kin_refusal_of
from service.database import EVERYTHING, Database
from tests.billing.credits.credit_world import School, make_school
from tests.factories.rounds import REFERENCE_KEY
from tests.factories.schools import make_guardian, make_user
from tests.standing import standing

PHONE = "0903 555 017"
KEPT_PHONE = "84903555017"
CASH, BANK = Payee(), Payee("Nguyễn Văn Hòa", "970436", "0123456789", proof="Đơn")


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> School:
    """October is billed; the first child has paid 5,000 đ too much."""
    made = make_school(database, vault, now)
    with made.open() as session:
        made.bill_month(session, 10)
        made.pay(session, 10, 0, over=5_000)
    return made


def named(school: School, session: Session, child: int = 0) -> Named:
    pupil = school.billing.pupils[child].pupil
    code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
    return Named(code, pupil.full_name)


def declare(school: School, session: Session, actor: Actor, child: int = 0) -> None:
    assert actor.user_id
    declare_child(session, actor, school.id, actor.user_id, named(school, session, child), school.now)


def test_a_declared_child_and_its_brothers_and_sisters_are_family(school: School, vault: Vault) -> None:
    accountant = school.billing.accountant
    with school.database.transaction(EVERYTHING) as session:
        make_guardian(session, vault, *school.billing.pupils[:2])
        declare(school, session, accountant)
        assert accountant.user_id
        assert own_family(session, accountant.user_id) == {school.pupil(0), school.pupil(1)}
        for child in (0, 1):
            with pytest.raises(OwnFamily, match="đồng nghiệp") as refused:
                refuse_own_family(session, accountant, school.id, {school.pupil(child), school.pupil(2)})
            assert refused.value.facts["pupils"] == (school.pupil(child),)
        refuse_own_family(session, accountant, school.id, {school.pupil(2)})
        refuse_own_family(session, school.billing.approver, school.id, {school.pupil(0)})
        refuse_own_family(session, SYSTEM, school.id, {school.pupil(0)})


@pytest.mark.parametrize("typed", [PHONE, "+84903555017", "Me.Hong@Example.vn"])
def test_a_guardian_with_the_own_number_is_family(school: School, vault: Vault, typed: str) -> None:
    approver = school.billing.approver
    assert approver.user_id
    with school.database.transaction(EVERYTHING) as session:
        child = school.billing.pupils[2]
        make_guardian(session, vault, child, phone=KEPT_PHONE, email="me.hong@example.vn")
        assert own_family(session, approver.user_id) == frozenset()
        row = declare_contact(session, vault, approver, school.id, approver.user_id, typed, school.now)
        assert KEPT_PHONE not in row.masked
        assert own_family(session, approver.user_id) == {child.id}
        session.execute(text("UPDATE contacts SET valid_to = '2025-10-01' WHERE guardian_id IS NOT NULL"))
        assert own_family(session, approver.user_id) == {child.id}, "a number given up yesterday hides nobody"


def test_only_another_person_takes_it_away_and_only_once(school: School, vault: Vault) -> None:
    accountant, approver = school.billing.accountant, school.billing.approver
    assert accountant.user_id
    with school.database.transaction(EVERYTHING) as session:
        declare(school, session, accountant)
        declare_contact(session, vault, accountant, school.id, accountant.user_id, PHONE, school.now)
        (child,) = children_of(session, school.id, accountant.user_id)
        (number,) = contacts_of(session, accountant.user_id)
        for end, row in ((end_child, child), (end_contact, number)):
            with pytest.raises(SamePerson):
                end(session, accountant, school.id, row.id, "không phải", school.now)
            with pytest.raises(Refused):
                end(session, approver, school.id, row.id, " ", school.now)
            end(session, approver, school.id, row.id, "khai nhầm em", school.now)
            with pytest.raises(Conflict):
                end(session, approver, school.id, row.id, "khai nhầm em", school.now)
        assert own_family(session, accountant.user_id) == frozenset()
        deeds = session.exec(select(AuditEntry.action).order_by("id")).all()
        assert list(deeds)[-4:] == [
            "family.declare_child",
            "family.declare_contact",
            "family.end_child",
            "family.end_contact",
        ]
        declare(school, session, accountant)  # again, after it ended


def test_what_cannot_be_declared(school: School, vault: Vault) -> None:
    accountant = school.billing.accountant
    assert accountant.user_id
    with school.database.transaction(EVERYTHING) as session:
        declare(school, session, accountant)
        with pytest.raises(Conflict):
            declare(school, session, accountant)
        code = named(school, session).code
        for wrong in (Named(code, "Lò Văn Khác"), Named("999", school.billing.pupils[0].pupil.full_name)):
            with pytest.raises(NotFound):
                declare_child(session, accountant, school.id, accountant.user_id, wrong, school.now)
        for typed in ("?", "0274 3 555 017", "khong@@dung"):
            with pytest.raises(Refused):
                declare_contact(session, vault, accountant, school.id, accountant.user_id, typed, school.now)
        declare_contact(session, vault, accountant, school.id, accountant.user_id, PHONE, school.now)
        with pytest.raises(Conflict):
            declare_contact(session, vault, accountant, school.id, accountant.user_id, KEPT_PHONE, school.now)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE own_children SET ended_by = user_id, ended_at = now(), end_reason = 'x'",
        "UPDATE own_children SET pupil_id = gen_random_uuid()",
        "UPDATE own_children SET ended_by = gen_random_uuid(), ended_at = now()",
        "DELETE FROM own_children",
        "UPDATE staff_contacts SET ended_by = user_id, ended_at = now(), end_reason = 'x'",
        "UPDATE staff_contacts SET blind = ''",
        "DELETE FROM staff_contacts",
    ],
)
def test_the_database_itself_refuses(school: School, vault: Vault, statement: str) -> None:
    accountant = school.billing.accountant
    assert accountant.user_id
    with school.database.transaction(EVERYTHING) as session:
        declare(school, session, accountant)
        declare_contact(session, vault, accountant, school.id, accountant.user_id, PHONE, school.now)
    with pytest.raises(DBAPIError), school.database.transaction(EVERYTHING) as session:
        session.execute(text(statement))


Act = Callable[[School, Session, Actor], object]


def _bill(school: School, session: Session, child: int = 0) -> UUID:
    return school.bill(session, 10, child).bill_id


def _line(school: School, session: Session) -> int:
    of = select(BillLine.id).where(BillLine.bill_id == _bill(school, session), BillLine.item_code == "TIENAN")
    return session.exec(of).one() or 0


def _wanted(school: School, payee: Payee = CASH) -> list[Wanted]:
    return [Wanted(school.pupil(0), None, Money(5_000), payee)]


def _asked_refund(school: School, session: Session, payee: Payee = CASH) -> UUID:
    asker = make_user(session, school.billing.school)
    return ask_refund(session, school.vault, asker, school.id, _wanted(school, payee), "nộp thừa", school.now).id


def _approved_line(school: School, session: Session, payee: Payee = CASH) -> UUID:
    refund = _asked_refund(school, session, payee)
    approve_refund(session, refund, make_user(session, school.billing.school, "approver"), school.now)
    (line,) = session.execute(text("SELECT id FROM refund_lines")).scalars()
    return UUID(str(line))


def _reduction(school: School, session: Session, actor: Actor) -> UUID:
    new = NewReduction(school.billing.pupils[0].enrolment.id, "HOCBONG", date(2025, 9, 1), "Đơn", percent=10)
    return enter_reduction(session, school.billing.school, new, actor, school.now).id


UNPAID = 1
ACTS: dict[str, Act] = {
    "ask a void": lambda s, x, a: propose_void(x, a, _bill(s, x, UNPAID), "sai", s.now),
    "ask a credit": lambda s, x, a: propose_credit(x, a, _bill(s, x), [Lowering(_line(s, x), Money(9))], "sai", s.now),
    "approve a credit": lambda s, x, a: approve_correction(
        x,
        propose_credit(
            x, make_user(x, s.billing.school), _bill(s, x), [Lowering(_line(s, x), Money(9))], "sai", s.now
        ).id,
        a,
        s.now,
        REFERENCE_KEY,
    ),
    "ask a refund": lambda s, x, a: ask_refund(x, s.vault, a, s.id, _wanted(s), "nộp thừa", s.now),
    "approve a refund": lambda s, x, a: approve_refund(x, _asked_refund(s, x), a, s.now),
    "pay a refund": lambda s, x, a: pay_cash(x, _approved_line(s, x), a, "Hòa", s.now.date(), s.now),
    "send a refund": lambda s, x, a: mark_sent(x, _approved_line(s, x, BANK), a, s.now.date(), s.now),
    "ask more time": lambda s, x, a: ask_grace(
        x, a, s.id, MoreTime(s.pupil(UNPAID), None, date(2025, 12, 1), "đơn"), s.now
    ),
    "approve more time": lambda s, x, a: approve_relief(x, a, s.id, _grace(s, x), s.now),
    "lift more time": lambda s, x, a: end_relief(x, a, s.id, _granted(s, x), "thôi", s.now),
    "ask a write-off": lambda s, x, a: ask_write_off(
        x,
        a,
        s.id,
        NoLonger(_bill(s, x, UNPAID), "15", date(2025, 10, 1), "đi", read_paper("q.pdf", b"%PDF-1.7")),
        s.now,
    ),
    "enter a reduction": _reduction,
    "approve a reduction": lambda s, x, a: approve_reduction(
        x, s.id, _reduction(s, x, make_user(x, s.billing.school)), a, s.now
    ),
}


def _grace(school: School, session: Session) -> UUID:
    more = MoreTime(school.pupil(UNPAID), None, date(2025, 12, 1), "đơn")
    return ask_grace(session, make_user(session, school.billing.school), school.id, more, school.now).id


def _granted(school: School, session: Session) -> UUID:
    approver = make_user(session, school.billing.school, "approver")
    return approve_relief(session, approver, school.id, _grace(school, session), school.now).id


def _entitled(school: School, session: Session, actor: Actor) -> UUID:
    new = NewEntitlement(school.billing.pupils[0].enrolment.id, "HONGHEO", "Giấy chứng nhận", date(2025, 9, 1))
    return entitle(session, school.id, actor, new, school.now).id


Asks = Callable[[School, Session, Actor], UUID]
Agrees = Callable[[School, Session, UUID, Actor], object]
BY_TWO: dict[str, tuple[Asks, Agrees]] = {
    "credit": (
        lambda s, x, a: propose_credit(x, a, _bill(s, x), [Lowering(_line(s, x), Money(9))], "sai", s.now).id,
        lambda s, x, asked, a: approve_correction(x, asked, a, s.now, REFERENCE_KEY),
    ),
    "refund": (
        lambda s, x, a: ask_refund(x, s.vault, a, s.id, _wanted(s), "nộp thừa", s.now).id,
        lambda s, x, asked, a: approve_refund(x, asked, a, s.now),
    ),
    "more time": (
        lambda s, x, a: ask_grace(x, a, s.id, MoreTime(s.pupil(UNPAID), None, date(2025, 12, 1), "đơn"), s.now).id,
        lambda s, x, asked, a: approve_relief(x, a, s.id, asked, s.now),
    ),
    "reduction": (_reduction, lambda s, x, asked, a: approve_reduction(x, s.id, asked, a, s.now)),
    "right to support": (_entitled, lambda s, x, asked, a: approve_entitlement(x, asked, a, s.now)),
}


@pytest.mark.parametrize("name", BY_TWO)
def test_a_child_that_the_asker_declares_afterwards_stops_the_agreement(
    school: School, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks, agrees = BY_TWO[name]
    with school.database.transaction(EVERYTHING) as session:
        asker, approver = (make_user(session, school.billing.school, role) for role in ("accountant", "approver"))
        asked = asks(school, session, asker)
        declare(school, session, asker, 0)
        declare(school, session, asker, UNPAID)
        codes = {str(named(school, session, child).code) for child in (0, UNPAID)}
    with pytest.raises(OwnFamily) as told, school.database.transaction(EVERYTHING) as session:
        agrees(school, session, asked, approver)
    assert any(f"(mã {code})" in told.value.message for code in codes), "the child is named by its code"
    assert told.value.facts["user"] == asker.user_id
    monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
    with pytest.raises(IntegrityError) as stopped, school.database.transaction(EVERYTHING) as session:
        agrees(school, session, asked, approver)
    refused = kin_refusal_of(stopped.value.orig)
    assert refused is not None
    assert refused.facts["user"] == asker.user_id
    assert refused.facts["pupils"] in ((school.pupil(0),), (school.pupil(UNPAID),))
    with school.database.transaction(EVERYTHING) as session:
        for child in children_of(session, school.id, asker.user_id or school.id):
            end_child(session, approver, school.id, child.id, "khai nhầm em", school.now)
        agrees(school, session, asked, approver)


@pytest.mark.parametrize("name", ACTS)
def test_no_act_is_done_for_the_own_family_and_every_act_for_others(school: School, name: str) -> None:
    with school.database.transaction(EVERYTHING) as session:
        kin, other = (make_user(session, school.billing.school) for _ in range(2))
        declare(school, session, kin, 0)
        declare(school, session, kin, UNPAID)
    with pytest.raises(OwnFamily), school.database.transaction(EVERYTHING) as session:
        ACTS[name](school, session, kin)
    with school.database.transaction(EVERYTHING) as session:
        ACTS[name](school, session, other)


def test_what_a_whole_round_has_alike_is_nobodys_own(school: School) -> None:
    accountant = school.billing.accountant
    with school.database.transaction(EVERYTHING) as session:
        declare(school, session, accountant)
        propose_price(session, accountant, school.rounds[10], "TIENAN", Money(31_000), "giá mới", school.now)
