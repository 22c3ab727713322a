"""A pupil's reduction: entered by one person with its evidence, approved by another, ended at a date."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.audit.recording import SYSTEM
from billing.audit.tables import AuditEntry
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.fees.errors import BadCatalogue
from billing.fees.items import Group, Level, Ownership, Payer
from billing.fees.kinds import find_kind, parse_kinds, shipped_kinds
from billing.fees.pupils import Roll, read_roll
from billing.fees.reducing import (
    NewReduction,
    approve_reduction,
    end_reduction,
    enter_reduction,
    values_of,
    waiting_reductions,
    withdraw_reduction,
)
from billing.fees.tables import Reduction
from billing.money import Money
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.fees import OCTOBER
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import SCHOOL_YEAR
from tests.standing import standing

NOW = datetime(2025, 9, 20, tzinfo=UTC)
SEPTEMBER = date(2025, 9, 1)


@pytest.fixture
@standing
def private(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=2, catalogue="private-school")


def war_invalids_child(billing: BillingSchool) -> NewReduction:
    return NewReduction(billing.pupils[0].enrolment.id, "NCC", SEPTEMBER, "Giấy xác nhận số 12")


def counted(session: Session, billing: BillingSchool) -> tuple[list[str], Roll]:
    roll = read_roll(session, billing.id, SCHOOL_YEAR, OCTOBER)
    return [each.title for pupil in roll.pupils for each in pupil.facts.reductions], roll


def test_only_what_another_person_approved_counts(database: Database, private: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        row = enter_reduction(session, private.school, war_invalids_child(private), private.accountant, NOW)
        assert (row.percent, row.payer, row.item_groups) == (100, "state", ["tuition"])
        assert row.legal_basis == "Nghị định 238/2025/NĐ-CP"
        names, roll = counted(session, private)
        assert names == []
        assert roll.waiting_reductions == {private.pupils[0].id}
        assert waiting_reductions(session, private.id) == [row]
        with pytest.raises(SamePerson):
            approve_reduction(session, private.id, row.id, private.accountant, NOW)
        approve_reduction(session, private.id, row.id, private.approver, NOW)
        names, roll = counted(session, private)
        assert names == ["Người có công với cách mạng và thân nhân"]
        assert not roll.waiting_reductions
        assert waiting_reductions(session, private.id) == []
        with pytest.raises(Conflict):
            approve_reduction(session, private.id, row.id, private.approver, NOW)
        deeds = [deed.action for deed in session.exec(select(AuditEntry)).all()]
        assert deeds[-2:] == ["fees.enter_reduction", "fees.approve_reduction"]


def test_what_makes_no_sense_is_refused_by_name(database: Database, private: BillingSchool) -> None:
    good = war_invalids_child(private)
    with database.transaction(EVERYTHING) as session:

        def refused(error: type[Exception], words: str, new: NewReduction) -> None:
            with pytest.raises(error, match=words):
                enter_reduction(session, private.school, new, private.accountant, NOW)

        refused(Refused, "chưa ghi minh chứng.*Giấy xác nhận", replace(good, evidence=" "))
        refused(NotFound, "Không có diện miễn giảm mã XYZ", replace(good, kind="XYZ"))
        refused(NotFound, "Không tìm thấy học sinh", replace(good, enrolment_id=new_id()))
        refused(Refused, "tỷ lệ theo quy định là 100 %", replace(good, percent=50))
        refused(Refused, "tỷ lệ theo quy định là 100 %", replace(good, amount=Money(5)))
        refused(Refused, "có hiệu lực từ 01/09/2025", replace(good, valid_from=date(2025, 8, 1)))
        refused(Refused, "đến 31/08/2025", replace(good, kind="ND81-CN"))
        refused(Refused, "không áp dụng cho nhóm", replace(good, groups=frozenset({Group.AGREED})))
        refused(
            NotFound, "không có khoản thu LA", replace(good, kind="HOCBONG", percent=5, item_codes=frozenset({"LA"}))
        )
        refused(Refused, "ghi tỷ lệ hoặc số tiền", replace(good, kind="HOCBONG"))
        refused(Refused, "do chương trình tự tính", replace(good, kind="NQ217"))
        with pytest.raises(NotAllowed, match="người có tên"):
            enter_reduction(session, private.school, good, SYSTEM, NOW)


def test_a_public_school_cannot_grant_what_is_for_private_ones(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        public = make_billing_school(session, vault, pupils=1)
        with pytest.raises(Refused, match="không áp dụng cho loại trường"):
            enter_reduction(session, public.school, war_invalids_child(public), public.accountant, NOW)


def test_one_of_a_kind_at_a_time(database: Database, private: BillingSchool) -> None:
    new = war_invalids_child(private)
    with database.transaction(EVERYTHING) as session:
        first = enter_reduction(session, private.school, new, private.accountant, NOW)
        with pytest.raises(Conflict, match="đã có miễn giảm"):
            enter_reduction(session, private.school, new, private.accountant, NOW)
        withdraw_reduction(session, private.id, first.id, private.accountant, NOW, "Nhập nhầm em khác")
        assert enter_reduction(session, private.school, new, private.accountant, NOW).id != first.id
        with pytest.raises(Conflict, match="đã được bỏ"):
            withdraw_reduction(session, private.id, first.id, private.accountant, NOW, "Lại")


def test_what_the_school_takes_off_for_everybody_is_not_entered_again(
    database: Database, private: BillingSchool
) -> None:
    """The catalogue takes 10 % off from the second child on by itself; entered by hand too it would be 20 %."""
    siblings = replace(war_invalids_child(private), kind="ANHCHIEM")
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(Conflict, match="chương trình tự tính"):
            enter_reduction(session, private.school, siblings, private.accountant, NOW)
        staff = replace(siblings, kind="CONCBNV")
        assert enter_reduction(session, private.school, staff, private.accountant, NOW).percent == 50


def test_a_second_way_of_paying_ahead_is_not_entered_over_the_first(database: Database, private: BillingSchool) -> None:
    year = replace(war_invalids_child(private), kind="CANAM", evidence="Đơn đăng ký nộp cả năm")
    named = replace(year, kind="QUY", item_codes=frozenset({"HOCPHI"}))
    with database.transaction(EVERYTHING) as session:
        first = enter_reduction(session, private.school, year, private.accountant, NOW)
        with pytest.raises(Conflict, match=r"đã có “Nộp trước cả năm học” từ 01/09/2025.*Hãy kết thúc hoặc bỏ"):
            enter_reduction(session, private.school, named, private.accountant, NOW)
        end_reduction(session, private.id, first.id, date(2025, 12, 31), private.accountant, NOW, "Đổi sang nộp quý")
        after = replace(named, valid_from=date(2026, 1, 1))
        assert enter_reduction(session, private.school, after, private.accountant, NOW).reason_class == "QUY"
        another = replace(named, enrolment_id=private.pupils[1].enrolment.id)
        assert enter_reduction(session, private.school, another, private.accountant, NOW).percent == 3


def test_the_database_refuses_a_second_way_of_paying_ahead(database: Database, private: BillingSchool) -> None:
    year = replace(war_invalids_child(private), kind="CANAM", evidence="Đơn đăng ký nộp cả năm")
    with database.transaction(EVERYTHING) as session:
        first = enter_reduction(session, private.school, year, private.accountant, NOW)
        quarter = values_of(first) | {"reason_class": "QUY", "valid_from": date(2026, 1, 1)}
        for refused in (quarter, quarter | {"item_groups": [], "item_codes": ["HOCPHI"]}):
            with pytest.raises(IntegrityError, match="one way of paying ahead"), session.begin_nested():
                session.exec(insert(Reduction).values(**refused))
        session.add(Reduction(**(quarter | {"item_groups": ["service"]})))
        withdraw_reduction(session, private.id, first.id, private.accountant, NOW, "Nhập nhầm")
        session.add(Reduction(**quarter))
        session.flush()


def test_poor_in_the_first_term_and_no_longer_in_the_second(database: Database, private: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        new = replace(war_invalids_child(private), kind="TRUONGGIAM", percent=70)
        row = enter_reduction(session, private.school, new, private.accountant, NOW)
        approve_reduction(session, private.id, row.id, private.approver, NOW)
        with pytest.raises(Refused, match="lý do"):
            end_reduction(session, private.id, row.id, date(2025, 12, 31), private.accountant, NOW, "")
        with pytest.raises(Refused, match="hãy bỏ hẳn"):
            end_reduction(session, private.id, row.id, date(2025, 8, 31), private.accountant, NOW, "Hết")
        end_reduction(session, private.id, row.id, date(2025, 9, 30), private.accountant, NOW, "Hết khó khăn")
        assert counted(session, private)[0] == []
        with pytest.raises(Refused, match="lập miễn giảm mới"):
            end_reduction(session, private.id, row.id, date(2025, 12, 31), private.accountant, NOW, "Kéo dài")


def test_a_scholarship_by_amount_for_one_item(database: Database, private: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        new = replace(
            war_invalids_child(private),
            kind="HOCBONG",
            amount=Money(500_000),
            item_codes=frozenset({"HOCPHI"}),
            legal_basis="Quyết định 7/QĐ của Quỹ khuyến học",
        )
        row = enter_reduction(session, private.school, new, private.accountant, NOW)
        assert (row.kind, row.amount, row.percent, row.item_groups) == ("amount", Money(500_000), None, [])
        assert row.legal_basis == "Quyết định 7/QĐ của Quỹ khuyến học"


# The kinds as a file.


def test_every_class_of_both_regimes_is_in_the_file() -> None:
    kinds = {kind.code: kind for kind in shipped_kinds()}
    shares = {code: kind.percent for code, kind in kinds.items() if kind.payer is Payer.STATE}
    assert shares == {
        "NQ217": 100, "NCC": 100, "TNLD": 50,
        "ND81-NCC": 100, "ND81-KT": 100, "ND81-MC": 100, "ND81-HN": 100, "ND81-DTTS": 70, "ND81-CN": 50,
        "ND81-TNLD": 50,
    }  # fmt: skip
    assert {kind.payer for kind in kinds.values()} == {Payer.STATE, Payer.SCHOOL, Payer.DONOR}
    assert all(kind.valid.end == date(2025, 8, 31) for code, kind in kinds.items() if code.startswith("ND81"))
    assert all(kind.evidence for kind in kinds.values() if not kind.by_law)
    assert all(kind.sensitive for code, kind in kinds.items() if code.startswith("ND81"))
    assert all(kind.comment for kind in kinds.values() if kind.payer is Payer.STATE)


def test_a_school_is_offered_what_fits_it() -> None:
    def offered(ownership: Ownership, on: date) -> set[str]:
        return {kind.code for kind in shipped_kinds() if kind.fits(ownership, frozenset({Level.PRIMARY}), on)}

    assert "ND81-CN" in offered(Ownership.PUBLIC, date(2025, 5, 1))
    assert offered(Ownership.PUBLIC, SEPTEMBER) == {"TRUONGGIAM", "HOCBONG", "NHAHAOTAM"}
    assert {"NCC", "TNLD", "ANHCHIEM", "CANAM", "CONCBNV"} <= offered(Ownership.PRIVATE, SEPTEMBER)
    assert not find_kind("CANAM").fixed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"basis": "?"}, "căn cứ"),
        ({"percent": 101}, "từ 1 đến 100"),
        ({"groups": []}, "nhóm khoản thu"),
        ({"payer": "family"}, "không phải gia đình"),
        ({"groups": ["donation"]}, "trừ tài trợ"),
        ({"typo": 1}, "trường lạ: typo"),
    ],
)
def test_a_wrong_kind_is_refused_with_its_place(change: dict[str, object], words: str) -> None:
    kind = {"code": "A", "name": "A", "payer": "state", "basis": "B", "groups": ["tuition"], "valid_from": "2025-09-01"}
    content = {"title": "Thử", "sources": [{"code": "B", "text": "Luật"}], "kinds": [kind | change]}
    with pytest.raises(BadCatalogue, match=rf"thu\.json, mục kinds\[1\].*{words}"):
        parse_kinds(content, "thu.json")
