"""A province is set up once; a second time changes nothing, and what is wrong is named before anything is made."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.errors import Conflict, Refused
from billing.fees.places import Located
from billing.fees.placing import read_places
from billing.ledger.tables import LedgerAccount
from billing.people.tables import Authority, ClassGroup, School
from service.access.errors import WeakPassword
from service.access.passwords import check_password
from service.access.tables import RoleGrant, User
from service.database import EVERYTHING, Database, Scope
from service.pages import login as login_page
from service.setting_up import (
    PlannedAuthority,
    PlannedClass,
    PlannedSchool,
    SetupPlan,
    add_user,
    find_user,
    fold_login,
    one_time_password,
    province_exists,
    set_up,
)
from service.setup_plan import BadPlan, check_plan

CLASS = PlannedClass("2025-2026", "primary", 1, "1A", "Lớp 1A")
SCHOOL = PlannedSchool(
    code="75990001",
    name="Trường Tiểu học Bông Trang",
    kind="public",
    levels=("primary",),
    zone="ward",
    legacy_area="binh_phuoc",
    authority="75-DX",
    address="Số 2 đường Bông Trang",
    phone="0271 000 0001",
    budget_code="1099001",
    classes=(CLASS, replace(CLASS, code="1B", name="Lớp 1B")),
)
COMMUNE = PlannedAuthority("commune", "75-DX", "Ủy ban nhân dân Phường Đồng Xoài")
PLAN = SetupPlan(("75", "Tỉnh Đồng Nai"), (COMMUNE,), (SCHOOL,))
PASSWORD = "mot-cau-dai-de-nho"  # noqa: S105  invented


def sizes(session: Session) -> list[int]:
    tables: list[type[Any]] = [Authority, School, ClassGroup, LedgerAccount, User, RoleGrant]
    return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def test_a_plan_becomes_authorities_schools_classes_and_accounts(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        assert not province_exists(session)
        done = set_up(session, PLAN, now)
        assert province_exists(session)

    assert (set(done.authorities), set(done.schools), done.made) == ({"75", "75-DX"}, {"75990001"}, 5)
    with database.transaction(Scope.of(done.schools["75990001"])) as session:
        school = session.exec(select(School)).one()
        assert (school.province_id, school.authority_id) == (done.province_id, done.authorities["75-DX"])
        assert (school.name, school.levels) == (SCHOOL.name, ["primary"])
        assert read_places(session, school.id) == (Located("ward", "binh_phuoc"),)
        assert sorted(session.exec(select(ClassGroup.code)).all()) == ["1A", "1B"]
        assert set(session.exec(select(LedgerAccount.code)).all()) == {"111", "131", "131N", "3383", "3388S"}


def test_a_second_time_changes_nothing_and_more_is_added(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        first = set_up(session, PLAN, now)
        before = sizes(session)
        renamed = replace(PLAN, schools=(replace(SCHOOL, name="Tên khác"),))
        again = set_up(session, renamed, now)
        assert (again.schools, again.authorities, again.made) == (first.schools, first.authorities, 0)
        assert sizes(session) == before
        assert session.exec(select(School.name)).one() == SCHOOL.name

        more = replace(SCHOOL, code="75990002", authority="75", classes=())
        assert set_up(session, replace(PLAN, schools=(SCHOOL, more)), now).made == 1


def test_a_code_that_names_something_else_is_a_conflict(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        set_up(session, PLAN, now)
        with pytest.raises(Conflict, match="75-DX"):
            set_up(session, replace(PLAN, authorities=(replace(COMMUNE, kind="department"),)), now)
        other = PlannedAuthority("commune", "99-X", "Xã Khác")
        with pytest.raises(Conflict, match="75990001"):
            set_up(session, SetupPlan(("99", "Khác"), (other,), (replace(SCHOOL, authority="99-X"),)), now)


@pytest.mark.parametrize(
    ("plan", "path"),
    [
        (replace(PLAN, province=("", "Tỉnh")), "province.code"),
        (replace(PLAN, province=("7" * 21, "Tỉnh")), "province.code"),
        (replace(PLAN, authorities=(replace(COMMUNE, kind="district"),)), "authorities[0].kind"),
        (replace(PLAN, authorities=(COMMUNE, COMMUNE)), "authorities[1].code"),
        (replace(PLAN, authorities=(COMMUNE, replace(COMMUNE, code="75"))), "authorities[1].code"),
        (replace(PLAN, schools=(replace(SCHOOL, authority="?"),)), "schools[0].authority"),
        (replace(PLAN, schools=(SCHOOL, SCHOOL)), "schools[1].code"),
        (replace(PLAN, schools=(replace(SCHOOL, kind="church"),)), "schools[0].kind"),
        (replace(PLAN, schools=(replace(SCHOOL, zone="moon"),)), "schools[0].zone"),
        (replace(PLAN, schools=(replace(SCHOOL, levels=(), classes=()),)), "schools[0].levels"),
        (replace(PLAN, schools=(replace(SCHOOL, levels=("primary", "x")),)), "schools[0].levels[1]"),
        (replace(PLAN, schools=(replace(SCHOOL, phone=" "),)), "schools[0].phone"),
        (replace(PLAN, schools=(replace(SCHOOL, classes=(replace(CLASS, grade=6),)),)), "schools[0].classes[0].grade"),
        (
            replace(PLAN, schools=(replace(SCHOOL, classes=(CLASS, replace(CLASS, code="1a"))),)),
            "schools[0].classes[1].code",
        ),
        (
            replace(PLAN, schools=(replace(SCHOOL, classes=(replace(CLASS, school_year="2025-2027"),)),)),
            "schools[0].classes[0].school_year",
        ),
        (
            replace(PLAN, schools=(replace(SCHOOL, classes=(replace(CLASS, level="preschool", grade=0),)),)),
            "schools[0].classes[0].level",
        ),
    ],
)
def test_each_fault_of_a_plan_is_named_with_its_path(plan: SetupPlan, path: str) -> None:
    with pytest.raises(BadPlan) as refused:
        check_plan(plan)

    assert [problem.path for problem in refused.value.problems] == [path]
    assert refused.value.problems[0].reason
    assert refused.value.problems[0].remedy


def test_a_bad_plan_makes_nothing(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(BadPlan):
            set_up(session, replace(PLAN, schools=(SCHOOL, replace(SCHOOL, code="75990002", zone="moon"))), now)
        assert sizes(session) == [0] * 6


def test_a_user_has_dated_roles_at_schools_and_authorities(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        done = set_up(session, PLAN, now)
        grants = [("admin", done.province_id), ("accountant", done.schools["75990001"])]
        user = add_user(session, " Quản.Trị ", " Trần Thị Thu ", PASSWORD, grants, now, must_change=True)
        found = session.exec(select(RoleGrant).where(RoleGrant.user_id == user.id)).all()

        assert (user.login, user.full_name, user.must_change_password) == ("quản.trị", "Trần Thị Thu", True)
        assert check_password(user.password_hash, PASSWORD).ok
        assert {(each.role, each.authority_id, each.school_id) for each in found} == {
            ("admin", done.province_id, None),
            ("accountant", None, done.schools["75990001"]),
        }
        assert {each.valid_from for each in found} == {date(2025, 10, 6)}


def test_roles_begin_on_the_school_day_and_not_on_that_of_greenwich(database: Database) -> None:
    late = datetime.fromisoformat("2025-10-06T20:00:00+00:00")
    with database.transaction(EVERYTHING) as session:
        done = set_up(session, PLAN, late)
        add_user(session, "quantri", "Trần Thị Thu", PASSWORD, [("admin", done.province_id)], late)
        assert session.exec(select(col(RoleGrant.valid_from))).one() == date(2025, 10, 7)


def test_a_taken_login_a_weak_password_and_an_empty_name_are_refused(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        add_user(session, "quantri", "Trần Thị Thu", PASSWORD, [], now)
        with pytest.raises(Conflict):
            add_user(session, "QuanTri", "Người khác", PASSWORD, [], now)
        with pytest.raises(WeakPassword):
            add_user(session, "khac", "Người khác", "ngan", [], now)
        with pytest.raises(Refused):
            add_user(session, "khac", " ", PASSWORD, [], now)
        assert find_user(session, "khac") is None


def test_logins_are_folded_as_the_log_in_page_does() -> None:
    for text in ("  A.B@Truong.VN ", "Đỗ Thị", "Đỗ"):
        assert fold_login(text) == login_page.fold_login(text)


def test_a_one_time_password_is_readable_and_never_the_same() -> None:
    made = {one_time_password() for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch(r"([2-9a-hjkmnp-z]{4}-){4}[2-9a-hjkmnp-z]{4}", each) for each in made)
    assert len({letter for each in made for letter in each} - {"-"}) == 31  # 20 of 31 letters: 99 bits
