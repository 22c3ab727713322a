"""Registrations: a class at once, some of it, the same twice, another quantity, and the end."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.errors import NotFound, Refused
from billing.fees.pupils import read_roll
from billing.fees.registering import (
    ClassRegistration,
    Registered,
    Registration,
    class_members,
    end_registrations,
    register,
    register_class,
)
from billing.fees.tables import OptIn
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.fees import OCTOBER
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import SCHOOL_YEAR, make_class, make_pupil
from tests.standing import standing

NOW = datetime(2025, 9, 20, tzinfo=UTC)
SEPTEMBER, OCTOBER_1 = date(2025, 9, 1), date(2025, 10, 1)


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=3)


def boarding(billing: BillingSchool) -> ClassRegistration:
    return ClassRegistration(billing.pupils[0].class_group.id, "BANTRU", SEPTEMBER, "Phiếu đăng ký lớp 1A, 08/2025")


def live(session: Session) -> list[tuple[int, date, date | None]]:
    rows = session.exec(
        select(OptIn).where(col(OptIn.withdrawn_at).is_(None)).order_by(col(OptIn.enrolment_id), col(OptIn.valid_from))
    ).all()
    return [(row.quantity, row.valid_from, row.valid_to) for row in rows]


def boarders(session: Session, billing: BillingSchool) -> int:
    roll = read_roll(session, billing.id, SCHOOL_YEAR, OCTOBER)
    return sum(bool(each.facts.registrations) for each in roll.pupils)


def test_a_class_is_registered_once_however_often(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        other = make_class(session, billing.school, "1B")
        make_pupil(session, other, province_id=billing.school.province_id)
        first = register_class(session, billing.id, billing.accountant, boarding(billing), NOW)
        assert first == Registered(new=3)
        again = register_class(session, billing.id, billing.accountant, boarding(billing), NOW)
        assert again == Registered(unchanged=3)
        assert boarders(session, billing) == 3
        deeds = [deed.action for deed in session.exec(select(AuditEntry)).all()]
        assert deeds.count("fees.register") == 1


def test_some_of_a_class_and_nobody_from_elsewhere(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        chosen = frozenset({billing.pupils[1].enrolment.id})
        register_class(session, billing.id, billing.accountant, replace(boarding(billing), enrolment_ids=chosen), NOW)
        members = class_members(session, billing.id, billing.pupils[0].class_group.id, OCTOBER_1, "BANTRU")
        assert [member.registration is not None for member in members] == [False, True, False]
        stranger = replace(boarding(billing), enrolment_ids=frozenset({new_id()}))
        with pytest.raises(Refused, match="1 học sinh không thuộc lớp 1A"):
            register_class(session, billing.id, billing.accountant, stranger, NOW)
        with pytest.raises(NotFound, match="không có lớp"):
            register_class(session, billing.id, billing.accountant, replace(boarding(billing), class_id=new_id()), NOW)


def test_the_list_is_the_class_at_the_date(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        group = billing.pupils[0].class_group
        late = make_pupil(session, group, "Bùi Văn Muộn", province_id=billing.school.province_id, started_on=OCTOBER_1)
        before = {each.enrolment_id for each in class_members(session, billing.id, group.id, SEPTEMBER)}
        after = {each.enrolment_id for each in class_members(session, billing.id, group.id, OCTOBER_1)}
        assert after - before == {late.enrolment.id}


def test_another_quantity_gives_way_from_its_day(database: Database, billing: BillingSchool) -> None:
    child = billing.pupils[0].enrolment.id
    one = Registration(child, "BANTRU", SEPTEMBER, "Phiếu")
    with database.transaction(EVERYTHING) as session:
        assert register(session, billing.id, billing.accountant, [one], NOW) == 1
        assert (
            register(session, billing.id, billing.accountant, [replace(one, quantity=2, valid_from=OCTOBER_1)], NOW)
            == 1
        )
        assert live(session) == [(1, SEPTEMBER, date(2025, 9, 30)), (2, OCTOBER_1, None)]
        register(session, billing.id, billing.accountant, [replace(one, quantity=3)], NOW)
        assert live(session) == [(3, SEPTEMBER, date(2025, 9, 30)), (2, OCTOBER_1, None)]


def test_an_end_and_a_new_beginning(database: Database, billing: BillingSchool) -> None:
    ids = [child.enrolment.id for child in billing.pupils[:2]]
    with database.transaction(EVERYTHING) as session:
        register_class(session, billing.id, billing.accountant, boarding(billing), NOW)
        stop = date(2025, 9, 30)
        assert end_registrations(session, billing.id, billing.accountant, "BANTRU", ids, stop, NOW, "Về nhà") == 2
        assert end_registrations(session, billing.id, billing.accountant, "BANTRU", ids, stop, NOW) == 0
        assert boarders(session, billing) == 1
        assert end_registrations(session, billing.id, billing.accountant, "BANTRU", ids, date(2025, 8, 31), NOW) == 2
        assert len(live(session)) == 1
        assert register_class(session, billing.id, billing.accountant, boarding(billing), NOW) == Registered(2, 0, 1)
        assert boarders(session, billing) == 3


def test_what_makes_no_sense_is_refused_by_name(database: Database, billing: BillingSchool) -> None:
    good = Registration(billing.pupils[0].enrolment.id, "BANTRU", SEPTEMBER, "Phiếu")
    with database.transaction(EVERYTHING) as session:

        def refused(error: type[Exception], words: str, wrong: Registration) -> None:
            with pytest.raises(error, match=words):
                register(session, billing.id, billing.accountant, [wrong], NOW)

        refused(NotFound, "không có khoản thu XE", replace(good, item_code="XE"))
        refused(NotFound, "1 học sinh không học ở trường", replace(good, enrolment_id=new_id()))
        refused(Refused, "thu của mọi học sinh", replace(good, item_code="NUOCUONG"))
        refused(Refused, "ghi căn cứ đăng ký", replace(good, evidence=" "))
        refused(Refused, "từ 1 đến 1000, không phải 0", replace(good, quantity=0))
        refused(Refused, "trước ngày bắt đầu", replace(good, valid_to=date(2025, 8, 1)))
        assert live(session) == []
