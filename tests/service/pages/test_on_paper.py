"""What a browser prints: the office's lists on A4 as tables, a family's slip on A5."""

from __future__ import annotations

import pypdfium2  # type: ignore[import-untyped]  # ships no types
import pytest
from playwright.sync_api import Browser, Page

from service.access import links
from service.access.sessions import new_session
from tests.service.pages.sample_desk import SampleDesk
from tests.service.pages.samples import FAMILY_PAGES, NOW, ROUND_ID, TOKEN

pytestmark = pytest.mark.browser

A4, A5 = (595, 842), (420, 595)
NEAR = 2  # points


def printed(page: Page, address: str) -> pypdfium2.PdfDocument:
    """Print a page as a person does who changes no setting."""
    page.goto(address)
    return pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))


def lines_of(document: pypdfium2.PdfDocument) -> list[str]:
    return [line for sheet in document for line in sheet.get_textpage().get_text_range().splitlines()]


def test_the_list_of_notices_is_a_table_on_a4(chromium: Browser, live: str, desk: SampleDesk) -> None:
    fresh = new_session()
    desk.start_session(desk.accounts["accountant"], fresh.digest, NOW)
    page = chromium.new_context().new_page()
    page.context.add_cookies([{"name": "hocphi", "value": fresh.token, "url": live}])
    document = printed(page, f"{live}/van-phong/dot-thu/{ROUND_ID}/danh-sach-bao")
    assert document[0].get_size() == pytest.approx(A4, abs=NEAR)
    pupil, amount = (page.locator(f"main tbody tr:first-child {cell}").first.inner_text() for cell in ("th", ".money"))
    assert [line for line in lines_of(document) if pupil in line and amount in line], "one line for each pupil"
    page.context.close()


def test_a_familys_slip_stays_a5(chromium: Browser, live: str, desk: SampleDesk) -> None:
    desk.family = {links.digest(TOKEN): FAMILY_PAGES["waiting"]}
    page = chromium.new_context().new_page()
    document = printed(page, f"{live}/t/{TOKEN}")
    assert document[0].get_size() == pytest.approx(A5, abs=NEAR)
    page.context.close()
