"""A school that has nothing yet is told what comes first, and nobody is sent where they are refused."""

from __future__ import annotations

import dataclasses
import html

import pytest

from billing.people.tables import School
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import make_school
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.worlds import make_staff
from tests.standing import standing


@pytest.fixture
@standing
def bare(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    """A school with staff and nothing else: no class, no bank account."""
    fresh = fresh_school(database, addresses, vault, servers)
    with database.transaction(EVERYTHING) as session:
        school: School = make_school(session)
        people = [make_staff(session, role, school.id, None) for role in ("accountant", "approver")]
    return dataclasses.replace(fresh, school=school, accountant=people[0], approver=people[1])


def reads(fresh: Fresh, path: str, *, approver: bool = False) -> str:
    answer = fresh.client(fresh.approver if approver else fresh.accountant).get(path)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_without_a_class_the_sheets_lead_to_making_one(bare: Fresh) -> None:
    text = reads(bare, "/van-phong/tai-len")
    assert "Trường chưa có lớp nào" in text
    assert f"/van-phong/nam-hoc-moi/lop?truong={bare.school.code}&nam=2025-2026" in text
    assert 'action="/van-phong/tai-len/danh-sach' not in text, "a roster needs a class"
    assert 'action="/van-phong/tai-len/khoan-thu' in text
    assert "Tạo lớp" in reads(bare, "/van-phong/nam-hoc-moi/lop?nam=2025-2026")


@pytest.mark.parametrize("page", ["danh-muc/public-primary", "them"])
def test_without_an_account_items_lead_to_asking_for_one(bare: Fresh, page: str) -> None:
    text = reads(bare, f"/van-phong/khoan-thu/{page}")
    assert "Hãy đề nghị ở trang Tài khoản" in text
    assert f'class="button primary" href="/van-phong/tai-khoan?truong={bare.school.code}"' in text


def test_who_hands_in_no_sheets_is_not_sent_there(bare: Fresh) -> None:
    link = f'href="/van-phong/tai-len?truong={bare.school.code}"'
    assert link in reads(bare, "/van-phong/lien-he")
    assert link not in reads(bare, "/van-phong/lien-he", approver=True)


def test_who_is_signed_in_and_refused_is_not_sent_to_sign_in(bare: Fresh) -> None:
    answer = bare.client(bare.approver).get("/van-phong/tai-len")
    assert answer.status_code == 403
    assert 'href="/toi"' in answer.text
    assert 'href="/dang-nhap"' not in answer.text
