"""Refunds in bulk over the real web: tried, asked once, approved once, paid by one file or against signatures."""

from __future__ import annotations

import csv
import io
import re

import openpyxl
import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.choices.choosing import Chooser
from billing.credits.receiving import NewAccount, enter_account
from billing.errors import NotAllowed
from billing.people.tables import Contact, Guardianship
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_leftovers import REFUNDS, bulk, pay_and_lower
from tests.service.pages.worlds import World

PAPER = ("ket-luan.pdf", b"%PDF-1.4 ket luan thanh tra", "application/pdf")


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    def prepare(session: Session) -> None:
        for child in (0, 1):
            pay_and_lower(world, session, child, child + 1)

    world.change(prepare)
    return {role: world.signed_in(world.staff(role)) for role in ("accountant", "approver", "cashier")}


def enter(world: World, child: int, account: str = "0071000123456", of: int | None = None) -> None:
    """Let the guardian of a child (or of another, ``of``) name an account for the child."""

    def act(session: Session) -> None:
        guardian = select(Guardianship.guardian_id).where(
            Guardianship.pupil_id == world.billing.pupils[child if of is None else of].id
        )
        contact = session.exec(select(Contact).where(col(Contact.guardian_id).in_(guardian))).first()
        assert contact is not None
        pupil = world.billing.pupils[child].id
        chooser = Chooser(pupil, (contact.guardian_id,), contact.kind, contact.blind, b"s" * 32)
        new = NewAccount("970436", account, "Nguyễn Văn Hòa")
        vault = world.wiring.vault
        enter_account(session, vault, world.billing.id, chooser, new, world.billing.accountant, world.clock())

    world.change(act)


def test_one_approval_one_file_and_the_same_bytes_again(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    page = f"{REFUNDS}/hang-loat?khoan=TIENAN&cach=bank"
    assert "Không có khoản nào để hoàn" in accountant.get(page).text
    enter(world, 0)
    with pytest.raises(NotAllowed):
        enter(world, 1, of=0)
    tried = accountant.get(page).text
    assert "phụ huynh chưa nhập tài khoản nhận tiền" in tried
    assert "32.000 đ" in tried
    here = bulk(accountant, khoan="TIENAN", cach="bank", ly_do="Hạ mức thu")
    assert accountant.post(f"{here}/lenh-chuyen", data=form(accountant, here, ngay="2025-10-06")).status_code == 422
    send(approver, here, f"{here}/duyet")
    send(accountant, here, f"{here}/lenh-chuyen", ngay=f"{world.clock().date()}")
    shown = accountant.get(here).text
    files = re.findall(rf'href="({here}/lenh-chuyen/[0-9a-f-]+\.(?:csv|xlsx))', shown)
    assert len(files) == 2
    first, again = (accountant.get(files[1]).content for _ in range(2))
    assert first == again
    (_, row) = csv.reader(io.StringIO(first.decode("utf-8-sig"), newline=""))
    assert row[1:6] == ["Vietcombank", "970436", "0071000123456", "NGUYEN VAN HOA", "32000"]
    assert row[6].split()[0] in shown
    sheet = openpyxl.load_workbook(io.BytesIO(accountant.get(files[0]).content)).active
    assert sheet is not None
    assert sheet["D2"].value == "0071000123456"
    assert accountant.post(f"{here}/lenh-chuyen", data=form(accountant, here, ngay="2025-10-06")).status_code == 422
    assert people["cashier"].get(files[1]).status_code == 403

    def logged(session: Session) -> None:
        actions = session.exec(select(AuditEntry.action).where(col(AuditEntry.action).startswith("refund.batch"))).all()
        assert sorted(actions) == ["refund.batch.make", *["refund.batch.open"] * 3]

    world.change(logged)


def test_an_inspection_decides_and_families_sign(people: dict[str, TestClient]) -> None:
    accountant, approver, cashier = people["accountant"], people["approver"], people["cashier"]
    page = f"{REFUNDS}/hang-loat?khoan=TIENAN"
    seen = re.search(r'name="da_xem" value="([^"]+)"', accountant.get(page).text)
    assert seen
    fields = {
        "khoan": "TIENAN", "cach": "cash", "da_xem": seen[1], "ly_do": "Kết luận thanh tra",
        "so_quyet_dinh": "12/KL-TTr", "ngay_quyet_dinh": "2025-09-30",
    }  # fmt: skip
    ask = f"{REFUNDS}/hang-loat"
    assert accountant.post(ask, data=form(accountant, page, **fields)).status_code == 422, "the paper is missing"
    stale = form(accountant, page, **{**fields, "da_xem": "9:9"})
    assert accountant.post(ask, data=stale, files={"tep": PAPER}).status_code == 409
    answer = accountant.post(ask, data=form(accountant, page, **fields), files={"tep": PAPER})
    here = answer.headers["location"].split("?")[0]
    assert "số 12/KL-TTr ngày 30/09/2025" in approver.get(here).text
    assert approver.get(f"{here}/quyet-dinh").content == PAPER[1]
    send(approver, here, f"{here}/duyet")
    paper = cashier.get(f"{here}/ky-nhan.pdf")
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
