"""A person's own page: tokens for programs are made with the password, shown once, and gone at once when revoked."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from sqlmodel import col, select, update
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.vault import Vault
from service.access.tables import RoleGrant, User
from service.access.token_tables import ApiToken
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_fee_pages import post
from tests.service.pages.worlds import PASSWORD, make_staff
from tests.standing import standing

WANTED = {"ten": "Phần mềm kế toán", "so_ngay": "30", "mat_khau": PASSWORD}


@pytest.fixture
@standing
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def made(client: TestClient, **fields: str) -> str:
    """Make a token on the page; return it."""
    status, page = post(client, "/toi/khoa", **{**WANTED, **fields})
    assert status == 200, page
    found = re.search(r"hp1_[A-Za-z0-9_-]{43}", page)
    assert found
    return found[0]


def status_of(fresh: Fresh, token: str) -> int:
    client = TestClient(fresh.app())
    return client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"}).status_code


def test_a_token_is_shown_once_and_its_digest_is_kept(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    token = made(client)
    assert status_of(fresh, token) == 200
    page = client.get("/toi").text
    assert token not in page
    assert "Phần mềm kế toán" in page
    row = fresh.read(lambda session: session.exec(select(ApiToken)).one())
    assert len(row.token_hash) == 32
    dump = fresh.read(lambda session: session.execute(text("SELECT CAST(t AS text) FROM api_tokens t")).scalar_one())
    assert token.removeprefix("hp1_") not in dump
    deeds = fresh.read(lambda session: session.exec(select(AuditEntry.action)).all())
    assert "token.make" in deeds


def test_without_the_password_or_an_end_there_is_none(fresh: Fresh) -> None:
    client = fresh.client(fresh.accountant)
    assert post(client, "/toi/khoa", **{**WANTED, "mat_khau": "sai"})[0] == 401
    assert post(client, "/toi/khoa", **{**WANTED, "ten": "  "})[0] == 422
    for days in ("0", "367", "x"):
        assert post(client, "/toi/khoa", **{**WANTED, "so_ngay": days})[0] == 422
    assert fresh.read(lambda session: session.exec(select(ApiToken)).all()) == []


def test_a_revoked_token_opens_nothing_and_nobody_revokes_anothers(fresh: Fresh) -> None:
    client, approver = fresh.client(fresh.accountant), fresh.client(fresh.approver)
    token = made(client)
    row = fresh.read(lambda session: session.exec(select(ApiToken)).one())
    assert post(approver, f"/toi/khoa/{row.id}/thu-hoi")[0] == 404
    assert status_of(fresh, token) == 200
    for _ in range(2):
        assert post(client, f"/toi/khoa/{row.id}/thu-hoi")[0] == 200
    assert status_of(fresh, token) == 401
    assert "đã thu hồi" in client.get("/toi").text
    deeds = list(fresh.read(lambda session: session.exec(select(AuditEntry.action)).all()))
    assert deeds.count("token.revoke") == 1


def test_a_token_ends_with_the_account_the_role_or_a_forced_password(fresh: Fresh) -> None:
    token, now = made(fresh.client(fresh.accountant)), fresh.wiring.clock()
    for column, value, wanted in (
        ("disabled_at", now, 401), ("disabled_at", None, 200),
        ("must_change_password", True, 403), ("must_change_password", False, 200),
    ):  # fmt: skip
        _set(fresh, column, value)
        assert status_of(fresh, token) == wanted
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        ended = update(RoleGrant).where(col(RoleGrant.user_id) == fresh.accountant.id)
        session.execute(ended.values(valid_to=RoleGrant.valid_from))
    assert status_of(fresh, token) == 401


def _set(fresh: Fresh, column: str, value: object) -> None:
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        session.execute(update(User).where(col(User.id) == fresh.accountant.id).values({column: value}))


def test_who_does_nothing_at_a_school_gets_no_form(fresh: Fresh) -> None:
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        user = make_staff(session, "class_teacher", fresh.school.id, None)
    client = fresh.client(user)
    page = client.get("/toi")
    assert page.status_code == 200
    assert "/toi/khoa" not in page.text
    assert post(client, "/toi/khoa", **WANTED)[0] == 403
