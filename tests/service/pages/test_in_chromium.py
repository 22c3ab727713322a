"""The pages in a real Chromium: nothing overflows, axe finds nothing, the QR can be read, the page flips by itself."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from billing.documents.vietqr import decode
from billing.payments.balances import request_balances, rest_of
from service.access import links
from service.access.sessions import new_session
from tests.factories.serving import serving
from tests.service.pages.sample_cash import BOOK_ID, TAKING_ID
from tests.service.pages.sample_choices import FULL as FULL_CHOICES
from tests.service.pages.sample_choices import OFFER_ID
from tests.service.pages.sample_claims import CLAIM_ID
from tests.service.pages.sample_contracts import CONTRACT_ID
from tests.service.pages.sample_desk import SampleDesk
from tests.service.pages.sample_fees import CLASS_ID, ENROLMENT_ID, REDUCTION_ID
from tests.service.pages.sample_money_out import TRANSFER_ID
from tests.service.pages.sample_moving import LEAVING_ID
from tests.service.pages.sample_plans import PLAN_ID
from tests.service.pages.sample_rounds import CORRECTION_ID, PUPIL_ID
from tests.service.pages.sample_statements import EXPLAIN_ID, PREVIEW_ID
from tests.service.pages.samples import FAMILY_PAGES, NOW, ROUND_ID, TOKEN, UNKNOWN_TOKEN
from tests.service.pages.worlds import World

pytestmark = pytest.mark.browser

WIDTHS = (320, 360, 768, 1280)
PARTS = 4
CASHIERS = (
    f"hoc-sinh/{PUPIL_ID}?so_tien=1000000&quyen={BOOK_ID}",
    "kiem-quy?to=24&to=1",
    "nop-ngan-hang",
    "rut-tien",
    "ban-giao",
)
# Axe then gathers only the first example of what is in order; what is not is told whole.
TOLD = {"resultTypes": ["violations"]}
OFFICE = (
    "/toi",
    "/doi-mat-khau",
    "/van-phong",
    "/van-phong/thong-bao",
    "/van-phong/cho-xu-ly",
    "/van-phong/cho-xu-ly/da-ghi",
    "/van-phong/cho-xu-ly/viec",
    "/van-phong/cho-xu-ly/nhieu",
    "/van-phong/cho-xu-ly/nhieu/mot?tim=bao",
    f"/van-phong/cho-xu-ly/nhieu/mot?em={ENROLMENT_ID}",
    f"/van-phong/cho-xu-ly/gd/{ENROLMENT_ID}?tim=bao",
    f"/van-phong/cho-xu-ly/gd/{ENROLMENT_ID}?tim=da+ghi",
    f"/van-phong/cho-xu-ly/gd/{ENROLMENT_ID}?tim=viec",
    f"/van-phong/cho-xu-ly/gd/{ENROLMENT_ID}/xem?em={ENROLMENT_ID}",
    "/van-phong/cho-xu-ly/goi-y?dau_hieu=name&xem=1",
    "/van-phong/nhac-nop",
    "/van-phong/kenh-ngan-hang",
    "/van-phong/dot-thu",
    f"/van-phong/dot-thu/{ROUND_ID}",
    "/van-phong/tai-len",
    "/van-phong/tai-khoan",
    "/van-phong/dia-ban",
    "/van-phong/tai-khoan/so-rieng",
    "/van-phong/sao-ke",
    f"/van-phong/sao-ke/{PREVIEW_ID}",
    f"/van-phong/sao-ke/{EXPLAIN_ID}",
    "/van-phong/tien-ra",
    "/van-phong/khoa-so",
    "/van-phong/thieu-phi",
    "/van-phong/the",
    "/van-phong/hoan-tien/giao-dich",
    f"/van-phong/hoan-tien/giao-dich/{TRANSFER_ID}",
    "/van-phong/doi-chieu-nguon",
    "/van-phong/quy?q=anh",
    f"/van-phong/quy/lan/{TAKING_ID}",
    "/van-phong/quy/quyen",
    f"/van-phong/quy/quyen/{BOOK_ID}",
    "/van-phong/quy/kiem-quy",
    "/van-phong/quy/nop-ngan-hang",
    "/van-phong/quy/rut-tien",
    "/van-phong/quy/ban-giao",
    "/van-phong/ngan-sach",
    f"/van-phong/ngan-sach/danh-sach/{CLAIM_ID}",
    f"/van-phong/ngan-sach/danh-sach/{CLAIM_ID}/chi-tra",
    "/van-phong/ngan-sach/doi-tuong",
    f"/van-phong/ngan-sach/doi-tuong?em={ENROLMENT_ID}",
    "/van-phong/dot-thu/moi",
    f"/van-phong/dot-thu/{ROUND_ID}/hoc-sinh",
    f"/van-phong/dot-thu/{ROUND_ID}/hoc-sinh/{PUPIL_ID}",
    f"/van-phong/dot-thu/{ROUND_ID}/giay-bao",
    f"/van-phong/dot-thu/{ROUND_ID}/danh-sach-bao",
    "/van-phong/dieu-chinh",
    f"/van-phong/dieu-chinh/{CORRECTION_ID}",
    "/van-phong/khoan-thu",
    "/van-phong/khoan-thu/them",
    "/van-phong/khoan-thu/BANTRU",
    "/van-phong/dang-ky",
    f"/van-phong/dang-ky/BANTRU/{CLASS_ID}",
    "/van-phong/mien-giam",
    "/van-phong/mien-giam/moi?q=anh",
    f"/van-phong/mien-giam/moi?em={ENROLMENT_ID}",
    f"/van-phong/mien-giam/{REDUCTION_ID}",
    "/van-phong/khoan-thu/danh-muc",
    "/van-phong/khoan-thu/danh-muc/public-primary",
    "/van-phong/diem-danh",
    f"/van-phong/diem-danh/lop/{CLASS_ID}?thang=2025-10",
    "/van-phong/diem-danh/ngay-nghi",
    "/van-phong/diem-danh/giao-vien",
    "/van-phong/suat-an",
    f"/van-phong/dot-thu/{ROUND_ID}/quyet-toan",
    f"/van-phong/dot-thu/{ROUND_ID}/thu-bu",
    "/van-phong/chuyen-di?q=anh",
    f"/van-phong/chuyen-di/hoc-sinh/{ENROLMENT_ID}?ngay=2025-10-15",
    f"/van-phong/chuyen-di/lan/{LEAVING_ID}",
    "/van-phong/cuoi-cap",
    "/van-phong/nam-hoc-moi/khoan-thu?tang=10",
    "/van-phong/nam-hoc-moi/len-lop",
    "/van-phong/nam-hoc-moi/so-du",
    "/van-phong/phan-mem-cu",
    "/kiem-toan",
)


@pytest.fixture(params=["light", "dark"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 360, "height": 640}, color_scheme=request.param)
    yield context.new_page()
    context.close()


def look_at(page: Page, address: str) -> None:
    """Open a page at every width; nothing may overflow, and axe may find nothing. In the dark only colours differ."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"):
        dark = Axe().run(page, options={"runOnly": ["color-contrast"], **TOLD})
        assert dark.violations_count == 0, dark.generate_report()
        return
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, f"{address} is {over} px too wide at {width}"
        if width in {360, 1280}:
            found = Axe().run(page, options=TOLD)
            assert found.violations_count == 0, found.generate_report()
    assert not [text for text in complaints if "404" not in text], complaints


@pytest.mark.parametrize("name", sorted(FAMILY_PAGES))
def test_family_pages(page: Page, live: str, desk: SampleDesk, name: str) -> None:
    desk.family = {links.digest(TOKEN): FAMILY_PAGES[name]}
    look_at(page, f"{live}/t/{TOKEN}")


@pytest.mark.parametrize("part", range(PARTS))
def test_office_pages(page: Page, live: str, desk: SampleDesk, part: int) -> None:
    """All of them, in parts: each must end within the guard against hanging tests on a busy machine too."""
    others = (
        (
            ("province", ("/tinh", "/tinh/doi-chieu-nguon")),
            ("class_teacher", ("/lop-chu-nhiem",)),
            ("cashier", tuple(f"/van-phong/quy/{path}" for path in CASHIERS)),
        )
        if part == 0
        else ()
    )
    for role, paths in (("accountant", OFFICE[part::PARTS]), *others):
        fresh = new_session()
        desk.start_session(desk.accounts[role], fresh.digest, NOW)
        page.context.add_cookies([{"name": "hocphi", "value": fresh.token, "url": live}])
        for path in paths:
            look_at(page, live + path)


def test_the_menu_is_closed_on_a_phone_and_opens_by_a_key(page: Page, live: str, desk: SampleDesk) -> None:
    fresh = new_session()
    desk.start_session(desk.accounts["accountant"], fresh.digest, NOW)
    page.context.add_cookies([{"name": "hocphi", "value": fresh.token, "url": live}])
    page.goto(f"{live}/van-phong/kenh-ngan-hang")
    menu, entry = page.get_by_text("Danh mục trang"), page.get_by_role("navigation").get_by_role("link", name="Tiền ra")
    expect(entry).to_be_hidden()
    heading = page.get_by_role("heading", level=1).bounding_box()
    assert heading
    assert heading["y"] < 640 / 2
    menu.focus()
    page.keyboard.press("Enter")
    expect(entry).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 640})
    expect(entry).to_be_visible()
    expect(menu).to_be_hidden()


def test_plans_and_what_everybody_may_read(page: Page, live: str, desk: SampleDesk) -> None:
    fresh = new_session()
    desk.start_session(desk.accounts["accountant"], fresh.digest, NOW)
    page.context.add_cookies([{"name": "hocphi", "value": fresh.token, "url": live}])
    plans = "/van-phong/ke-hoach-thu"
    for path in (plans, f"{plans}/moi", f"{plans}/{PLAN_ID}", "/cong-khai/75990001"):
        look_at(page, live + path)


def test_what_families_choose(page: Page, live: str, desk: SampleDesk) -> None:
    look_at(page, f"{live}/t/{TOKEN}/dang-ky")
    desk.full_choices = FULL_CHOICES
    look_at(page, f"{live}/t/{TOKEN}/dang-ky")
    assert page.locator("input[type=checkbox]:checked").count() == 0
    fresh = new_session()
    desk.start_session(desk.accounts["accountant"], fresh.digest, NOW)
    page.context.add_cookies([{"name": "hocphi", "value": fresh.token, "url": live}])
    offers = "/van-phong/dang-ky/dot"
    for path in (offers, f"{offers}?khoan=XE", f"{offers}/lan/{OFFER_ID}"):
        look_at(page, live + path)


def test_a_contract_before_and_after_its_family_agrees(page: Page, live: str, desk: SampleDesk) -> None:
    look_at(page, f"{live}/hd/{TOKEN}")
    assert page.locator("input[type=checkbox]:checked").count() == 0
    desk.answered = desk.drafted = True
    look_at(page, f"{live}/hd/{TOKEN}")
    fresh = new_session()
    desk.start_session(desk.accounts["accountant"], fresh.digest, NOW)
    page.context.add_cookies([{"name": "hocphi", "value": fresh.token, "url": live}])
    look_at(page, f"{live}/van-phong/hop-dong/so/{CONTRACT_ID}")


def test_public_pages(page: Page, live: str) -> None:
    for path in ("/", "/dang-nhap", "/khong-co", f"/t/{UNKNOWN_TOKEN}"):
        look_at(page, live + path)


def test_what_is_tapped_is_large_enough(phone: Page, live: str) -> None:
    phone.goto(f"{live}/t/{TOKEN}")
    sizes = phone.eval_on_selector_all(
        "a.button, button, .language a, a.phone",
        "all => all.filter(e => e.offsetParent).map(e => [e.innerText, e.offsetWidth, e.offsetHeight])",
    )
    assert len(sizes) >= 6
    assert [size for size in sizes if size[2] < 44] == []


def test_the_code_and_its_button_are_on_the_first_screen(phone: Page, live: str) -> None:
    phone.goto(f"{live}/t/{TOKEN}")
    button = phone.get_by_role("link", name="Lưu ảnh QR").bounding_box()
    code = phone.locator(".qr svg").bounding_box()
    assert button
    assert code
    assert 640 / 3 <= button["y"] <= 640 - 44
    assert code["y"] + code["height"] / 2 <= 640
    name = phone.eval_on_selector("h1", "e => parseFloat(getComputedStyle(e).fontSize)")
    others = phone.eval_on_selector_all(
        "main *:not(h1):not(.amount)", "all => Math.max(...all.map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert name > others


def test_without_javascript_everything_works(chromium: Browser, live: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 640})
    page = context.new_page()
    page.goto(f"{live}/t/{TOKEN}")
    expect(page.locator(".qr svg")).to_be_visible()
    expect(page.get_by_text("1012 3456 7890 1").first).to_be_visible()
    expect(page.get_by_role("button", name="Sao chép số tài khoản")).to_be_hidden()
    page.get_by_role("button", name="Kiểm tra lại").click()
    expect(page.get_by_role("heading", name="Chờ nộp")).to_be_visible()
    context.close()


def test_copying_copies_the_plain_value(phone: Page, live: str) -> None:
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    phone.goto(f"{live}/t/{TOKEN}")
    for button, value in (("số tài khoản", "1012345678901"), ("số tiền", "1250000"), ("nội dung", "FW2345678AB")):
        phone.get_by_role("button", name=f"Sao chép {button}").click()
        phone.wait_for_function("wanted => document.getElementById('live').textContent.endsWith(wanted)", arg=value)
        assert phone.evaluate("navigator.clipboard.readText()") == value


def test_where_nothing_reports_payments_nothing_is_asked(phone: Page, live: str, desk: SampleDesk) -> None:
    desk.family = {links.digest(TOKEN): FAMILY_PAGES["waiting_no_callback"]}
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{live}/t/{TOKEN}")
    phone.wait_for_timeout(3500)
    assert not [url for url in asked if url.endswith("/status")]


def read_code(picture: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(picture)).convert("L")))
    return str(found.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_photographed_code_and_the_flip_on_real_rows(chromium: Browser, world: World, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    page, request = context.new_page(), world.collecting.requests[0]
    with world.collecting.database.transaction(world.collecting.scope) as session:
        due = rest_of(request_balances(session, world.billing.id, [request.id])[request.id])
    with serving(world.app()) as url:
        page.goto(url + world.link())
        code = decode(read_code(page.screenshot(full_page=True)))
        assert (code.account, code.amount, code.memo) == (world.billing.account.number, due, request.reference)
        assert page.evaluate("window.stays = 1") == 1
        world.collecting.hear_of(world.collecting.pays(request.reference, due.dong))
        expect(page.get_by_role("heading", name="Đã có biên lai")).to_be_visible(timeout=6000)
        expect(page.locator("#live")).to_have_text("Đã có biên lai")
        assert page.evaluate("window.stays") == 1, "the page was not loaded anew"
        expect(page.locator(".qr")).to_have_count(0)
    context.close()


def test_a_browser_sees_a_new_code_after_part_of_the_money(phone: Page, world: World) -> None:
    request = world.collecting.requests[1]
    with serving(world.app()) as url:
        phone.goto(url + world.link(1))
        before = decode(read_code(phone.screenshot(full_page=True)))
        world.collecting.hear_of(world.collecting.pays(request.reference, 1_000))
        expect(phone.get_by_role("heading", name="Đã nhận một phần")).to_be_visible(timeout=6000)
        after = decode(read_code(phone.screenshot(full_page=True)))
    assert before.amount
    assert after.amount
    assert before.amount.dong - after.amount.dong == 1_000
    assert after.memo == before.memo


def test_signing_in_by_keyboard(phone: Page, live: str) -> None:
    phone.goto(f"{live}/van-phong")
    phone.get_by_label("Tên đăng nhập").fill("accountant")
    phone.keyboard.press("Tab")
    phone.keyboard.type("mèo con ngủ trên mái nhà")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="Tổng quan")).to_be_visible()
    phone.get_by_role("button", name="Đăng xuất").click()
    expect(phone.get_by_role("heading", name="Đăng nhập")).to_be_visible()
