"""Tests of what the pages say, drawn from frozen records."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from billing.money import Money
from service.access import links
from service.pages.rendering import ASSETS, age, plain_svg, render, weekday
from service.pages.responses import disposition
from service.pages.views import BillState, Line, SchoolFace
from tests.service.pages.conftest import signed_in
from tests.service.pages.sample_desk import SampleDesk
from tests.service.pages.samples import FAMILY_PAGES, HOME, ROUND_ID, TOKEN, WAITING, WAITING_LIST, bill_row

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "&lt;b&gt;",
]


def family_page(client: TestClient, desk: SampleDesk, name: str, **more: str) -> str:
    desk.family = {links.digest(TOKEN): FAMILY_PAGES[name]}
    return client.get("/t/" + TOKEN, params=more).text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("waiting", "Chờ nộp"),
        ("part_paid", "Đã nhận một phần"),
        ("received", "Đã nhận tiền"),
        ("receipted", "Đã có biên lai"),
        ("covered", "Không phải nộp"),
        ("void", "Thông báo đã thu hồi"),
        ("overpaid", "Tiền nộp thừa: 250.000 đ"),
        ("paid_twice", "đã được nộp hai lần"),
        ("waiting_no_callback", "Nhà trường cập nhật trước 17 giờ ngày làm việc sau"),
        ("waiting_no_qr", "Mã QR tạm thời chưa có"),
        ("waiting_typed", "Tài khoản này không nhận mã QR"),
        ("waiting_no_number", "chưa cấp tài khoản định danh cho con"),
    ],
)
def test_each_state_says_what_it_is(client: TestClient, desk: SampleDesk, name: str, said: str) -> None:
    text = family_page(client, desk, name)
    assert said in text
    assert "0271 3870 123" in text
    panel = FAMILY_PAGES[name].payment
    assert ("<svg" in text) == (panel is not None and bool(panel.qr_svg))


def test_families_never_read_of_debt_or_invoices(client: TestClient, desk: SampleDesk) -> None:
    for name in FAMILY_PAGES:
        text = family_page(client, desk, name).lower()
        assert not re.search(r"\bnợ\b|\bhóa đơn\b", text), name


def test_the_first_view_is_small_and_all_from_us(client: TestClient, desk: SampleDesk) -> None:
    text = family_page(client, desk, "waiting")
    assets = [ASSETS["hocphi.css"].packed, ASSETS["hocphi.js"].packed, ASSETS["favicon.svg"].packed]
    assert len(text.encode()) + sum(map(len, assets)) <= 60 * 1024
    assert len(ASSETS["hocphi.js"].content) <= 15 * 1024
    fetched = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert all(address.startswith(("/", "#", "?", "tel:")) for address in fetched)
    assert " style=" not in text
    assert "<style" not in text
    assert not re.search(r"\son[a-z]+=", text)
    assert "http-equiv" not in text


def test_a_preview_of_the_link_shows_the_school_only(client: TestClient, desk: SampleDesk) -> None:
    head = family_page(client, desk, "waiting").split("</head>")[0]
    assert "Trường Tiểu học Tân Lập" in head
    assert "Ánh" not in head
    assert "1.250.000" not in head
    assert TOKEN not in head


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_stay_texts(client: TestClient, desk: SampleDesk, hostile: str) -> None:
    bill = dataclasses.replace(
        WAITING,
        child_name=hostile,
        title=hostile,
        school=SchoolFace(hostile, hostile, hostile),
        lines=(Line(hostile, Money(1)),),
        payment=dataclasses.replace(FAMILY_PAGES["waiting"].payment or WAITING.payment, payee=hostile, memo=hostile),  # type: ignore[type-var]  # the sample has a panel
    )
    desk.family = {links.digest(TOKEN): bill}
    pages = [client.get("/t/" + TOKEN).text]
    desk.found = dataclasses.replace(desk.found, rows=(dataclasses.replace(bill_row(1), pupil=hostile),))
    row = dataclasses.replace(WAITING_LIST.rows[0], memo=hostile, reason=hostile)
    desk.waiting_list = dataclasses.replace(WAITING_LIST, rows=(row,))
    signed_in(client, desk, "accountant")
    pages += [client.get(path, params={"q": hostile}).text for path in ("/van-phong/thong-bao", "/van-phong/cho-xu-ly")]
    for text in pages:
        assert not re.search(r"<(img|script>|svg onload)|onerror=alert\(1\)>|'alert\(1\)'", text)
        assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", text)[0]


def test_the_office_home_shows_three_numbers_and_an_alarm(client: TestClient, desk: SampleDesk) -> None:
    signed_in(client, desk, "accountant")
    text = client.get("/van-phong").text
    for said in ("48.250.000 đ", "39 giao dịch", "2.900.000 đ", "cũ nhất: 1 ngày", "✓", "Khớp"):
        assert said in text
    desk.home = dataclasses.replace(HOME, bank_balance=HOME.book_balance + Money(1))
    text = client.get("/van-phong").text
    assert "Phải bằng 0" in text
    assert "Khớp" not in text


def test_two_candidates_are_ranked_with_reasons_and_none_is_chosen(client: TestClient, desk: SampleDesk) -> None:
    signed_in(client, desk, "accountant")
    text = client.get("/van-phong/cho-xu-ly").text
    assert text.index("Nguyễn Thị Minh Ánh") < text.index("Trần Đăng Khôi")
    assert "Số tiền đúng" in text
    assert "checked" not in text


def test_only_the_approver_sees_the_button_to_approve(client: TestClient, desk: SampleDesk) -> None:
    for role, state, button in (
        ("accountant", "previewed", "Trình duyệt"),
        ("approver", "previewed", None),
        ("approver", "submitted", "Duyệt và phát hành"),
        ("accountant", "submitted", None),
        ("auditor", "submitted", None),
    ):
        signed_in(client, desk, role)
        row = dataclasses.replace(desk.preview.row, state=type(desk.preview.row.state)(state))
        desk.preview = dataclasses.replace(desk.preview, row=row)
        text = client.get(f"/van-phong/dot-thu/{ROUND_ID}").text
        main = text.split("<main")[1]
        assert (button in main) if button else ('class="decide"' not in main), (role, state)


def test_english_is_one_tap_away_and_remembered(client: TestClient, desk: SampleDesk) -> None:
    vietnamese = client.get("/t/" + TOKEN)
    assert 'lang="vi"' in vietnamese.text
    assert 'href="?lang=en"' in vietnamese.text
    english = client.get("/t/" + TOKEN, params={"lang": "en"})
    assert "To be paid" in english.text
    assert "Wednesday, 15/10/2025" in english.text
    assert "To be paid" in client.get("/t/" + TOKEN).text
    assert "Chờ nộp" in client.get("/t/" + TOKEN, params={"lang": "vi"}).text
    assert desk.callers


def test_errors_say_what_happened_and_what_to_do(client: TestClient) -> None:
    answer = client.get("/khong-co")
    assert answer.status_code == 404
    assert "Không có trang này." in answer.text
    assert "Kiểm tra lại địa chỉ" in answer.text
    as_json = client.get("/khong-co", headers={"accept": "application/json"})
    assert as_json.json()["code"] == "not_found"
    assert set(as_json.json()) == {"code", "message", "advice", "request_id"}


def test_an_ended_link_is_no_dead_end(client: TestClient) -> None:
    text = client.get("/t/" + "A" * 22).text
    assert "Đường dẫn này không có hoặc đã hết hạn." in text
    assert "tiền không mất" in text


def test_files_get_names_of_ours_in_both_forms(client: TestClient, desk: SampleDesk) -> None:
    assert (
        disposition("Biên lai TL25.pdf")
        == "filename=\"Bien-lai-TL25.pdf\"; filename*=UTF-8''Bi%C3%AAn%20lai%20TL25.pdf"
    )
    assert (
        disposition('"; \r\nSet-Cookie: a')
        == "filename=\"Set-Cookie-a\"; filename*=UTF-8''%22%3B%20%0D%0ASet-Cookie%3A%20a"
    )
    desk.family = {links.digest(TOKEN): FAMILY_PAGES["receipted"]}
    header = client.get(f"/t/{TOKEN}/bien-lai/TL25-000123.pdf").headers["content-disposition"]
    assert header.startswith("inline; filename=")


def test_static_files_are_packed_and_kept_for_ever_only_under_their_own_version(client: TestClient) -> None:
    name, kept = "hocphi.css", ASSETS["hocphi.css"]
    found = client.get(f"/static/{name}", params={"v": kept.version})
    assert found.content == kept.content
    assert found.headers["content-encoding"] == "gzip"
    assert "immutable" in found.headers["cache-control"]
    assert client.get(f"/static/{name}", params={"v": "old"}).headers["cache-control"] == "no-cache"
    assert "content-encoding" not in client.get(f"/static/{name}", headers={"accept-encoding": "identity"}).headers


def test_head_is_answered_as_get_without_a_body(client: TestClient) -> None:
    answer = client.head("/t/" + TOKEN)
    assert answer.status_code == 200
    assert answer.content == b""


def test_reading_changes_nothing(client: TestClient, desk: SampleDesk) -> None:
    signed_in(client, desk, "accountant")
    for path in (f"/van-phong/dot-thu/{ROUND_ID}/trinh", f"/van-phong/dot-thu/{ROUND_ID}/duyet", "/dang-xuat"):
        assert client.get(path).status_code == 405
    assert desk.done == []


@pytest.mark.parametrize(
    "bad",
    [
        "<svg><script>alert(1)</script></svg>",
        "<svg onload='alert(1)'></svg>",
        "<svg><a href='https://evil.example'>x</a></svg>",
        "<svg><path style='fill:red'/></svg>",
        "<svg><use xlink:href='#a'/></svg>",
        "<p></p>",
        "<svg></svg><p></p>",
        "<svg><![CDATA[x]]></svg>",
    ],
)
def test_a_picture_that_is_more_than_a_picture_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="plain SVG"):
        plain_svg(bad)


def test_all_states_have_a_page() -> None:
    assert {bill.state for bill in FAMILY_PAGES.values()} == set(BillState)


def test_days_and_ages() -> None:
    now = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
    assert weekday(date(2025, 10, 5), "vi") == "Chủ Nhật, 05/10/2025"
    assert age(now - timedelta(minutes=59), now, "vi") == "59 phút"
    assert age(now - timedelta(hours=23), now, "vi") == "23 giờ"
    assert age(now - timedelta(hours=49), now, "en") == "2 d"
    assert age(now + timedelta(hours=1), now, "vi") == "0 phút"


def test_a_forgotten_value_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(Exception, match="undefined"):
        render("bill.html", "vi", path="/", switch="", place_parameter="truong")
