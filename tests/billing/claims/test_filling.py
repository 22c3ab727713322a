"""The list as the authority opens it, and the letter as a family gets it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime

import openpyxl
import pytest
from sqlmodel import select

from billing.audit.tables import AuditEntry
from billing.claims.claim_sheet import BY_MONTH, BY_PUPIL, SUMMARY, claim_xlsx
from billing.claims.claiming import draft_claim
from billing.claims.filling import claim_sheet, open_claim_xlsx, open_proof_of_study
from billing.documents.cells import report_digest
from billing.documents.words import amount_in_words
from billing.errors import Conflict, NotFound, Refused
from billing.fees.council_rates import RateKind
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.billing.documents.pages import words
from tests.factories.claims import PRIVATE_RATE, PUBLIC_RATE, approved_claim, load_invented, plan_of
from tests.factories.rounds import BillingSchool, make_billing_school


def make(database: Database, vault: Vault, catalogue: str = "public-primary") -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, catalogue=catalogue)
        load_invented(session, made.school.province_id)
    return made


def test_the_list_holds_codes_months_and_the_sum_in_words(database: Database, vault: Vault, now: datetime) -> None:
    billing = make(database, vault)
    with database.transaction(Scope.of(billing.id)) as session:
        claim = approved_claim(session, billing, RateKind.TUITION, now)
        content = open_claim_xlsx(session, claim, billing.accountant, "Trần Thị Thu", "Lê Văn Duyệt", now)
        opened = session.exec(select(AuditEntry.actor_id).where(AuditEntry.action == "claim.open_list")).all()
        assert opened == [billing.accountant.user_id]
        assert content == claim_xlsx(claim_sheet(session, claim, "Trần Thị Thu", "Lê Văn Duyệt")), "the same bytes"
    book = openpyxl.load_workbook(io.BytesIO(content))
    facts = {row[0].value: row[1].value for row in book[SUMMARY].iter_rows() if row[0].value}
    assert facts["Mã quan hệ ngân sách (QHNS)"] == "1012345"
    assert facts["Chương – Loại, khoản – Tiểu mục"] == "822 – 071 – 6199"
    assert facts["Tổng số tiền đề nghị (đồng)"] == (PUBLIC_RATE * 12).dong
    assert facts["Bằng chữ"] == amount_in_words(PUBLIC_RATE * 12)
    assert (facts["Mã kiểm các dòng dữ liệu của tệp"], facts["Số dòng dữ liệu"]) == report_digest(content)
    assert "Trần Thị Thu" in facts
    pupils = [[cell.value for cell in row] for row in book[BY_PUPIL].iter_rows(min_row=2) if row[0].data_type == "n"]
    pupils = [row for row in pupils if row[0]]
    assert [row[7:11] for row in pupils] == [["09, 10, 11, 12", 4, PUBLIC_RATE.dong, (PUBLIC_RATE * 4).dong]] * 3
    months = [row for row in book[BY_MONTH].iter_rows(min_row=2, values_only=True) if isinstance(row[0], int)]
    assert len(months) == 12
    assert sum(int(str(row[8])) for row in months) == (PUBLIC_RATE * 12).dong


def test_each_legal_basis_stands_once_on_the_cover_and_rows_name_its_number(
    database: Database, vault: Vault, now: datetime
) -> None:
    """The paper form asks for it once; a list of a thousand pupils carried it a thousand times."""
    billing = make(database, vault)
    with database.transaction(Scope.of(billing.id)) as session:
        claim = approved_claim(session, billing, RateKind.TUITION, now)
        sheet = claim_sheet(session, claim, "Trần Thị Thu", "Lê Văn Duyệt")
    [basis] = {pupil.legal_basis for pupil in sheet.pupils}
    other = replace(sheet.pupils[2], legal_basis="Nghị định 238/2025/NĐ-CP, điều 15")
    book = openpyxl.load_workbook(io.BytesIO(claim_xlsx(replace(sheet, pupils=(*sheet.pupils[:2], other)))))
    texts = [str(cell.value) for page in book for row in page.iter_rows() for cell in row if cell.value is not None]
    assert (texts.count(basis), texts.count(other.legal_basis)) == (1, 1)
    facts = {row[0].value: row[1].value for row in book[SUMMARY].iter_rows() if row[0].value}
    assert (facts["Căn cứ 1"], facts["Căn cứ 2"]) == (basis, other.legal_basis)
    heads = [cell.value for cell in book[BY_PUPIL][1]]
    numbers = [row[heads.index("Căn cứ số")].value for row in book[BY_PUPIL].iter_rows(min_row=2, max_row=4)]
    assert numbers == [1, 1, 2]


def test_a_draft_cannot_be_opened(database: Database, vault: Vault, now: datetime) -> None:
    billing = make(database, vault)
    with database.transaction(Scope.of(billing.id)) as session:
        claim = draft_claim(session, billing.accountant, plan_of(billing.id, RateKind.TUITION), now)
        with pytest.raises(Conflict, match="đã duyệt"):
            open_claim_xlsx(session, claim, billing.accountant, "", "", now)


def test_a_private_pupil_gets_a_proof_of_study(database: Database, vault: Vault, now: datetime) -> None:
    billing = make(database, vault, "private-school")
    with database.transaction(Scope.of(billing.id)) as session:
        child = billing.pupils[0]
        name, letter = open_proof_of_study(session, billing.id, child.enrolment.id, billing.accountant, now)
        assert name == "Nguyễn Văn 1"
        assert session.exec(select(AuditEntry).where(AuditEntry.action == "claim.proof_of_study")).all()
        with pytest.raises(NotFound):
            open_proof_of_study(session, billing.id, new_id(), billing.accountant, now)
        claim = approved_claim(session, billing, RateKind.SUPPORT, now)
        assert claim.total == PRIVATE_RATE * 12
    (page,) = words(letter)
    for text in ("GIẤY XÁC NHẬN ĐANG HỌC", "Nguyễn Văn 1", "14/03/2019", "Lớp: 1A", "từ ngày 01/09/2025 đến nay"):
        assert text in page
    assert "nghèo" not in page.lower()


def test_a_public_school_gives_no_such_letter(database: Database, vault: Vault, now: datetime) -> None:
    billing = make(database, vault)
    with database.transaction(Scope.of(billing.id)) as session, pytest.raises(Refused, match="ngoài công lập"):
        open_proof_of_study(session, billing.id, billing.pupils[0].enrolment.id, billing.accountant, now)
