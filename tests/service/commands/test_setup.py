"""The door ``setup``: a file or answers become a province, once; faults are named and nothing is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import col, select

import service
from billing.fees.caps import school_year
from billing.people.tables import Authority, ClassGroup, School
from billing.vault import Vault
from service.__main__ import main
from service.access.passwords import check_password
from service.access.tables import RoleGrant, User
from service.commands import setup
from service.commands.setup_questions import ask_for_everything
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from service.setting_up import set_up
from service.settings import Settings
from service.setup_file import read_setup_file
from service.setup_plan import BadPlan
from service.wiring import Wiring
from tests.conftest import TEST_SECRET

EXAMPLE = Path(service.__file__).parent.parent / "docs" / "setup-example.json"
Door = Callable[..., tuple[int, str, str]]


@pytest.fixture
def door(  # noqa: PLR0913, PLR0917  fixtures
    database: Database,
    addresses: Addresses,
    vault: Vault,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Door:
    """Return the door, opened on the test's database; answers are what a person would type."""
    keys = {"secret": SecretStr(TEST_SECRET.hex()), "vault_key": SecretStr(TEST_SECRET.hex())}
    values: dict[str, Any] = {**keys, "base_url": "http://127.0.0.1:8000"}
    settings = Settings.model_construct(**values)
    wiring = Wiring(settings, addresses, "", database, vault, lambda: now)

    @contextmanager
    def opened(given: Settings, *, ring: bool = True) -> Iterator[Wiring]:
        assert given is settings
        assert not ring
        yield wiring

    monkeypatch.setattr(setup, "open_wiring", opened)
    monkeypatch.setattr(setup, "read_settings", lambda: settings)

    def run(*words: str, answers: tuple[str, ...] = ()) -> tuple[int, str, str]:
        left = iter(answers)

        def answer(question: str) -> str:
            assert question.endswith(": ")
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", answer)
        code = main(["setup", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """Write the example with a change; return its path."""
    content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    change(content)
    path = folder / "plan.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return str(path)


def password_in(text: str) -> str:
    found = re.findall(r"[2-9a-z]{4}(?:-[2-9a-z]{4}){4}", text)
    assert len(found) == 1
    return str(found[0])


def test_the_example_of_the_documentation_is_set_up(door: Door, database: Database) -> None:
    code, out, err = door("--file", str(EXAMPLE))

    assert (code, err) == (0, "")
    with database.transaction(EVERYTHING) as session:
        required = dict(session.exec(select(School.code, col(School.plans_required_from))).all())
        assert required == {"75990001": date(2026, 9, 1), "75990002": None}
        assert sorted(session.exec(select(ClassGroup.name)).all()) == ["Lớp 1A", "Lớp 2A", "Lớp Lá 1"]
        user, grant = session.exec(select(User)).one(), session.exec(select(RoleGrant)).one()
        province = session.exec(select(Authority).where(Authority.kind == "province")).one()
    assert (user.login, user.must_change_password) == ("quantri", True)
    assert check_password(user.password_hash, password_in(out)).ok
    assert (grant.user_id, grant.role, grant.authority_id) == (user.id, "admin", province.id)


def test_a_second_time_is_refused_unless_adding(door: Door, database: Database, tmp_path: Path) -> None:
    assert door("--file", str(EXAMPLE))[0] == 0

    code, out, err = door("--file", str(EXAMPLE))
    assert (code, out) == (1, "")
    assert "--add" in err

    code, out, _ = door("--file", str(EXAMPLE), "--add")
    assert code == 0
    assert "thêm mới 0" in out
    assert "giữ nguyên" in out

    def more(plan: dict[str, Any]) -> None:
        del plan["administrator"]
        plan["schools"].append({**plan["schools"][0], "code": "75990003"})

    assert door("--file", changed(tmp_path, more), "--add")[0] == 0
    with database.transaction(EVERYTHING) as session:
        assert len(session.exec(select(School)).all()) == 3
        assert len(session.exec(select(User)).all()) == 1


def test_somebody_faster_while_we_ask_is_noticed(
    door: Door, database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, administrator = read_setup_file(EXAMPLE.read_text(encoding="utf-8"))

    def asked(_: object) -> tuple[object, object]:
        with database.transaction(EVERYTHING) as session:
            set_up(session, replace(plan, schools=()), now)
        return plan, administrator

    monkeypatch.setattr(setup, "ask_for_everything", asked)
    assert door()[0] == 1
    with database.transaction(EVERYTHING) as session:
        assert session.exec(select(School)).all() == []


ANSWERS = (
    "75", "", "Tỉnh Đồng Nai", "75-DX", "huyện", "Xã", "Ủy ban nhân dân Phường Đồng Xoài", "",
    "75990001", "Trường Tiểu học Bông Trang", "Công lập", "đại học", "tiểu học, Trung học cơ sở", "phường",
    "binh_phuoc", "75-dx", "Số 2 đường Bông Trang", "0271 000 0001", "", "tháng chín", "",
    "1A", "2025-2026", "tiểu học", "7", "1", "6A", "", "trung học cơ sở", "6", "", "",
    "QuanTri", "Trần Thị Thu",
)  # fmt: skip


@pytest.mark.parametrize(("said", "means"), [("1/9/2027", "2027-09-01"), ("Chưa", ""), ("", "next_year")])
def test_a_public_school_is_asked_since_when_plans_bind(said: str, means: str) -> None:
    place = ANSWERS.index("tháng chín")
    answers = iter((*ANSWERS[:place], said, *ANSWERS[place + 2 :]))
    plan, _ = ask_for_everything(lambda _: next(answers))
    assert plan.schools[0].plans_required_from == means


@pytest.mark.parametrize(("given", "means"), [({}, "next_year"), ({"plans_required_from": None}, "")])
def test_a_file_that_does_not_say_since_when_plans_bind_means_next_year(given: dict[str, None], means: str) -> None:
    content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    del content["schools"][0]["plans_required_from"]
    content["schools"][0] |= given
    plan, _ = read_setup_file(json.dumps(content))
    assert [school.plans_required_from for school in plan.schools] == [means, ""]


def test_the_questions_lead_to_the_same_rows(door: Door, database: Database, now: datetime) -> None:
    code, out, err = door(answers=ANSWERS)

    assert (code, err) == (0, "")
    with database.transaction(EVERYTHING) as session:
        school = session.exec(select(School)).one()
        groups = session.exec(select(ClassGroup)).all()
        user = session.exec(select(User)).one()
    assert (school.kind, school.levels, school.budget_code) == ("public", ["primary", "lower_secondary"], None)
    next_year = date(school_year(now.date()).start.year + 1, 9, 1)
    assert school.plans_required_from == next_year
    assert {(each.code, each.level, each.grade, each.school_year) for each in groups} == {
        ("1A", "primary", 1, "2025-2026"),
        ("6A", "lower_secondary", 6, "2025-2026"),
    }
    assert user.login == "quantri"
    assert check_password(user.password_hash, password_in(out)).ok


def test_questions_broken_off_make_nothing(door: Door, database: Database) -> None:
    code, _, err = door(answers=ANSWERS[:-1])

    assert code == 2
    assert len(err.splitlines()) == 1
    with database.transaction(EVERYTHING) as session:
        assert session.exec(select(Authority)).all() == []


def _wrong_level(plan: dict[str, Any]) -> None:
    plan["schools"][0]["classes"][1]["level"] = "university"


def _number_as_text(plan: dict[str, Any]) -> None:
    plan["schools"][1]["classes"][0]["grade"] = "0"


def _misspelt(plan: dict[str, Any]) -> None:
    plan["schools"][0]["adress"] = plan["schools"][0]["address"]


def _no_name(plan: dict[str, Any]) -> None:
    del plan["authorities"][1]["name"]


def _no_province(plan: dict[str, Any]) -> None:
    del plan["province"]


def _no_list(plan: dict[str, Any]) -> None:
    plan["schools"][0]["levels"] = "primary"


def _no_administrator(plan: dict[str, Any]) -> None:
    del plan["administrator"]


def _no_day(plan: dict[str, Any]) -> None:
    plan["schools"][0]["plans_required_from"] = "1/9/2026"


def _not_public(plan: dict[str, Any]) -> None:
    plan["schools"][1]["plans_required_from"] = "2026-09-01"


def _nameless(plan: dict[str, Any]) -> None:
    plan["administrator"]["login"] = " "


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (_wrong_level, "schools[0].classes[1].level"),
        (_number_as_text, "schools[1].classes[0].grade"),
        (_misspelt, "schools[0].adress"),
        (_no_name, "authorities[1].name"),
        (_no_province, "province"),
        (_no_list, "schools[0].levels"),
        (_no_administrator, "administrator"),
        (_nameless, "administrator.login"),
        (_no_day, "schools[0].plans_required_from"),
        (_not_public, "schools[1].plans_required_from"),
    ],
)
def test_a_fault_is_named_with_its_path_and_nothing_is_made(
    door: Door, database: Database, tmp_path: Path, change: Callable[[dict[str, Any]], None], path: str
) -> None:
    file = changed(tmp_path, change)

    code, out, err = door("--file", file)

    assert (code, out) == (2, "")
    told = [line for line in err.splitlines() if line.startswith(f"{file}: {path}: ")]
    assert len(told) == 1
    with database.transaction(EVERYTHING) as session:
        assert session.exec(select(Authority)).all() == []


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadPlan) as refused:
        read_setup_file('{"province": {"code": 75}, "schools": [3, {"name": "x"}], "more": 1}')

    paths = [problem.path for problem in refused.value.problems]
    assert {"more", "province.code", "province.name", "schools[0]", "schools[1].code", "schools[1].kind"} <= set(paths)
    assert not any(path.startswith("schools[0].") for path in paths)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"province": null}', b"\xff\xfe", b"[" * 100_000, b""])
def test_what_is_no_plan_is_unusable(door: Door, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    code, out, err = door("--file", str(path))

    assert (code, out) == (2, "")
    assert err
