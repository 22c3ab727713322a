"""The pages of the State's money on real rows: from the first list to the last signature, and who may not look."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import text
from sqlmodel import Session, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.claims.tables import Entitlement, Payout, StateClaim
from billing.fees.support_tables import SupportChoice
from billing.people.tables import School
from service.access.tables import User
from tests.factories.claims import LEARNING_RATE, PUBLIC_RATE, load_invented
from tests.factories.rounds import make_billing_school
from tests.service.pages.worlds import World, make_staff

ROOT = "/van-phong/ngan-sach"
DECEMBER = datetime(2025, 12, 22, 1, tzinfo=UTC)
CODES = {"chuong": "822", "khoan": "071", "tieu_muc": "6199"}


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    world.clock.now = DECEMBER
    world.change(lambda session: load_invented(session, world.billing.school.province_id))
    roles = ("accountant", "approver", "auditor", "cashier", "class_teacher")
    return {role: world.signed_in(world.staff(role)) for role in roles}


def form(client: TestClient, page: str, **data: str) -> dict[str, str]:
    """Return the fields of a form with the token of the page it stands on."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(page).text)
    assert found
    return {"csrf": found[1], **data}


def send(client: TestClient, page: str, action: str, **data: str) -> str:
    """Send a form and return where it leads; the page behind it must open."""
    answer = client.post(action, data=form(client, page, **data))
    assert answer.status_code == 303, answer.text
    target = str(answer.headers["location"])
    assert client.get(target).status_code == 200
    return target.partition("?")[0]


def approved_list(people: dict[str, TestClient], kind: str) -> str:
    accountant, approver = people["accountant"], people["approver"]
    here = send(accountant, ROOT, f"{ROOT}/danh-sach", loai=kind, nam_hoc="2025-2026", dot="1", **CODES)
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', accountant.get(here).text)
    assert digest
    send(accountant, here, f"{here}/trinh", digest=digest[1])
    send(approver, here, f"{here}/duyet", digest=digest[1])
    return here


def test_from_the_first_list_to_the_money(world: World, people: dict[str, TestClient]) -> None:
    here = approved_list(people, "tuition_compensation")
    page = people["auditor"].get(here).text
    assert str(PUBLIC_RATE * 12) in page
    assert "Nguyễn Văn 1" in page
    answer = people["auditor"].get(f"{here}/danh-sach.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["Đề nghị", "Danh sách", "Theo tháng"]
    paid = {"so_tien": "1.400.000", "ngay": "2025-12-20", "ve_dau": "treasury", "chung_tu": "LC 12"}
    send(people["accountant"], here, f"{here}/gui")
    send(people["accountant"], here, f"{here}/tien-ve", **paid)
    page = people["accountant"].get(here).text
    assert "40.000 đ" in page, "what is still to come"
    assert "LC 12" in page

    def opened(session: Session) -> None:
        deeds = session.exec(select(AuditEntry.actor_role).where(AuditEntry.action == "claim.open_list")).all()
        assert deeds == ["auditor"]
        claim = session.exec(select(StateClaim)).one()
        assert (claim.state, claim.total) == ("sent", PUBLIC_RATE * 12)

    world.change(opened)


def test_nobody_else_opens_a_list(people: dict[str, TestClient]) -> None:
    here = approved_list(people, "tuition_compensation")
    for role in ("cashier", "class_teacher"):
        for page in (ROOT, here, f"{here}/danh-sach.xlsx", f"{ROOT}/doi-tuong"):
            assert people[role].get(page).status_code == 403, (role, page)


def test_the_maker_does_not_approve_and_a_changed_list_is_worked_out_again(
    world: World, people: dict[str, TestClient]
) -> None:
    accountant, approver = people["accountant"], people["approver"]
    here = send(accountant, ROOT, f"{ROOT}/danh-sach", loai="tuition_compensation", nam_hoc="2025-2026", dot="1")
    page = accountant.get(here).text
    assert "Duyệt danh sách" not in page
    assert "Trình duyệt" in page
    world.change(lambda session: session.execute(text("UPDATE enrolments SET ended_on = '2025-10-15'")))
    page = accountant.get(here).text
    assert "Dữ liệu đã đổi" in page
    assert "Trình duyệt" not in page
    send(accountant, here, f"{here}/tinh")
    assert str(PUBLIC_RATE * 6) in accountant.get(here).text
    answer = approver.post(f"{here}/duyet", data=form(approver, here, digest="0" * 64))
    assert answer.status_code == 409
    send(approver, here, f"{here}/huy", ly_do="không cần nữa")
    assert "Đã hủy" in accountant.get(here).text


def test_a_right_a_list_and_a_signature(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver, cashier = people["accountant"], people["approver"], people["cashier"]
    rights = f"{ROOT}/doi-tuong"
    child = world.billing.pupils[0].enrolment.id
    assert "Nguyễn Văn 1" in accountant.get(f"{rights}?q=nguyen van 1").text
    right = {"em": str(child), "dien": "HONGHEO", "minh_chung": "Sổ hộ nghèo 15/2025", "tu": "2025-09-01"}
    send(accountant, f"{rights}?em={child}", rights, **right)
    send(approver, rights, f"{rights}/{_id(world, Entitlement)}/duyet")
    here = approved_list(people, "learning_cost")
    assert "Hộ nghèo" not in accountant.get(here).text, "why a pupil is on the list stands in the file only"
    payouts = f"{here}/chi-tra"
    assert payouts in cashier.get(f"{ROOT}/chi-tra").text
    page = cashier.get(payouts).text
    assert str(LEARNING_RATE * 4) in page
    assert "nghèo" not in page.lower()
    signed = {"em": str(world.billing.pupils[0].id), "nguoi_nhan": "Điểu Thị Mai", "ngay": "2025-12-20", "cach": "cash"}
    short = cashier.post(payouts, data=form(cashier, payouts, **signed))
    assert (short.status_code, "Rút về quỹ" in short.text) == (422, True)
    fetched = {"tai_khoan": "kho-bac", "so_tien": str(LEARNING_RATE * 4), "so_giay": "RT 1", "khoa": str(UUID(int=9))}
    send(cashier, "/van-phong/quy/rut-tien", "/van-phong/quy/rut-tien", **fetched)
    send(cashier, payouts, payouts, **signed)
    page = cashier.get(payouts).text
    assert "Mọi gia đình đã nhận" in page
    assert "Điểu Thị Mai" in page
    again = cashier.post(payouts, data=form(cashier, payouts, **signed))
    assert again.status_code == 409
    assert "Không chi hai lần" in again.text
    send(cashier, payouts, f"{payouts}/{_id(world, Payout)}/dao", ly_do="ghi nhầm")
    assert "Mọi gia đình đã nhận" not in cashier.get(payouts).text
    send(approver, rights, f"{rights}/{_id(world, Entitlement)}/ket-thuc", den="2025-10-31", ly_do="thoát nghèo")


def test_a_private_school_chooses_and_gives_proofs(world: World) -> None:
    world.clock.now = DECEMBER
    private, staff = _private(world)
    accountant, approver = (world.signed_in(each) for each in staff)
    page = accountant.get(ROOT).text
    assert "gia đình" in page
    choice = {"noi_nhan": "school", "so_quyet_dinh": "QĐ 12/2025", "ngay": "2025-12-01", "tu": "2026-01-01"}
    send(accountant, ROOT, f"{ROOT}/ho-tro", **choice)
    send(approver, ROOT, f"{ROOT}/ho-tro/{_id(world, SupportChoice)}/duyet")
    send(accountant, ROOT, f"{ROOT}/ho-tro", **{**choice, "noi_nhan": "family", "tu": "2026-03-01"})
    mine = accountant.post(f"{ROOT}/ho-tro/{_id(world, SupportChoice, open_only=True)}/bo", data=form(accountant, ROOT))
    assert mine.status_code == 303
    here = approved_list({"accountant": accountant, "approver": approver}, "private_support")
    page = accountant.get(here).text
    (letter, *_) = re.findall(rf"{ROOT}/xac-nhan/[0-9a-f-]+\.pdf", page)
    assert accountant.get(letter).content.startswith(b"%PDF-")
    assert approver.get(letter).status_code == 403
    assert private.kind == "private"


def test_a_school_sees_no_list_of_another(world: World, people: dict[str, TestClient]) -> None:
    here = approved_list(people, "tuition_compensation")
    _, staff = _private(world)
    stranger = world.signed_in(staff[0])
    for page in (here, f"{here}/danh-sach.xlsx", f"{here}/chi-tra"):
        assert stranger.get(page).status_code == 404


def _private(world: World) -> tuple[School, tuple[User, User]]:
    made: list[tuple[School, tuple[User, User]]] = []

    def make(session: Session) -> None:
        billing = make_billing_school(session, world.wiring.vault, catalogue="private-school")
        load_invented(session, billing.school.province_id)
        staff = tuple(make_staff(session, role, billing.id, None) for role in ("accountant", "approver"))
        made.append((billing.school, (staff[0], staff[1])))

    world.change(make)
    return made[0]


def _id(world: World, table: type[Entitlement | Payout | SupportChoice], *, open_only: bool = False) -> UUID:
    found: list[UUID] = []

    def read(session: Session) -> None:
        rows = session.exec(select(table)).all()
        kept = [row for row in rows if not (open_only and getattr(row, "approved_at", None))]
        found.extend(UUID(str(getattr(row, "id"))) for row in kept)  # noqa: B009  one of three tables, all with an id

    world.change(read)
    return found[0]
