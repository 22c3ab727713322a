"""Who came after a round in the office on real rows: chosen item by item, then billed by a supplementary round."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlmodel import Session, select

from billing.bills.tables import Bill
from billing.fees.tables import FeeItem, FeePrice
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.people.tables import ClassGroup
from billing.rounds.tables import LateChoice
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import make_pupil
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_fee_pages import deeds, post
from tests.service.pages.test_round_pages import digest_in, issued
from tests.standing import standing

ITEMS = {"HOCPHAM": 150_000, "PHUHIEU": 40_000}


@pytest.fixture
@standing
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def late_one(session: Session, fresh: Fresh) -> str:
    """Give October two items of the year, and let a pupil come in November."""
    account = session.exec(select(BankAccount.id).where(BankAccount.school_id == fresh.school.id)).first()
    assert account is not None
    for code, dong in ITEMS.items():
        item = FeeItem(
            school_id=fresh.school.id, code=code, legal_name=f"Khoản {code}", item_group="agreed", unit="year",
            legal_basis="Thỏa thuận", revenue_account="531", bank_account_id=account, valid_from=date(2025, 10, 1),
        )  # fmt: skip
        session.add(item)
        session.flush()
        price = FeePrice(
            school_id=fresh.school.id, item_id=item.id, amount=Money(dong), levels=[], grades=[], class_codes=[],
            valid_from=date(2025, 10, 1), valid_to=date(2025, 10, 31),
        )  # fmt: skip
        session.add(price)
    group = session.exec(select(ClassGroup).where(ClassGroup.code == "1B")).one()
    come = date(2025, 11, 3)
    child = make_pupil(session, group, "Hồ Văn Đến", province_id=fresh.school.province_id, started_on=come)
    return str(child.enrolment.id)


def test_who_came_late_is_asked_for_item_by_item_and_billed_by_a_supplementary_round(fresh: Fresh) -> None:
    path, client, approver = issued(fresh)
    assert "Thu bù" not in client.get(path).text
    assert "Không có em nào vào sau" in client.get(f"{path}/thu-bu").text
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        enrolment = late_one(session, fresh)

    text = client.get(path).text
    assert "1 em chưa chọn" in text
    assert "chưa có thông báo trong đợt này" not in text, "nothing of itself"
    assert post(client, f"{path}/bo-sung", han="2025-11-25")[0] == 422, "nor when it is asked for"
    assert f'href="{path}/thu-bu?' in client.get(f"/van-phong/chuyen-di/hoc-sinh/{enrolment}").text
    page = client.get(f"{path}/thu-bu").text
    assert all(said in page for said in ("Hồ Văn Đến", "03/11/2025", "Khoản HOCPHAM: 150.000 đ"))
    assert page.count("<fieldset>") == len(ITEMS), "October's insurance cannot be bought any more"
    assert not re.search(r"<option value=\"\w+\" selected", page.split("<h1>")[1]), "nothing is proposed as chosen"
    to = f"{path}/thu-bu/{enrolment}"
    both: dict[str, str | list[str]] = {"khoan": list(ITEMS), "viec": ["take", "leave"]}
    assert post(client, to, **both, ly_do=["", ""])[0] == 422, "left without a reason"
    assert post(client, to, khoan=["HOCPHAM"], viec=["take"], ly_do=[""])[0] == 422, "one is not chosen"
    assert post(client, to, khoan=["HOCPHAM"], viec=[], ly_do=[""])[0] == 422
    assert post(approver, to, **both, ly_do=["", "x"])[0] == 403
    assert "chưa chọn" in approver.get(f"{path}/thu-bu").text, "who does not choose may read"

    status, text = post(client, to, **both, ly_do=["", "Đã nộp ở trường cũ"])
    assert (status, "hãy lập đợt bổ sung" in text, "Đã nộp ở trường cũ" in text) == (200, True, True)
    assert len(fresh.read(lambda session: session.exec(select(LateChoice)).all())) == len(ITEMS)
    assert deeds(fresh, "round.late_choice") == [enrolment]
    assert "1 em có lớp mà chưa có thông báo" in client.get(path).text
    status, text = post(client, f"{path}/bo-sung", han="2025-11-25")
    assert (status, "150.000 đ" in text, "40.000 đ" in text) == (200, True, False)
    found = re.search(r"/van-phong/dot-thu/([0-9a-f-]{36})/trinh", text)
    assert found
    made = f"/van-phong/dot-thu/{found[1]}"
    assert post(client, f"{made}/trinh", digest=digest_in(text))[0] == 200
    shown = approver.get(made).text
    asked = re.findall(r'name="dong_y" value="(\d+)"', shown)
    assert post(approver, f"{made}/duyet", digest=digest_in(shown), dong_y=asked)[0] == 200
    assert fresh.work() == 1
    bills = fresh.read(lambda session: session.exec(select(Bill).where(Bill.round_id == found[1])).all())
    assert [str(bill.family_due) for bill in bills] == ["150.000 đ"]
    assert "Thu bù" not in client.get(path).text, "and never twice"
