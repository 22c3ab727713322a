"""Tests of a billing round in the office on real rows: made, looked through, approved, printed, corrected, locked."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.bills.tables import Bill, BillCredit, BillLine
from billing.fees.tables import FeeItem, Reduction
from billing.people.tables import ClassGroup, Enrolment
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.jobs.printing import print_slips
from service.preparing import Addresses
from tests.billing.documents.pages import codes, pictures, words
from tests.conftest import TestServers
from tests.factories.schools import make_pupil
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_fee_pages import classes, deeds, furnished, post
from tests.standing import standing

FROM = "2025-10-01"
WEEKDAYS = [f"2025-10-{day:02d}" for day in range(1, 32) if date(2025, 10, day).weekday() < 5]
NEW = {"thang": "2025-10", "den_thang": "2025-10", "ten": "Tháng 10/2025", "ma": "2025-10", "han": "2025-10-20"}


@pytest.fixture
@standing
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def digest_in(text: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]+)"', text)
    assert found
    return found[1]


def ready(fresh: Fresh) -> TestClient:
    """Load, import, register 1A for boarding, and give Điểu Bảo of 1A a scholarship of a half."""
    client, approver = furnished(fresh), fresh.client(fresh.approver)
    found = fresh.read(classes)
    both = {"lop": [found["1A"]], "khoan": ["BANTRU", "TIENAN"]}
    assert post(client, "/van-phong/dang-ky", tu=FROM, can_cu="Phiếu 10/2025", **both)[0] == 200
    hits = client.get("/van-phong/mien-giam/moi", params={"q": "dieu bao 1a"}).text
    [child] = re.findall(r"em=([0-9a-f-]{36})", hits)
    fields = {"em": child, "dien": "HOCBONG", "tu": FROM, "ty_le": "50", "minh_chung": "QĐ 12/2025"}
    _, text = post(client, "/van-phong/mien-giam/moi", **fields)
    [reduction] = re.findall(r"/van-phong/mien-giam/([0-9a-f-]{36})", text)
    assert post(approver, f"/van-phong/mien-giam/{reduction}/duyet")[0] == 200
    return client


def drafted(client: TestClient) -> str:
    """Make the round of October; return its path."""
    answer = client.get("/van-phong/dot-thu/moi").text
    assert answer.count("checked") == len(WEEKDAYS)
    status, text = post(client, "/van-phong/dot-thu", ngay_an=WEEKDAYS, **NEW)
    assert status == 200, text
    found = re.search(r"/van-phong/dot-thu/([0-9a-f-]{36})/trinh", text)
    assert found
    return f"/van-phong/dot-thu/{found[1]}"


def issued(fresh: Fresh) -> tuple[str, TestClient, TestClient]:
    """Bring the round to its issue; return its path, the accountant and the approver."""
    client, approver = ready(fresh), fresh.client(fresh.approver)
    path = drafted(client)
    assert post(client, f"{path}/trinh", digest=digest_in(client.get(path).text))[0] == 200
    digest = digest_in(approver.get(path).text)
    assert post(approver, f"{path}/duyet", digest=digest, dong_y=["0", "1"])[0] == 200
    assert fresh.work() == 1
    return path, client, approver


def pupil_path(client: TestClient, path: str, name: str) -> str:
    """Return the address of one pupil's charges in a round."""
    found = re.search(rf"({path}/hoc-sinh/[0-9a-f-]{{36}})", client.get(f"{path}/hoc-sinh", params={"q": name}).text)
    assert found
    return found[1]


def test_a_new_round_is_calculated_shown_by_payer_and_explained_pupil_by_pupil(fresh: Fresh) -> None:
    client = ready(fresh)
    path = drafted(client)
    text = client.get(path).text
    for said in ("23 ngày ăn", "Nhà tài trợ", "Chưa có số điện thoại", "Trình duyệt", "chưa có mức trần"):
        assert said in text
    rows = client.get(f"{path}/hoc-sinh").text
    assert "12 em" in rows
    assert "50 %" not in rows, "a list of pupils carries amounts only"
    one = pupil_path(client, path, "dieu bao 1a")
    seen = client.get(one).text
    for said in ("32.000 đ × 23 ngày ăn = 736.000 đ", "Nhà tài trợ chịu 50 %", "QĐ 12/2025", "Gia đình nộp 368.000 đ"):
        assert said in seen
    assert deeds(fresh, "explanation.look") == [one.rsplit("/", 1)[1]]
    assert client.get(f"{path}/hoc-sinh/{fresh.school.id}").status_code == 404


def test_the_form_proposes_the_next_month_and_refuses_what_makes_no_sense(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    empty = client.get("/van-phong/dot-thu/moi").text
    assert "Trường chưa có khoản thu nào" in empty
    assert "Chưa có học sinh nào" in empty
    client = ready(fresh)
    drafted(client)
    assert 'value="Tháng 11/2025"' in client.get("/van-phong/dot-thu/moi").text
    quarter = client.get("/van-phong/dot-thu/moi", params={"thang": "2025-11", "den": "2026-01"}).text
    assert 'value="Tháng 11/2025 đến 1/2026"' in quarter
    assert quarter.count("<caption>") == 3
    assert post(client, "/van-phong/dot-thu", **NEW)[0] == 422, "the code is taken"
    for wrong in ({"ma": "x", "ten": " "}, {"ma": "x", "han": "2025-09-01"}, {"ma": "x", "ngay_an": "2025-11-03"}):
        assert post(client, "/van-phong/dot-thu", **{**NEW, **wrong})[0] == 422
    for shares in (["40", "50"], ["40", ""], ["40", "x"]):
        fields: dict[str, str | list[str]] = {"ma": "x", "ty_le": shares, "han_dot": ["2025-10-20", "2025-12-20"]}
        assert post(client, "/van-phong/dot-thu", **{**NEW, **fields})[0] == 422
    fields = {"ma": "x", "han": "2025-12-20", "ty_le": ["40", "60", ""], "han_dot": ["2025-10-20", "2025-12-20", ""]}
    status, text = post(client, "/van-phong/dot-thu", **{**NEW, **fields})
    assert (status, "40 % hạn 20/10/2025" in text) == (200, True)


def test_the_approver_says_yes_to_each_question_and_nobody_to_one_s_own_round(fresh: Fresh) -> None:
    client, approver = ready(fresh), fresh.client(fresh.approver)
    path = drafted(client)
    post(client, f"{path}/trinh", digest=digest_in(client.get(path).text))
    digest = digest_in(approver.get(path).text)
    assert approver.get(path).text.count('name="dong_y"') == 2
    for some in ([], ["0"], ["1", "1"]):
        assert post(approver, f"{path}/duyet", digest=digest, dong_y=some)[0] == 422
    status, text = post(approver, f"{path}/duyet", digest=digest, dong_y=["1", "0"])
    assert (status, "đang phát hành" in text) == (200, True)
    assert fresh.work() == 1
    assert "In giấy báo theo lớp" in approver.get(path).text


def test_a_round_is_withdrawn_with_a_reason_and_leads_on_to_a_new_one(fresh: Fresh) -> None:
    client = ready(fresh)
    path = drafted(client)
    assert post(client, f"{path}/huy", ly_do=" ")[0] == 422
    status, text = post(client, f"{path}/huy", ly_do="sai tháng")
    assert (status, "Đã hủy" in text, "Lập đợt thu mới" in text) == (200, True, True)


def test_the_approver_and_nobody_else_says_when_a_changed_total_is_asked_about(fresh: Fresh) -> None:
    maker, approver = fresh.client(fresh.accountant), fresh.client(fresh.approver)
    assert "đổi hơn 20 % so với đợt trước" in maker.get("/van-phong/dot-thu").text
    assert "phan_tram" not in maker.get("/van-phong/dot-thu").text
    assert post(maker, "/van-phong/dot-thu/nguong", phan_tram="90")[0] == 403
    status, text = post(approver, "/van-phong/dot-thu/nguong", phan_tram="10")
    assert (status, "đổi hơn 10 % so với đợt trước" in text, "Đã đổi mức hỏi" in text) == (200, True, True)
    assert post(approver, "/van-phong/dot-thu/nguong", phan_tram="0")[0] == 422
    assert deeds(fresh, "round.alert") == [str(fresh.school.id)]


def printed(fresh: Fresh, client: TestClient, path: str) -> bytes:
    """Ask for the slips of all classes, let the worker print them, and return the file."""
    assert "giay-bao/tep" not in client.get(f"{path}/giay-bao").text
    status, text = post(client, f"{path}/giay-bao")
    assert (status, "Đang in: xong 0 trên 2 lớp" in text, "giay-bao/tep" in text) == (200, True, False)
    assert print_slips(fresh.wiring) == 2
    text = client.get(f"{path}/giay-bao").text
    assert "Đã in 12 giấy báo" in text
    [file] = re.findall(rf"{path}/giay-bao/tep/[0-9a-f-]{{36}}\.zip", text)
    return client.get(file).content


def test_slips_of_a_class_and_of_all_say_nothing_of_a_reduction(fresh: Fresh) -> None:
    path, client, approver = issued(fresh)
    found = fresh.read(classes)
    pdf = client.get(f"{path}/giay-bao/{found['1A']}.pdf")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    pages = words(pdf.content)
    assert [page.count("THÔNG BÁO THU") for page in pages] == [2, 2, 2], "two slips on a sheet"
    assert all(page.count(f"/cong-khai/{fresh.school.code}") == 2 for page in pages)
    for told in ("Học bổng", "50 %", "QĐ 12/2025", "tài trợ", "miễn", "giảm"):
        assert told not in " ".join(pages)
    packed = printed(fresh, approver, path)
    with zipfile.ZipFile(io.BytesIO(packed)) as folder:
        assert folder.namelist() == ["1A.pdf", "1B.pdf"]
        assert folder.read("1A.pdf") == pdf.content
    assert client.get(f"{path}/giay-bao/{fresh.school.id}.pdf").status_code == 404
    listed = client.get(f"{path}/danh-sach-bao").text
    assert "12 em; đã báo qua điện thoại hoặc thư: 0; không có liên hệ: 12" in listed


def test_the_small_code_on_a_slip_opens_the_page_where_a_family_registers(fresh: Fresh) -> None:
    path, client, _ = issued(fresh)
    pdf = client.get(f"{path}/giay-bao/{fresh.read(classes)['1A']}.pdf").content
    found = {code for picture in pictures(pdf, 200) for code in codes(picture)}
    links = sorted(code for code in found if not code.startswith("000201"))
    assert len(links) == 6, "each child has its own"
    family = TestClient(fresh.app(), headers={"accept": "text/html"})
    page = family.get(urlsplit(links[0]).path)
    assert page.status_code == 200
    assert "Đăng ký" in page.text
    assert family.get(f"{urlsplit(links[0]).path[:-1]}x").status_code == 404
    again = client.get(f"{path}/giay-bao/{fresh.read(classes)['1A']}.pdf").content
    assert again == pdf, "the next print carries the same links"


def test_nothing_is_printed_before_the_issue(fresh: Fresh) -> None:
    client = ready(fresh)
    path = drafted(client)
    for page in ("giay-bao", "danh-sach-bao"):
        assert client.get(f"{path}/{page}").status_code == 422
    assert post(client, f"{path}/giay-bao")[0] == 422


def test_a_bill_is_lowered_by_one_and_approved_by_another(fresh: Fresh) -> None:
    path, client, approver = issued(fresh)
    one = pupil_path(client, path, "dieu bao 1a")
    text = client.get(one).text
    [bill] = re.findall(r'name="thong_bao" value="([0-9a-f-]{36})"', text)
    lines = re.findall(r'name="dong" value="(\d+)"', text)
    fields = {"thong_bao": bill, "viec": "credit", "dong": lines, "giam": ["1.000", *[""] * (len(lines) - 1)]}
    assert post(client, "/van-phong/dieu-chinh", **fields, ly_do="")[0] == 422
    assert post(client, "/van-phong/dieu-chinh", **{**fields, "giam": [""] * len(lines)}, ly_do="x")[0] == 422
    status, text = post(client, "/van-phong/dieu-chinh", **fields, ly_do="nghỉ ốm")
    assert (status, "Ghi giảm thông báo" in text, "1.000 đ" in text) == (200, True, True)
    found = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", text)
    assert found
    assert "Có đề nghị điều chỉnh chờ duyệt" in client.get(one).text
    status, text = post(approver, f"/van-phong/dieu-chinh/{found[1]}/duyet")
    assert (status, "Đã duyệt và thực hiện" in text) == (200, True)
    assert "Đã ghi giảm còn" in client.get(one).text
    assert fresh.read(lambda session: len(session.exec(select(BillCredit)).all())) == 1
    assert post(approver, f"/van-phong/dieu-chinh/{found[1]}/duyet")[0] == 409


def test_a_bill_is_taken_back_and_its_pupil_gets_one_in_a_supplementary_round(fresh: Fresh) -> None:
    path, client, approver = issued(fresh)
    one = pupil_path(client, path, "dieu bao 1b")
    [bill] = re.findall(r'name="thong_bao" value="([0-9a-f-]{36})"', client.get(one).text)
    _, text = post(client, "/van-phong/dieu-chinh", thong_bao=bill, viec="void", ly_do="sai lớp")
    found = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", text)
    assert found
    assert post(client, f"/van-phong/dieu-chinh/{found[1]}/tu-choi", ly_do="nhầm em")[0] == 200
    _, text = post(client, "/van-phong/dieu-chinh", thong_bao=bill, viec="void", ly_do="sai lớp")
    found = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", text)
    assert found
    assert post(approver, f"/van-phong/dieu-chinh/{found[1]}/duyet")[0] == 200
    assert "Đã thu hồi" in client.get(one).text
    assert "1 em có lớp mà chưa có thông báo" in client.get(path).text
    status, text = post(client, f"{path}/bo-sung", han="2025-10-25")
    assert (status, "bổ sung" in text, "Trình duyệt" in text) == (200, True, True)


def test_a_price_is_lowered_in_all_bills_and_a_locked_round_is_left_alone(fresh: Fresh) -> None:
    path, client, approver = issued(fresh)
    status, text = post(client, f"{path}/ha-gia", khoan="NUOCUONG", so_tien="9.000", ly_do="nghị quyết mới")
    assert (status, text.count("1.000 đ") >= 11) == (200, True)
    found = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", text)
    assert found
    assert post(client, f"{path}/ha-gia", khoan="NUOCUONG", so_tien="11.000", ly_do="x")[0] == 422
    assert post(approver, f"/van-phong/dieu-chinh/{found[1]}/duyet")[0] == 200
    status, text = post(client, f"{path}/khoa")
    assert (status, "Đã khóa" in text) == (200, True)
    assert post(client, f"{path}/ha-gia", khoan="NUOCUONG", so_tien="8.000", ly_do="x")[0] == 409
    assert post(client, f"{path}/mo-khoa", ly_do="x")[0] == 403
    assert post(approver, f"{path}/mo-khoa", ly_do="")[0] == 422
    assert "Đã mở khóa" in post(approver, f"{path}/mo-khoa", ly_do="sai một em")[1]


def test_who_comes_late_is_named_by_the_issued_round(fresh: Fresh) -> None:
    path, client, _ = issued(fresh)
    assert "chưa có thông báo trong đợt này" not in client.get(path).text

    with fresh.wiring.database.transaction(EVERYTHING) as session:
        group = session.exec(select(ClassGroup).where(ClassGroup.code == "1B")).one()
        make_pupil(session, group, "Hồ Văn Đến", province_id=fresh.school.province_id)
    assert fresh.read(lambda session: len(session.exec(select(Enrolment)).all())) == 13
    assert "1 em có lớp mà chưa có thông báo trong đợt này" in client.get(path).text


def test_what_a_family_registers_for_later_is_billed_alone(fresh: Fresh) -> None:
    path, client, approver = issued(fresh)
    assert "chỉ thu khoản mới đó" in client.get(path).text
    status, text = post(client, f"{path}/bo-sung", han="2025-10-25")
    assert (status, "không cần đợt bổ sung" in " ".join(text.split())) == (422, True)
    later = {"lop": [fresh.read(classes)["1B"]], "khoan": ["BANTRU"]}
    assert post(client, "/van-phong/dang-ky", tu=FROM, can_cu="Phiếu đăng ký thêm", **later)[0] == 200
    status, text = post(client, f"{path}/bo-sung", han="2025-10-25")
    assert status == 200
    found = re.search(r"/van-phong/dot-thu/([0-9a-f-]{36})/trinh", text)
    assert found
    extra = f"/van-phong/dot-thu/{found[1]}"
    assert post(client, f"{extra}/trinh", digest=digest_in(client.get(extra).text))[0] == 200
    assert post(approver, f"{extra}/duyet", digest=digest_in(approver.get(extra).text), dong_y=["0", "1"])[0] == 200
    assert fresh.work() == 1
    bills = fresh.read(
        lambda session: [
            (bill.family_due.dong, line.item_code)
            for bill, line in session.exec(
                select(Bill, BillLine)
                .join(BillLine, col(BillLine.bill_id) == col(Bill.id))
                .where(Bill.round_id == UUID(found[1]))
            ).all()
        ]
    )
    assert bills == [(300_000, "BANTRU")] * 6


def test_the_list_of_notices_does_not_name_who_pays_nothing(fresh: Fresh) -> None:
    client, approver = ready(fresh), fresh.client(fresh.approver)
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        child = session.exec(select(Enrolment)).first()
        assert child is not None
        free = [row.code for row in session.exec(select(FeeItem)).all()]
        session.add(
            Reduction(
                school_id=fresh.school.id,
                enrolment_id=child.id,
                title="Miễn toàn bộ",
                item_codes=free,
                kind="percent",
                percent=100,
                payer="school",
                reason_class="NHATRUONG",
                legal_basis="Quy chế nhà trường",
                evidence="QĐ 13/2025",
                valid_from=date(2025, 9, 1),
                made_by=fresh.accountant.id,
                approved_by=fresh.approver.id,
            )
        )
    path = drafted(client)
    assert post(client, f"{path}/trinh", digest=digest_in(client.get(path).text))[0] == 200
    assert post(approver, f"{path}/duyet", digest=digest_in(approver.get(path).text), dong_y=["0", "1", "2"])[0] == 200
    assert fresh.work() == 1
    listed = client.get(f"{path}/danh-sach-bao").text
    assert "11 em; đã báo qua điện thoại hoặc thư: 0; không có liên hệ: 11" in listed
    assert listed.count('<th scope="row">') == 11
