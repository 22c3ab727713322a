"""Leftover meals over three months, clicked through as the accountant does: not eaten, offset, given back, kept.

The accountants' cases "use of leftover", "item not registered next month" and "refund paid in cash" in one school.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.bills.tables import Bill
from billing.money import Money
from billing.payments.allocation import allocate
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.people.tables import ClassGroup, Enrolment, Pupil
from billing.storage import new_id
from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_claims import send
from tests.service.pages.test_fee_pages import classes, post
from tests.service.pages.test_round_pages import digest_in, issued
from tests.service.pages.worlds import Moving, make_staff

MEAL, BOARDING, WATER = Money(32_000), Money(300_000), Money(10_000)
KEPT, REFUNDS = "/van-phong/tien-ton", "/van-phong/hoan-tien"
ABSENT = 15
ABSENT_DAYS = [day for day in range(1, 32) if date(2025, 10, day).weekday() < 5][:ABSENT]


@dataclass
class Year:
    """A school whose clock goes on; the child whose meals were not eaten, by its ids."""

    fresh: Fresh
    pupil: Pupil
    enrolment: Enrolment

    def at(self, month: int, day: int) -> None:
        clock = self.fresh.wiring.clock
        assert isinstance(clock, Moving)
        clock.now = datetime(2025, month, day, 2, tzinfo=UTC)

    def person(self, role: str) -> TestClient:
        """Sign somebody in again: sessions end within a month."""
        known = {"accountant": self.fresh.accountant, "approver": self.fresh.approver}
        if role in known:
            return self.fresh.client(known[role])
        return self.fresh.client(self.fresh.read(lambda session: make_staff(session, role, self.fresh.school.id, None)))

    def bill(self, month: int) -> BillBalance:
        def ask(session: Session) -> BillBalance:
            of = col(Bill.pupil_id) == self.pupil.id, col(Bill.due_on) == date(2025, month, 20)
            return bill_balances(session, *of)[-1]

        return self.fresh.read(ask)

    def pay(self, month: int) -> None:
        """The family pays the whole bill (money comes in by other doors than the office's pages)."""
        bill = self.bill(month)

        def act(session: Session) -> None:
            received = Received(
                school_id=self.fresh.school.id, pupil_id=self.pupil.id, source_kind="cash", source_id=new_id(),
                amount=bill.rest, value_date=self.fresh.wiring.clock().date(),
            )  # fmt: skip
            parts, _ = allocate(bill.rest, [(bill.bill_id, bill.rest)])
            record_payment(session, received, parts, self.fresh.wiring.clock())

        self.fresh.read(act)

    def settle_october(self, path: str) -> None:
        """Write the absences into the grid, close the classes, settle by two people."""
        office, groups = self.person("accountant"), self.fresh.read(classes)
        cells = [f"{self.enrolment.id}_2025-10-{day:02}" for day in ABSENT_DAYS]
        grid = f"/van-phong/diem-danh/lop/{groups['1A']}"
        status, text = post(office, grid, thang="2025-10", dau="p", o=cells, ly_do="Giấy ra viện")
        assert status == 200, text
        for group in groups.values():
            assert post(office, f"/van-phong/diem-danh/lop/{group}/chot", thang="2025-10")[0] == 200
        status, asked = post(office, f"{path}/quyet-toan")
        found = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", asked)
        assert found, asked
        assert post(self.person("approver"), f"/van-phong/dieu-chinh/{found[1]}/duyet")[0] == 200

    def end_meals(self) -> None:
        group = self.fresh.read(classes)["1A"]
        status, text = post(
            self.person("accountant"), f"/van-phong/dang-ky/TIENAN/{group}",
            viec="ket-thuc", den="2025-10-31", em=[str(self.enrolment.id)], can_cu="Thôi ăn",
        )  # fmt: skip
        assert (status, "Đã ghi ngày kết thúc" in text) == (200, True)

    def meals_again(self) -> None:
        group = self.fresh.read(classes)["1A"]
        status, text = post(
            self.person("accountant"), f"/van-phong/dang-ky/TIENAN/{group}",
            tu="2025-12-01", em=[str(self.enrolment.id)], can_cu="Ăn lại",
        )  # fmt: skip
        assert (status, "Đã ghi đăng ký" in text) == (200, True)

    def round_of(self, month: int) -> None:
        """Make, hand in, approve and issue the round of a month."""
        office, approver = self.person("accountant"), self.person("approver")
        code = f"2025-{month:02}"
        days = [date(2025, month, 1) + timedelta(days=n) for n in range(28)]
        fields = {"thang": code, "den_thang": code, "ten": f"Tháng {month}/2025", "ma": code, "han": f"{code}-20"}
        meals = [f"{day}" for day in days if day.weekday() < 5]
        status, text = post(office, "/van-phong/dot-thu", ngay_an=meals, **fields)
        found = re.search(r"(/van-phong/dot-thu/[0-9a-f-]{36})/trinh", text)
        assert found, text
        path = found[1]
        assert post(office, f"{path}/trinh", digest=digest_in(office.get(path).text))[0] == 200
        page = approver.get(path).text
        questions = [str(n) for n in range(page.count('name="dong_y"'))]
        status, text = post(approver, f"{path}/duyet", digest=digest_in(page), dong_y=questions)
        assert status == 200, text
        assert self.fresh.work() == 1


@pytest.fixture
def year(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Year:
    """October is issued and paid by a child of 1A who eats at school; it was then ill for three weeks."""
    fresh = fresh_school(database, addresses, vault, servers)
    path, _, _ = issued(fresh)
    query = (
        select(Pupil, Enrolment)
        .join(Enrolment, col(Enrolment.pupil_id) == Pupil.id)
        .join(Bill, col(Bill.enrolment_id) == Enrolment.id)
        .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
        .where(Pupil.full_name == "Trần Đăng Khôi", ClassGroup.code == "1A")
    )
    pupil, enrolment = fresh.read(lambda session: session.exec(query).one())
    made = Year(fresh, pupil, enrolment)
    made.pay(10)
    made.at(11, 1)
    made.settle_october(path)
    return made


def kept(year: Year) -> str:
    return " ".join(year.person("accountant").get(f"{KEPT}/hoc-sinh/{year.pupil.id}").text.split())


def test_not_registered_next_month_offsets_the_others_and_a_cash_refund_is_never_credited_again(year: Year) -> None:
    assert str(ABSENT * MEAL) in kept(year)
    year.end_meals()
    year.round_of(11)
    november = year.bill(11)
    assert (november.leftover, november.rest) == (BOARDING + WATER, Money(0)), "no more than the others come to"
    left = ABSENT * MEAL - BOARDING - WATER
    assert str(left) in kept(year)
    office, cashier = year.person("accountant"), year.person("cashier")
    page = f"{KEPT}/hoc-sinh/{year.pupil.id}"
    fields = {"em": str(year.pupil.id), "khoan": "TIENAN", "so_tien": str(left.dong), "ly_do": "Gia đình xin nhận lại"}
    here = send(office, page, f"{KEPT}/hoan", **fields)
    send(year.person("approver"), here, f"{here}/duyet")
    line = re.search(rf'action="{here}/dong/([0-9a-f-]+)/chi', cashier.get(here).text)
    assert line
    send(cashier, here, f"{here}/dong/{line[1]}/chi", nguoi_nhan="Trần Văn Hải", ngay="2025-11-01")
    year.at(12, 1)
    year.meals_again()
    year.round_of(12)
    december = year.bill(12)
    assert (december.leftover, december.rest) == (Money(0), december.due)
    assert december.due == BOARDING + WATER + MEAL * 20


def test_kept_for_its_item_it_waits_until_the_item_is_charged_again(year: Year) -> None:
    office = year.person("accountant")
    fields = {
        "ten": "Tiền ăn bán trú", "can_cu": "Thỏa thuận", "ke_toan": "3388", "tai_khoan": str(year.fresh.account.id)
    }  # fmt: skip
    status, text = post(office, "/van-phong/khoan-thu/TIENAN/sua", **fields, tien_ton="same_item")
    assert status == 200, text
    year.end_meals()
    year.round_of(11)
    assert year.bill(11).leftover == Money(0)
    year.pay(11)
    year.at(12, 1)
    year.meals_again()
    year.round_of(12)
    december = year.bill(12)
    assert december.leftover == ABSENT * MEAL
    assert december.rest == BOARDING + WATER + MEAL * 20 - ABSENT * MEAL
