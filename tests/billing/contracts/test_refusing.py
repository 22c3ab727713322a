"""What contracts refuse: bad input with its remedy, steps out of order, public schools, one person alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing.contracts.admitting import admit, decline
from billing.contracts.agreeing import Agreement, agree
from billing.contracts.applying import WantedContract, apply_for_place, draft_contract
from billing.contracts.charging_late import add_late_charges
from billing.contracts.reading import usable_versions
from billing.contracts.tables import ContractApproval, ContractStep, ContractVersion
from billing.contracts.terms import as_json
from billing.contracts.versions import NewVersion, approve_version, draft_version
from billing.contracts.withdrawing import Telling, preview_withdrawal
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.storage import new_id
from service.database import EVERYTHING, Scope
from tests.billing.contracts.contract_world import JUNE, SIGNED, STARTS, TERMS, PrivateSchool, at
from tests.factories.rounds import REFERENCE_KEY, make_billing_school


def wanted(school: PrivateSchool, **changes: Any) -> WantedContract:  # noqa: ANN401  fields by their names
    return replace(WantedContract(school.version_id, "year", STARTS, 9), **changes)


BAD_APPLICANTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"full_name": "Bé 1"}, "không dùng trong tên"),
    ({"guardian_name": ""}, "không dùng trong tên"),
    ({"phone": "0251 3822 999"}, "máy bàn"),
    ({"phone": "12"}, "không đúng"),
    ({"birth_date": date(2030, 1, 1)}, "không hợp lý"),
    ({"sex": "x"}, "giới tính"),
    ({"relation": "hàng xóm"}, "quan hệ"),
)


def test_applicant_that_cannot_be_is_refused(school: PrivateSchool) -> None:
    actor = school.billing.accountant
    with school.open() as session:
        for changes, said in BAD_APPLICANTS:
            applicant = replace(school.applicant(), **changes)
            with pytest.raises(Refused, match=said):
                apply_for_place(session, school.vault, school.id, applicant, wanted(school), actor, JUNE)
        assert _count(session, "contracts") == 0


def test_contract_that_cannot_be_is_refused(school: PrivateSchool) -> None:
    actor = school.billing.accountant
    pupil = school.pupil()
    with school.open() as session:
        with pytest.raises(Refused, match="cách đóng"):
            draft_contract(session, school.id, pupil, wanted(school, plan="quarter"), actor, JUNE)
        with pytest.raises(Refused, match="từ 1 đến 12"):
            draft_contract(session, school.id, pupil, wanted(school, months=13), actor, JUNE)
        with pytest.raises(NotFound, match="mẫu hợp đồng"):
            draft_contract(session, school.id, pupil, wanted(school, version_id=new_id()), actor, JUNE)
        with pytest.raises(Refused, match="chỉ dùng từ 01/06/2025"):
            draft_contract(session, school.id, pupil, wanted(school), actor, JUNE - timedelta(days=20))
        draft_contract(session, school.id, pupil, wanted(school), actor, JUNE)
        with pytest.raises(Conflict, match="đã có hợp đồng HD2526-00001"):
            draft_contract(session, school.id, pupil, wanted(school), actor, JUNE)


def test_agreement_needs_evidence_and_a_day_that_was(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        good = Agreement(JUNE.date(), date(2025, 6, 30), SIGNED)
        for bad, said in (
            (replace(good, paper=None), "tải tệp"),
            (replace(good, day=date(2025, 6, 11)), "đến hôm nay"),
            (replace(good, day=date(2025, 5, 1)), "từ 01/06/2025"),
            (replace(good, deposit_due=date(2025, 6, 1)), "trước hôm nay"),
        ):
            with pytest.raises(Refused, match=said):
                agree(session, school.id, contract.id, bad, school.billing.accountant, JUNE, REFERENCE_KEY)
        school.sign(session, contract)
        with pytest.raises(Conflict, match="đã ký"):
            school.sign(session, contract)


def test_steps_come_in_their_order(school: PrivateSchool) -> None:
    actor = school.billing.accountant
    with school.open() as session:
        contract = school.apply(session)
        with pytest.raises(Conflict, match="chưa ký"):
            admit(session, school.id, contract.id, school.class_id, actor, JUNE)
        with pytest.raises(Refused, match="chưa có học sinh nhập học"):
            preview_withdrawal(session, school.id, contract.id, Telling(STARTS, "left", "…"), JUNE)
        school.sign(session, contract)
        with pytest.raises(NotFound, match="chọn một lớp"):
            admit(session, school.id, contract.id, new_id(), actor, JUNE)
        with pytest.raises(Refused, match="lý do"):
            decline(session, school.id, contract.id, JUNE.date(), " ", actor, JUNE)
        with pytest.raises(Refused, match="sau hôm nay"):
            decline(session, school.id, contract.id, date(2025, 7, 1), "Đổi ý", actor, JUNE)
    step = ContractStep(
        school_id=school.id, contract_id=contract.id, turn=2, kind="withdrawn", day=STARTS, reason="…",
        facts={}, made_by=new_id(), at=JUNE,
    )  # fmt: skip
    with school.database.transaction(Scope.of(school.id)) as session:
        session.add(step)
        with pytest.raises(IntegrityError, match="cannot be withdrawn"):
            session.flush()
        session.rollback()


def test_whoever_wrote_a_version_does_not_approve_it(school: PrivateSchool) -> None:
    maker, approver = school.billing.accountant, school.billing.approver
    new = NewVersion("HD-2", "Hợp đồng", "Điều 1", TERMS, date(2025, 6, 1))
    with school.open() as session:
        version = draft_version(session, school.id, new, maker, JUNE)
        with pytest.raises(Refused, match="chưa được duyệt"):
            draft_contract(session, school.id, school.pupil(), wanted(school, version_id=version.id), maker, JUNE)
        with pytest.raises(SamePerson):
            approve_version(session, school.id, version.id, maker, JUNE)
        with pytest.raises(Conflict, match="đã có mẫu"):
            draft_version(session, school.id, new, maker, JUNE)
        approve_version(session, school.id, version.id, approver, JUNE)
        with pytest.raises(Conflict, match="đã được duyệt"):
            approve_version(session, school.id, version.id, approver, JUNE)
        assert version in usable_versions(session, school.id, JUNE.date())
    other = replace(new, code="HD-3")
    with school.database.transaction(Scope.of(school.id)) as session:
        made = draft_version(session, school.id, other, maker, JUNE)
        session.add(ContractApproval(version_id=made.id, school_id=school.id, approved_by=made.made_by, at=JUNE))
        with pytest.raises(IntegrityError, match="does not approve"):
            session.flush()
        session.rollback()


def test_public_school_never_has_a_contract_or_a_late_charge(school: PrivateSchool) -> None:
    with school.database.transaction(EVERYTHING) as session:
        public = make_billing_school(session, school.vault, pupils=1)
    new = NewVersion("HD-1", "Hợp đồng", "Điều 1", TERMS, date(2025, 6, 1))
    with school.database.transaction(Scope.of(public.id)) as session:
        with pytest.raises(NotAllowed, match="ngoài công lập"):
            draft_version(session, public.id, new, public.accountant, JUNE)
        with pytest.raises(NotAllowed, match="ngoài công lập"):
            add_late_charges(session, public.id, [new_id()], STARTS, public.accountant, JUNE)
    row = ContractVersion(
        school_id=public.id, code="HD", title="Hợp đồng", body="…", terms=as_json(TERMS), valid_from=STARTS,
        made_by=new_id(), made_at=JUNE,
    )  # fmt: skip
    with school.database.transaction(Scope.of(public.id)) as session:
        session.add(row)
        with pytest.raises(IntegrityError, match="only a private school"):
            session.flush()
        session.rollback()


def test_other_school_sees_nothing_of_a_contract(school: PrivateSchool) -> None:
    with school.open() as session:
        school.sign(session, school.apply(session))
    with school.database.transaction(EVERYTHING) as session:
        other = make_billing_school(session, school.vault, pupils=1, catalogue="private-school")
    with school.database.transaction(Scope.of(other.id)) as session:
        for table in ("contracts", "contract_versions", "contract_steps", "contract_papers"):
            assert _count(session, table) == 0
        assert _count(session, "guardians") == 1
    assert at(9, 1).date() == STARTS


def _count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  names from above
