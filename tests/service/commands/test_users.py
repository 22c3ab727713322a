"""The door ``users``: the operator makes the first people of a school, ends roles and gives passwords anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import col, select

from billing.audit.tables import AuditEntry
from billing.vault import Vault
from service.__main__ import main
from service.access.passwords import check_password
from service.access.sessions import new_session
from service.access.staff import grants_of, start_session
from service.access.tables import AccessEvent, RoleGrant, StaffSession, User
from service.commands import acting
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from service.settings import Settings
from service.wiring import Wiring
from tests.factories.schools import make_authority, make_school

Door = Callable[..., tuple[int, str, str]]


@pytest.fixture
def school(database: Database) -> dict[str, str]:
    """Codes of a school and its province."""
    with database.transaction(EVERYTHING) as session:
        province = make_authority(session)
        made = make_school(session, province=province)
        return {"school": made.code, "province": province.code}


@pytest.fixture
def door(  # noqa: PLR0913, PLR0917  fixtures
    database: Database,
    addresses: Addresses,
    vault: Vault,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Door:
    """Return the door, opened on the test's database."""
    values: dict[str, Any] = {"base_url": "http://127.0.0.1:8000"}
    wiring = Wiring(Settings.model_construct(**values), addresses, "", database, vault, lambda: now)

    @contextmanager
    def opened(given: Settings, *, ring: bool = True) -> Iterator[Wiring]:
        assert not ring
        assert given is wiring.settings
        yield wiring

    monkeypatch.setattr(acting, "open_wiring", opened)
    monkeypatch.setattr(acting, "read_settings", lambda: wiring.settings)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["users", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def password_in(out: str) -> str:
    found = re.search(r"Mật khẩu dùng một lần: (\S+)", out)
    assert found, out
    return found[1]


def user_of(database: Database, login: str) -> User:
    with database.transaction(EVERYTHING) as session:
        return session.exec(select(User).where(User.login == login)).one()


def test_after_setup_the_operator_makes_the_first_two_people(
    door: Door, school: dict[str, str], database: Database, now: datetime
) -> None:
    head = ("add", "--login", "Head.A", "--name", "Vũ Thị Bình", "--role", "approver", "--school", school["school"])
    code, out, err = door(*head)
    assert (code, err) == (0, "")
    assert "Đã cấp vai trò người duyệt cho" in out
    user = user_of(database, "head.a")
    assert check_password(user.password_hash, password_in(out)).ok
    assert user.must_change_password
    code, out, _ = door("add", "--login", "head.a", "--role", "admin", "--authority", school["province"])
    assert code == 0
    assert "Mật khẩu" not in out, "the account is there already"
    with database.transaction(EVERYTHING) as session:
        deeds = session.exec(select(AuditEntry.action)).all()
        noted = session.exec(select(AccessEvent.action).order_by(col(AccessEvent.id))).all()
        held = {(grant.role.value, grant.place.code) for grant in grants_of(session, user.id, now)}
    assert held == {("approver", school["school"]), ("admin", school["province"])}
    assert list(deeds) == ["staff.role"]
    assert list(noted) == ["staff_role", "staff_role"]


def test_a_teachers_first_role_with_money_brings_a_new_password(
    door: Door, school: dict[str, str], database: Database
) -> None:
    """One person made the teacher and may know the password; a second role later leaves it, for it is her own."""
    at = ("--login", "a.b", "--school", school["school"])
    known = password_in(door("add", *at, "--name", "An Bình", "--role", "class_teacher")[1])
    new = password_in(door("add", *at, "--role", "cashier")[1])
    user = user_of(database, "a.b")
    assert not check_password(user.password_hash, known).ok
    assert check_password(user.password_hash, new).ok
    assert user.must_change_password
    assert "Mật khẩu" not in door("add", *at, "--role", "auditor")[1]
    assert user_of(database, "a.b").password_hash == user.password_hash


def test_what_is_there_already_or_makes_no_sense_is_refused(door: Door, school: dict[str, str]) -> None:
    at = ("--school", school["school"])
    assert door("add", "--login", "a.b", "--role", "cashier", *at)[0] == 2, "a new login without a name"
    known = ("add", "--login", "a.b", "--name", "An Bình", "--role", "cashier", *at)
    assert door(*known)[0] == 0
    assert door(*known)[0] == 1
    for words in (
        ("add", "--login", "a.b", "--role", "province", *at),
        ("add", "--login", "a.b", "--role", "auditor", *at, "--from", "2025-10-02", "--to", "2025-10-01"),
        ("add", "--login", "a.b", "--role", "auditor", *at, "--from", "hôm nay"),
        ("add", "--login", "a.b", "--role", "king", *at),
        ("add", "--login", "a.b", "--role", "auditor", "--school", "nope"),
        ("add", "--login", "a.b", "--role", "auditor", "--authority", "nope"),
        ("add", "--login", "a.b", "--role", "auditor"),
        ("reset", "--login", "nobody"),
        ("end", "--login", "a.b", "--role", "auditor", *at, "--on", "2026-01-01"),
        ("list", "--school", "nope"),
        (),
    ):
        code, out, err = door(*words)
        assert code == 2, words
        assert not out
        assert len(err.splitlines()) == 1


def test_the_list_tells_who_may_what_from_when(door: Door, school: dict[str, str]) -> None:
    door(
        "add", "--login", "a.b", "--name", "An Bình", "--role", "cashier", "--school", school["school"],
        "--from", "2025-08-01", "--to", "2026-05-31",
    )  # fmt: skip
    door("add", "--login", "s.o", "--name", "Sở Ơn", "--role", "province", "--authority", school["province"])
    code, out, _ = door("list")
    assert code == 0
    cashier, province = map(json.loads, out.splitlines())
    assert cashier == {
        "login": "a.b",
        "name": "An Bình",
        "roles": [{
            "role": "cashier", "school": school["school"], "authority": None, "from": "2025-08-01", "to": "2026-05-31",
        }],
        "must_change_password": True,
    }  # fmt: skip
    assert province["roles"][0]["authority"] == school["province"]
    assert [json.loads(line)["login"] for line in door("list", "--school", school["school"])[1].splitlines()] == ["a.b"]


def test_a_role_ends_and_the_row_stays(door: Door, school: dict[str, str], database: Database) -> None:
    at = ("--login", "a.b", "--role", "cashier", "--school", school["school"])
    door("add", *at, "--name", "An Bình")
    assert door("end", *at, "--on", "2026-05-31")[0] == 0
    assert door("end", *at, "--on", "2026-05-31")[0] == 2, "it ends then already"
    assert door("end", *at, "--on", "2025-12-31")[0] == 0
    with database.transaction(EVERYTHING) as session:
        [grant] = session.exec(select(RoleGrant)).all()
    assert str(grant.valid_to) == "2025-12-31"
    assert grant.granted_by is None


def test_reset_gives_a_new_password_and_signs_out(
    door: Door, school: dict[str, str], database: Database, now: datetime
) -> None:
    old = password_in(
        door("add", "--login", "a.b", "--name", "An B", "--role", "cashier", "--school", school["school"])[1]
    )
    user = user_of(database, "a.b")
    for _ in range(2):
        with database.transaction(EVERYTHING) as session:
            start_session(session, user.id, new_session().digest, now)
    code, out, _ = door("sign-out", "--login", "a.b")
    assert (code, out) == (0, "Đã kết thúc 2 phiên, thu hồi 0 khóa API.\n")
    with database.transaction(EVERYTHING) as session:
        start_session(session, user.id, new_session().digest, now)
    code, out, _ = door("reset", "--login", "A.B")
    assert code == 0
    stored = user_of(database, "a.b").password_hash
    assert check_password(stored, password_in(out)).ok
    assert not check_password(stored, old).ok
    with database.transaction(EVERYTHING) as session:
        assert all(row.ended_at for row in session.exec(select(StaffSession)).all())
