"""Tests of items, registrations and reductions in the office, on real rows."""

from __future__ import annotations

import json
import re

import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.fees import tables
from billing.fees.cap_rows import load_shipped_caps
from billing.fees.catalogue import SHIPPED
from billing.people.tables import ClassGroup, Enrolment
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.fresh import Fresh, fresh_school, roster
from tests.standing import standing

FROM = "2025-10-01"


@pytest.fixture
@standing
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def token_of(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/toi").text)
    assert found
    return found[1]


def post(client: TestClient, path: str, **fields: str | list[str]) -> tuple[int, str]:
    """Send a form and follow it; return status and text of what is shown then."""
    answer = client.post(path, data={"csrf": token_of(client), **fields})
    if answer.status_code == 303:
        answer = client.get(answer.headers["location"])
    return answer.status_code, answer.text


def hand_in(client: TestClient, path: str, data: bytes, **fields: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf": token_of(client), **fields}, files={"tep": ("tep", data)})
    return answer.status_code, answer.text


def load(fresh: Fresh, client: TestClient, **what: str) -> tuple[int, str]:
    fields = {"khoa": "main", "tai_khoan": str(fresh.account.id), **what}
    return post(client, "/van-phong/khoan-thu/danh-muc", **fields)


def furnished(fresh: Fresh) -> TestClient:
    """Load the catalogue and the roster; return the accountant's client."""
    client = fresh.client(fresh.accountant)
    assert load(fresh, client, ten="public-primary")[0] == 200
    assert hand_in(client, "/van-phong/tai-len/danh-sach", roster(), cho="2025-2026", viec="nhap")[0] == 200
    return client


def classes(session: Session) -> dict[str, str]:
    return {group.code: str(group.id) for group in session.exec(select(ClassGroup)).all()}


def deeds(fresh: Fresh, action: str) -> list[str]:
    """Return the objects of these deeds."""
    found = select(AuditEntry.object_id).where(AuditEntry.action == action).order_by(col(AuditEntry.id))
    return list(fresh.read(lambda session: session.exec(found).all()))


def test_a_catalogue_is_seen_with_its_verdicts_before_it_is_loaded_and_only_once(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    seen = client.get("/van-phong/khoan-thu/danh-muc/public-primary").text
    assert "Trần 300.000 đ/tháng" in seen
    assert "người duyệt phải đồng ý" in seen
    assert "“main”" not in seen, "the file's own name of its account"
    assert not fresh.read(lambda session: session.exec(select(tables.FeeItem)).all()), "looking stores nothing"
    status, text = load(fresh, client, ten="public-primary")
    assert (status, "Đã nạp danh mục" in text, "BANTRU" in text) == (200, True, True)
    assert "Trường đã có các khoản thu" in client.get("/van-phong/khoan-thu/danh-muc/public-primary").text
    assert load(fresh, client, ten="public-primary")[0] == 422
    assert load(fresh, client, ten="../../secret")[0] == 404


def test_one_s_own_catalogue_goes_the_same_way_and_a_bad_one_says_where(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    own = json.loads((SHIPPED / "public-primary.json").read_text(encoding="utf-8"))
    own["items"][0]["name"] = "Tiền bán trú <của> trường"
    status, text = hand_in(client, "/van-phong/khoan-thu/danh-muc/xem", json.dumps(own).encode())
    assert (status, "Tiền bán trú &lt;của&gt; trường" in text) == (200, True)
    status, text = load(fresh, client, noi_dung=json.dumps(own), tep="own.json")
    assert (status, "Tiền bán trú &lt;của&gt; trường" in text) == (200, True)
    own["prices"][0]["amount"] = "nhiều"
    status, text = hand_in(client, "/van-phong/khoan-thu/danh-muc/xem", json.dumps(own).encode())
    assert (status, "prices[1]" in text, 'href="/van-phong/khoan-thu"' in text) == (422, True, True)
    assert hand_in(client, "/van-phong/khoan-thu/danh-muc/xem", b"\xff\xfe{}")[0] == 422
    assert hand_in(client, "/van-phong/khoan-thu/danh-muc/xem", b" ")[0] == 422
    assert hand_in(client, "/van-phong/khoan-thu/danh-muc/xem", b" " * 513 * 1024)[0] == 413


def test_a_shipped_catalogue_is_taken_as_a_file_edited_and_handed_in(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    assert "danh-muc/public-primary/tep.json" in client.get("/van-phong/khoan-thu/danh-muc/public-primary").text
    taken = client.get("/van-phong/khoan-thu/danh-muc/public-primary/tep.json")
    assert taken.headers["content-disposition"].startswith("attachment")
    own = taken.json()
    own["prices"][0]["amount"] = 280_000
    status, text = load(fresh, client, noi_dung=json.dumps(own), tep="public-primary.json")
    assert (status, "280.000 đ" in text) == (200, True)
    found = select(tables.FeeItem.carry_over).where(tables.FeeItem.code == "TIENAN")
    rule = fresh.read(lambda session: session.exec(found).one())
    assert rule == "offset_round", "what is not eaten is money of the family"
    for name in ("national", "hcmc-2025", "..%2Fsecret", "nothing"):
        assert client.get(f"/van-phong/khoan-thu/danh-muc/{name}/tep.json").status_code == 404, name


def test_a_price_by_registration_for_a_level_with_half_months_is_typed_as_it_is(fresh: Fresh) -> None:
    client = furnished(fresh)
    bus = {
        "ten": "Xe đưa đón", "ma": "XE", "nhom": "agreed", "don_vi": "km", "can_cu": "Thỏa thuận", "tu": FROM,
        "ke_toan": "3388", "tai_khoan": str(fresh.account.id), "dang_ky": "co", "tien_ton": "same_item",
    }  # fmt: skip
    status, text = post(client, "/van-phong/khoan-thu/them", **bus)
    assert (status, "giữ cho chính khoản này các tháng sau" in text, 'name="cach_tinh"' in text) == (200, True, True)
    assert 'name="thang_le"' not in text, "a kilometre has no half month"
    status, text = post(client, "/van-phong/khoan-thu/XE/gia", so_tien="8.000", tu=FROM, cach_tinh="registered")
    assert (status, "km theo đăng ký" in text) == (200, True)
    path = "/van-phong/khoan-thu/NUOCUONG/gia"
    rule: dict[str, str | list[str]] = {"cap_hoc": ["primary"], "thang_le": "half_from_16"}
    price = re.findall(r'name="gia" value="(\d+)"', client.get("/van-phong/khoan-thu/NUOCUONG").text)[-1]
    assert post(client, "/van-phong/khoan-thu/NUOCUONG/bo-gia", gia=price, ly_do="đổi cách tính")[0] == 200
    status, text = post(client, path, so_tien="9.000", tu="2025-11-01", **rule)
    assert (status, "tiểu học" in text, "nửa tháng tính nửa giá" in text) == (200, True, True)
    assert post(client, path, so_tien="9.000", tu="2025-11-01", cap_hoc=["university"])[0] == 422
    changed = {"ten": "Tiền nước uống", "can_cu": "Thỏa thuận", "ke_toan": "3388", "tai_khoan": str(fresh.account.id)}
    status, text = post(client, "/van-phong/khoan-thu/NUOCUONG/sua", **changed, tien_ton="offset_round")
    assert (status, "trừ vào khoản này trước" in text) == (200, True)
    assert post(client, "/van-phong/khoan-thu/NUOCUONG/sua", **changed, tien_ton="burn")[0] == 422


def test_another_school_s_account_takes_no_money(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    assert load(fresh, client, ten="public-primary", tai_khoan="01a20b25-26ca-7ba5-b815-70ec4553a65b")[0] == 404
    assert load(fresh, client, ten="public-primary", tai_khoan="x")[0] == 404


def test_a_price_from_a_day_on_within_the_cap_and_its_withdrawal(fresh: Fresh) -> None:
    client = furnished(fresh)
    path = "/van-phong/khoan-thu/BANTRU"
    status, text = post(client, f"{path}/gia", so_tien="250.000", tu="2025-11-01")
    assert (status, "250.000 đ" in text, "chưa đến" in text) == (200, True, True)
    status, text = post(client, f"{path}/gia", so_tien="300.001", tu="2025-12-01")
    assert (status, "vượt mức trần" in text, "Về trang" in text) == (422, True, True)
    assert post(client, f"{path}/gia", so_tien="ba trăm", tu="2025-12-01")[0] == 422
    price = re.findall(r'name="gia" value="(\d+)"', client.get(path).text)[-1]
    assert post(client, f"{path}/bo-gia", gia=price, ly_do="")[0] == 422
    status, text = post(client, f"{path}/bo-gia", gia=price, ly_do="ghi nhầm")
    assert (status, "250.000 đ" in text) == (200, False)


def test_a_price_may_rise_by_fifteen_percent_on_last_year_and_the_page_says_so(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers
) -> None:
    """Ho Chi Minh City: boarding cost 200.000 đ last year, so 230.000 đ is the most, though the cap is 350.000 đ."""
    city = fresh_school(database, addresses, vault, servers, area="ho_chi_minh")
    with database.transaction(EVERYTHING) as session:
        load_shipped_caps(session, city.school.province_id, "ho_chi_minh")
    client = city.client(city.accountant)
    fields = {
        "ten": "Tổ chức, quản lý và vệ sinh bán trú", "ma": "BANTRU", "nhom": "service", "don_vi": "month",
        "can_cu": "Nghị quyết 18/2025", "tu": "2024-09-01", "ke_toan": "5118", "tai_khoan": str(city.account.id),
    }  # fmt: skip
    assert post(client, "/van-phong/khoan-thu/them", **fields)[0] == 200
    path = "/van-phong/khoan-thu/BANTRU"
    assert post(client, f"{path}/gia", so_tien="200.000", tu="2024-09-01", den="2025-05-31")[0] == 200
    status, text = post(client, f"{path}/gia", so_tien="230.001", tu=FROM)
    assert status == 422
    assert "tăng từ 200.000 đ lên 230.001 đ, quá 15 % so với năm trước" in text
    assert "Hãy giảm đơn giá" in text
    status, text = post(client, f"{path}/gia", so_tien="230.000", tu=FROM)
    assert (status, "230.000 đ" in text) == (200, True)
    status, text = post(client, f"{path}/gia", so_tien="350.001", tu="2026-01-01")
    assert (status, "vượt mức trần" in text) == (422, True)


def test_an_item_of_one_s_own_from_its_name_to_its_end(fresh: Fresh) -> None:
    client = furnished(fresh)
    fields = {
        "ten": "Xe đưa đón", "ma": "xe", "nhom": "agreed", "don_vi": "month", "can_cu": "Thỏa thuận", "tu": FROM,
        "ke_toan": "3388", "tai_khoan": str(fresh.account.id), "dang_ky": "co",
    }  # fmt: skip
    status, text = post(client, "/van-phong/khoan-thu/them", **fields)
    assert (status, "Đã thêm khoản thu" in text) == (200, True)
    assert post(client, "/van-phong/khoan-thu/them", **fields)[0] == 409
    status, text = post(
        client, "/van-phong/khoan-thu/them", **{**fields, "ma": "PT", "ten": "Hỗ trợ phụ huynh: vệ sinh lớp học"}
    )
    assert (status, "Không được thu" in text) == (422, True)
    assert post(client, "/van-phong/khoan-thu/XE/gia", so_tien="400000", tu=FROM)[0] == 200
    changed = {
        "ten": "Xe đưa đón tuyến 1",
        "can_cu": "Thỏa thuận",
        "ke_toan": "3388",
        "tai_khoan": str(fresh.account.id),
    }
    assert "tuyến 1" in post(client, "/van-phong/khoan-thu/XE/sua", **changed)[1]
    status, text = post(client, "/van-phong/khoan-thu/XE/dung", den="2025-12-31", ly_do="hết hợp đồng")
    assert (status, "31/12/2025" in text) == (200, True)
    assert deeds(fresh, "fees.end_item")


def test_two_classes_are_registered_and_one_child_leaves_again(fresh: Fresh) -> None:
    client, found = furnished(fresh), fresh.read(classes)
    both = {"lop": [found["1A"], found["1B"]], "khoan": ["BANTRU", "TIENAN"]}
    status, text = post(client, "/van-phong/dang-ky", tu=FROM, can_cu="Phiếu 10/2025", **both)
    assert (status, text.count("6 em")) == (200, 8), "twice in words, twice for those who listen"
    assert "không có gì thay đổi" in post(client, "/van-phong/dang-ky", tu=FROM, can_cu="Phiếu 10/2025", **both)[1]
    path = f"/van-phong/dang-ky/BANTRU/{found['1A']}"
    child = re.findall(r'name="em" value="([0-9a-f-]{36})"', client.get(path).text)[0]
    status, text = post(client, path, viec="ket-thuc", den="2025-10-05", can_cu="thôi", em=child)
    assert (status, "5 trên 6 em" in text) == (200, True)
    status, text = post(client, path, viec="dang-ky", tu="2025-10-06", can_cu="lại", em=child)
    assert (status, "6 trên 6 em" in text) == (200, True)
    for wrong in (
        {"tu": FROM, "can_cu": "x"},
        {"tu": FROM, "can_cu": "", **both},
        {"tu": FROM, "can_cu": "x", **both, "lop": ["y"]},
    ):
        assert post(client, "/van-phong/dang-ky", **wrong)[0] == 422
    assert post(client, path, viec="dang-ky", can_cu="x")[0] == 422, "nobody ticked"


def test_a_reduction_is_entered_by_one_and_approved_by_another_and_each_look_is_recorded(fresh: Fresh) -> None:
    client, approver = furnished(fresh), fresh.client(fresh.approver)
    hits = client.get("/van-phong/mien-giam/moi", params={"q": "dieu bao 1b"}).text
    child = re.findall(r"em=([0-9a-f-]{36})", hits)
    assert len(child) == 1, "marks, code and class find one of two of the same name"
    fields = {"em": child[0], "dien": "HOCBONG", "tu": FROM, "ty_le": "50", "minh_chung": "QĐ 12/2025"}
    assert post(client, "/van-phong/mien-giam/moi", **{**fields, "minh_chung": ""})[0] == 422
    status, text = post(client, "/van-phong/mien-giam/moi", **fields)
    assert (status, "chờ người khác duyệt" in text) == (200, True)
    for told in ("Học bổng", "50 %", "QĐ 12/2025"):
        assert told not in text, "a list says for whom and since when, not why"
    [reduction] = re.findall(r"/van-phong/mien-giam/([0-9a-f-]{36})", text)
    path = f"/van-phong/mien-giam/{reduction}"
    assert "QĐ 12/2025" in approver.get(path).text
    assert deeds(fresh, "reduction.look") == [reduction]
    assert post(client, f"{path}/duyet")[0] == 403, "the accountant has no such role"
    assert "Đã duyệt" in post(approver, f"{path}/duyet")[1]
    assert post(approver, f"{path}/duyet")[0] == 409
    status, text = post(client, f"{path}/ket-thuc", den="2025-10-31", ly_do="hết học bổng")
    assert (status, "31/10/2025" in text) == (200, True)
    assert post(approver, f"{path}/bo", ly_do="")[0] == 422
    assert "Đã bỏ" in post(approver, f"{path}/bo", ly_do="nhầm em")[1]


def test_nobody_of_another_school_is_found_or_reduced(fresh: Fresh) -> None:
    client = furnished(fresh)
    nobody = "01a20b25-26ca-7ba5-b815-70ec4553a65b"
    assert client.get("/van-phong/mien-giam/moi", params={"em": nobody}).status_code == 404
    assert (
        post(client, "/van-phong/mien-giam/moi", em=nobody, dien="HOCBONG", tu=FROM, ty_le="5", minh_chung="x")[0]
        == 404
    )
    assert client.get(f"/van-phong/mien-giam/{nobody}").status_code == 404
    assert client.get(f"/van-phong/dang-ky/BANTRU/{nobody}").status_code == 404
    assert client.get("/van-phong/khoan-thu/KHONGCO").status_code == 404
    assert fresh.read(lambda session: len(session.exec(select(Enrolment)).all())) == 12
