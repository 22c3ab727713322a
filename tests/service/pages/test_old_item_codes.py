"""Items whose codes are from before they were plain: every address that holds a code leads to them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from starlette.testclient import TestClient

from billing.vault import Vault
from service.api.document import api_served
from service.database import Database, libpq_url
from service.preparing import Addresses
from service.web import served
from tests.conftest import TestServers
from tests.service.api.programs import Program, program
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_fee_pages import classes, furnished, token_of

ODD = ("BAN/TRU", "XE ĐƯA/ĐÓN 2%", "A?B#C", "X/GIA/DUNG")
WITH_CODE = sorted(route for route in (*served(), *api_served()) if "{code}" in route[1])
PRICE = {"so_tien": "290000", "tu": "2026-03-01"}
FORMS = {
    "gia": PRICE,
    "bo-gia": {"gia": "", "ly_do": "Nhập nhầm"},
    "sua": {"ten": "Khoản cũ", "can_cu": "Thỏa thuận", "ke_toan": "3388", "tai_khoan": ""},
    "dung": {"den": "2026-05-31"},
    "{class_id}": {"viec": "dang-ky", "tu": "2025-11-01", "can_cu": "Phiếu", "em": ""},
}
BODIES: dict[str, dict[str, Any]] = {
    "end": {"last_day": "2026-05-31", "reason": "Thôi thu"},
    "prices": {"amount": 290_000, "valid_from": "2026-04-01"},
    "withdraw": {"reason": "Nhập nhầm"},
    "{code}": {"legal_name": "Khoản cũ"},
}


@pytest.fixture
def school(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def renamed(addresses: Addresses, code: str) -> None:
    """Give an item of the school a code as it could be taken formerly."""
    with psycopg.connect(libpq_url(addresses.owner)) as owner:
        owner.execute("SELECT set_config('app.schools', '*', false)")
        whose = "(SELECT tableowner FROM pg_tables WHERE tablename = 'fee_items')"
        owner.execute(f"SELECT set_config('role', {whose}, true)".encode())
        owner.execute("UPDATE fee_items SET code = %s WHERE code = 'BANTRU'", [code])


def page_answer(client: TestClient, method: str, path: str, known: dict[str, str]) -> int:
    if method == "GET":
        return client.get(path).status_code
    last = path.rsplit("/", 1)[-1]
    fields = FORMS[last if last in FORMS else "{class_id}"]
    filled = {name: value or known[name] for name, value in fields.items()}
    return client.post(path, data={"csrf": token_of(client), **filled}).status_code


def api_answer(accountant: Program, method: str, template: str, path: str) -> int:
    body = None if method == "GET" else BODIES[template.rsplit("/", 1)[-1]]
    below = path.removeprefix(f"/api/v1/schools/{accountant.school}")
    return accountant.ask(method, below, body)[0]


@pytest.mark.parametrize("code", ODD)
def test_every_address_that_holds_a_code_leads_to_the_item(school: Fresh, addresses: Addresses, code: str) -> None:
    """Each route, written as a browser writes it and with every sign hidden; what ends the item comes last."""
    client, accountant = furnished(school), program(school, "accountant")
    renamed(addresses, code)
    group = school.read(classes)["1A"]
    [child, *_] = [each for each in accountant.get("/pupils?limit=200")["data"] if each["class_code"] == "1A"]
    assert len(WITH_CODE) == 12
    for method, template in sorted(WITH_CODE, key=lambda route: route[1].endswith(("/dung", "/end"))):
        for safe in ("/", ""):
            price = _price_to_come(accountant, code) if template.endswith(("bo-gia", "withdraw")) else 0
            values = {"code": quote(code, safe=safe), "class_id": group, "school": accountant.school, "price_id": price}
            path = template.format(**values)
            if template.startswith("/api/"):
                status = api_answer(accountant, method, template, path)
            else:
                known = {"gia": str(price), "tai_khoan": str(school.account.id), "em": child["enrolment_id"]}
                status = page_answer(client, method, path, known)
            assert status in {200, 201, 303}, (method, path, status)
            _no_price_to_come(accountant, code)


def _price_to_come(accountant: Program, code: str) -> int:
    """Give the item a price that can be taken back."""
    where = f"/items/{quote(code, safe='')}/prices"
    made = accountant.do(where, {"amount": 280_000, "valid_from": "2026-03-01"}, 201)
    [price] = [each["id"] for each in made["prices"] if each["valid_from"] == "2026-03-01"]
    return int(price)


def _no_price_to_come(accountant: Program, code: str) -> None:
    """Take back what is to come, so that the same price can be given again."""
    [item] = [each for each in accountant.get("/items?limit=200")["data"] if each["code"] == code]
    for price in item["prices"]:
        if price["valid_from"] >= "2026-03-01":
            where = f"/items/{quote(code, safe='')}/prices/{price['id']}/withdraw"
            assert accountant.ask("POST", where, {"reason": "Nhập lại"})[0] == 200


@pytest.mark.parametrize("code", ODD)
def test_the_pages_own_links_and_forms_lead_there(school: Fresh, addresses: Addresses, code: str) -> None:
    client, accountant = furnished(school), program(school, "accountant")
    renamed(addresses, code)
    [name] = [each["legal_name"] for each in accountant.get("/items?limit=200")["data"] if each["code"] == code]
    found = 0
    for listing in ("/van-phong/khoan-thu", "/van-phong/dang-ky"):
        for link in re.findall(r'href="(/van-phong/(?:khoan-thu|dang-ky)/[^"]+)"', client.get(listing).text):
            answer = client.get(unescape(link))
            assert answer.status_code == 200, link
            found += name in unescape(answer.text)
            for form in re.findall(rf'action="({re.escape(link.partition("?")[0])}/[^"]+)"', answer.text):
                assert client.post(unescape(form), data={"csrf": token_of(client)}).status_code == 422, form
    assert found >= 3, "the item, and its registrations in two classes"
