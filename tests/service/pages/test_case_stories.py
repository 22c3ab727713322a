"""Accountants' cases that go over several pages, clicked through from the first form to what the family reads."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime

import openpyxl
import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.bills.tables import Bill
from billing.credits.reading import credit_of
from billing.money import Money
from billing.payments.allocation import allocate
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.payments.tables import PaymentRequest
from billing.people.tables import ClassGroup, Pupil
from billing.storage import new_id
from billing.vault import Vault
from service.access.links import ensure_link
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_fee_pages import post
from tests.service.pages.test_leftovers import bulk
from tests.service.pages.test_round_pages import NEW, WEEKDAYS, digest_in, issued, ready
from tests.service.pages.worlds import Moving, make_staff
from tests.standing import standing

WATER, CHEAPER = Money(10_000), Money(9_000)
YEAR, ROOT = "2026-2027", "/van-phong/nam-hoc-moi"
KEPT = "/van-phong/tien-ton"


@pytest.fixture
@standing
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def children(fresh: Fresh, group: str) -> list[Pupil]:
    """Return who has a bill in a class, by name."""
    query = (
        select(Pupil)
        .join(Bill, col(Bill.pupil_id) == Pupil.id)
        .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
        .where(ClassGroup.code == group)
        .order_by(col(Pupil.full_name))
    )
    return list(fresh.read(lambda session: session.exec(query).all()))


def bills_of(fresh: Fresh, pupil: Pupil) -> list[BillBalance]:
    return fresh.read(lambda session: bill_balances(session, col(Bill.pupil_id) == pupil.id))


def pay(fresh: Fresh, pupil: Pupil, amount: Money | None = None) -> None:
    """Money comes in for the newest bill of a child: what is open of it, or another sum."""
    bill = bills_of(fresh, pupil)[-1]

    def act(session: Session) -> None:
        received = Received(
            school_id=fresh.school.id, pupil_id=pupil.id, source_kind="cash", source_id=new_id(),
            amount=amount or bill.rest, value_date=fresh.wiring.clock().date(),
        )  # fmt: skip
        parts, _ = allocate(received.amount, [(bill.bill_id, bill.rest)])
        record_payment(session, received, parts, fresh.wiring.clock())

    fresh.read(act)


def family_page(fresh: Fresh, pupil: Pupil) -> str:
    """Return what a family reads by the link of its newest request, without line breaks."""
    newest = (
        select(PaymentRequest)
        .where(PaymentRequest.pupil_id == pupil.id)
        .order_by(col(PaymentRequest.created_at).desc())
    )

    def link(session: Session) -> str:
        request = session.exec(newest).first()
        assert request
        return ensure_link(session, fresh.wiring.link_key, "", request, fresh.wiring.clock())

    answer = TestClient(fresh.app(), headers={"accept": "text/html"}).get(fresh.read(link))
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def at(fresh: Fresh, now: datetime) -> tuple[TestClient, TestClient]:
    """Move the clock; accountant and approver sign in again."""
    clock = fresh.wiring.clock
    assert isinstance(clock, Moving)
    clock.now = now
    return fresh.client(fresh.accountant), fresh.client(fresh.approver)


def test_a_fee_lowered_after_payment_is_given_back_in_one_request_to_those_who_paid(fresh: Fresh) -> None:
    path, office, approver = issued(fresh)
    everybody = children(fresh, "1B")
    paid, unpaid = everybody[:2], everybody[2]
    for child in paid:
        pay(fresh, child)
    due = bills_of(fresh, unpaid)[0].rest
    lowered = {"khoan": "NUOCUONG", "so_tien": str(CHEAPER.dong), "ly_do": "Hội đồng hạ mức thu"}
    asked = send(office, path, f"{path}/ha-gia", **lowered)
    assert office.post(f"{asked}/duyet", data=form(office, asked)).status_code == 403
    send(approver, asked, f"{asked}/duyet")
    assert bills_of(fresh, unpaid)[0].rest == due - (WATER - CHEAPER), "who had not paid pays less"
    refund = bulk(office, khoan="NUOCUONG", ly_do="Hạ mức thu sau khi nộp")
    send(approver, refund, f"{refund}/duyet")
    cashier = fresh.client(fresh.read(lambda session: make_staff(session, "cashier", fresh.school.id, None)))
    listed = openpyxl.load_workbook(io.BytesIO(cashier.get(f"{refund}/danh-sach.xlsx").content))
    rows = [row for row in listed["Ký nhận"].iter_rows(values_only=True) if isinstance(row[0], int)]
    assert {(row[1], row[4]) for row in rows} == {(child.full_name, 1_000) for child in paid}
    assert fresh.read(lambda session: credit_of(session, fresh.school.id)) == {}


def test_a_round_in_parts_from_the_form_to_the_part_that_a_family_is_asked_for(fresh: Fresh) -> None:
    office, approver = ready(fresh), fresh.client(fresh.approver)
    parts: dict[str, str | list[str]] = {
        "han": "2025-12-20",
        "ty_le": ["40", "60", ""],
        "han_dot": ["2025-10-20", "2025-12-20", ""],
    }
    status, text = post(office, "/van-phong/dot-thu", ngay_an=WEEKDAYS, **{**NEW, **parts})
    found = re.search(r"(/van-phong/dot-thu/[0-9a-f-]{36})/trinh", text)
    assert (status, bool(found)) == (200, True)
    assert found
    assert post(office, f"{found[1]}/trinh", digest=digest_in(text))[0] == 200
    shown = approver.get(found[1]).text
    assert "40 % hạn 20/10/2025" in shown, "the approver sees the parts"
    assert post(approver, f"{found[1]}/duyet", digest=digest_in(shown), dong_y=["0", "1"])[0] == 200
    assert fresh.work() == 1
    child = children(fresh, "1B")[0]
    first, second = bills_of(fresh, child)[0].rest.split([40, 60])
    page = family_page(fresh, child)
    assert ("Đợt 1/2" in page, f"còn lại {second} nộp các đợt sau" in page) == (True, True)
    pay(fresh, child, first)
    page = family_page(fresh, child)
    assert "Đợt 2/2" in page
    assert f"Nhà trường đã nhận {first}" in page
    assert "20/12/2025" in page


def test_a_year_ends_with_one_child_unpaid_and_one_overpaid_and_both_stand_on_the_new_years_notice(
    fresh: Fresh,
) -> None:
    issued(fresh)
    behind, ahead = children(fresh, "1B")[:2]
    pay(fresh, ahead, bills_of(fresh, ahead)[0].rest + Money(4_000))
    old = bills_of(fresh, behind)[0].rest
    new_year(fresh, old)
    now = datetime(2026, 9, 3, 2, tzinfo=UTC)
    first_round(fresh, now)
    page = family_page(fresh, behind)
    assert " – tháng 10/2025</th>" in page, "what was open stays on its bill and is asked for by its month"
    assert " – tháng 9/2026</th>" in page
    assert str(old + bills_of(fresh, behind)[-1].rest) in page
    new = bills_of(fresh, ahead)[-1]
    assert (new.leftover, new.rest) == (Money(4_000), new.due - Money(4_000)), "nobody had to carry it over"
    assert "Đã trừ tiền tồn" in family_page(fresh, ahead)


def new_year(fresh: Fresh, old: Money) -> None:
    """Go through the guided year: prices, classes, promotion, registrations, and the list that another one signs."""
    office, approver = at(fresh, datetime(2026, 6, 10, 2, tzinfo=UTC))
    prices = office.get(f"{ROOT}/khoan-thu?nam={YEAR}").text
    keys = re.findall(r'name="dong" value="([^"]+)"', prices)
    amounts = re.findall(r'name="muc"[^>]*value="([^"]+)"', prices)
    fields = {"dong": keys, "muc": amounts, "nam": YEAR, **form(office, f"{ROOT}/khoan-thu")}
    assert office.post(f"{ROOT}/khoan-thu", data=fields).status_code == 303
    classes = re.findall(r'name="tao" value="([^"]+)"', office.get(f"{ROOT}/lop?nam={YEAR}").text)
    fields = {"tao": classes, "nam": YEAR, **form(office, f"{ROOT}/lop")}
    assert office.post(f"{ROOT}/lop", data=fields).status_code == 303
    send(office, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuong-le", nam=YEAR)
    send(office, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuc-hien", nam=YEAR, ngay="2026-09-01")
    send(office, f"{ROOT}/so-du", f"{ROOT}/so-du", nam=YEAR)
    shown = approver.get(f"{ROOT}/so-du?nam={YEAR}").text
    sign = re.search(rf'action="({ROOT}/so-du/[0-9a-f-]+/ky)', shown)
    assert sign, shown
    send(approver, f"{ROOT}/so-du?nam={YEAR}", sign[1])
    sheet = openpyxl.load_workbook(io.BytesIO(approver.get(sign[1].replace("/ky", "/danh-sach.xlsx")).content))
    sums = next(row for row in sheet.worksheets[0].iter_rows(values_only=True) if row[1] == "CỘNG")
    kept = fresh.read(lambda session: credit_of(session, fresh.school.id))
    assert [cell for cell in sums if isinstance(cell, int)][-1] == 4_000 == sum(part.dong for part in kept.values())
    assert old.dong > 0


def first_round(fresh: Fresh, now: datetime) -> None:
    """Make, hand in, approve and issue September's round of the new year on the pages."""
    office, approver = at(fresh, now)
    days = [f"2026-09-{day:02d}" for day in range(1, 31) if date(2026, 9, day).weekday() < 5]
    september = {
        "thang": "2026-09",
        "den_thang": "2026-09",
        "ten": "Tháng 9/2026",
        "ma": "2026-09",
        "han": "2026-09-25",
    }
    status, text = post(office, "/van-phong/dot-thu", ngay_an=days, **september)
    found = re.search(r"(/van-phong/dot-thu/[0-9a-f-]{36})/trinh", text)
    assert found, (status, text)
    assert post(office, f"{found[1]}/trinh", digest=digest_in(text))[0] == 200
    shown = approver.get(found[1]).text
    questions = [str(n) for n in range(shown.count('name="dong_y"'))]
    assert post(approver, f"{found[1]}/duyet", digest=digest_in(shown), dong_y=questions)[0] == 200
    assert fresh.work() == 1
