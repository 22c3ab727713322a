"""A preschool goes into its new year: mầm, chồi, lá, and out; classes that merge, and one of which nobody can tell."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, School
from tests.factories.schools import make_class, make_pupil, make_school
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

ROOT = "/van-phong/nam-hoc-moi"
YEAR = "2026-2027"
OLD = (("Nhà trẻ 1", -3, 2), ("Mầm 1", -2, 3), ("Mầm 2", -2, 2), ("Chồi 1", -1, 2), ("Lá 1", 0, 3))


@dataclass
class Small:
    """The preschool and its accountant in June."""

    world: World
    school: School
    office: TestClient

    def ways(self) -> dict[str, tuple[str, str, dict[str, str]]]:
        """Return, by old class on the page: its id, the way that is chosen beforehand, and all ways by their words."""
        page = self.office.get(f"{ROOT}/len-lop?nam={YEAR}").text
        rows = re.findall(r'<label for="moi-\d+">([^<]+)</label>.*?name="cu" value="([^"]+)">(.*?)</select>', page)
        found = {}
        for code, class_id, options in rows:
            ways = re.findall(r'<option value="([^"]*)"( selected)?>([^<]+)<', options)
            chosen = next((words for _, marked, words in ways if marked), "để sau")
            found[code] = class_id, chosen, {words: key for key, _, words in ways}
        return found

    def go(self, **ways: str) -> str:
        """Choose ways by old class (a blank in its code is a low line here)."""
        stands = self.ways()
        wanted = {code.replace("_", " "): words for code, words in ways.items()}
        fields = {
            "cu": [stands[code][0] for code in wanted],
            "moi": [stands[code][2][words] for code, words in wanted.items()],
            "nam": YEAR,
            **form(self.office, f"{ROOT}/len-lop?nam={YEAR}"),
        }
        answer = self.office.post(f"{ROOT}/len-lop", data=fields)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"]).rpartition("=")[2]


@pytest.fixture
def small(world: World) -> Small:
    """Five groups of last year; nothing of the new year."""
    made: list[School] = []

    def build(session: Session) -> None:
        school = make_school(session, levels=("preschool",), name="Trường Mầm non Sao Khuê")
        for code, grade, size in OLD:
            group = make_class(session, school, code, grade=grade)
            for number in range(size):
                make_pupil(session, group, f"Bé {code} {number + 1}", province_id=school.province_id)
        made.append(school)

    world.change(build)
    world.clock.now = datetime(2026, 6, 10, 2, tzinfo=UTC)
    return Small(world, made[0], world.signed_in(world.staff("accountant", school_id=made[0].id)))


def test_mam_goes_to_choi_choi_to_la_and_la_to_school(small: Small) -> None:
    """Both mầm meet in the one chồi; chồi has two lá to choose from, so the accountant says which."""
    office = small.office
    before = office.get(f"{ROOT}/len-lop?nam={YEAR}").text
    assert "tạo lớp" in before, "no class is made yet, and the page leads there"
    page = office.get(f"{ROOT}/lop?nam={YEAR}").text
    assert '<option value="-3">nhà trẻ</option>' in page, "a phone's keypad of numbers has no minus"
    keys = re.findall(r'name="tao" value="([^"]+)"', page)
    assert [key.split("|")[2] for key in keys] == ["Nhà trẻ 1", "Mầm 1", "Mầm 2", "Chồi 1", "Lá 1"]
    wanted = [key for key in keys if not key.endswith("Mầm 2")]
    fields = {"tao": wanted, "ma": "Lá 2", "khoi": "0", "cap": "preschool", "nam": YEAR}
    made = office.post(f"{ROOT}/lop", data={**fields, **form(office, f"{ROOT}/lop")})
    assert made.headers["location"].endswith("xong=5")

    stands = small.ways()
    assert {code: chosen for code, (_, chosen, _) in stands.items()} == {
        "Nhà trẻ 1": "lên Mầm 1",
        "Mầm 1": "lên Chồi 1",
        "Mầm 2": "lên Chồi 1",
        "Chồi 1": "để sau",
        "Lá 1": "ra trường",
    }
    assert [*stands["Chồi 1"][2]] == ["để sau", "lên Lá 1", "lên Lá 2", "ra trường"]
    usual = send(office, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuong-le", nam=YEAR)
    assert usual == f"{ROOT}/len-lop"
    assert [*small.ways()] == ["Chồi 1"], "only this one is left to the school"
    assert small.go(Chồi_1="lên Lá 2") == "2"
    for language, told in (("en", "Stored for 2 pupils."), ("vi", "Đã ghi cho 2 em.")):
        answer = office.get(f"{ROOT}/len-lop", params={"nam": YEAR, "xong": "2", "lang": language})
        assert (answer.status_code, answer.text.count('role="status"'), told in answer.text) == (200, 1, True)
    assert "Chọn theo lớp" not in office.get(f"{ROOT}/len-lop?nam={YEAR}").text

    one = _of_class(small, "Chồi 1")[0]
    page = office.get(f"{ROOT}/len-lop?nam={YEAR}").text
    back = re.search(r'<option value="([0-9a-f-]+)">Mầm 1<', page)
    same = re.search(r'<option value="([0-9a-f-]+)">Chồi 1<', page)
    assert back
    assert same
    fields = {"em": one, "ket_qua": "promoted", "lop_moi": back[1], "nam": YEAR}
    down = office.post(f"{ROOT}/len-lop", data={**fields, **form(office, f"{ROOT}/len-lop")})
    assert down.status_code == 422
    assert "lên lớp từ khối chồi thì vào khối lá, lớp Mầm 1 không phải" in down.text
    again = {"em": one, "ket_qua": "repeating", "lop_moi": same[1]}
    send(office, f"{ROOT}/len-lop", f"{ROOT}/len-lop", nam=YEAR, **again)

    send(office, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuc-hien", nam=YEAR, ngay="2026-09-01")
    assert _new_places(small) == {"Mầm 1": 2, "Chồi 1": 6, "Lá 2": 1}
    assert _states(small) == {"completed": 9, "graduated": 3, "studying": 9}


def test_a_form_that_names_nothing_or_another_schools_class_is_told(small: Small) -> None:
    office, other = small.office, small.world.billing.pupils[0].class_group.id
    for fields, said in (
        ({"cu": [str(other)], "moi": ["ra-truong"]}, "không còn trong danh sách"),
        ({"cu": [small.ways()["Lá 1"][0]], "moi": [""]}, "ít nhất một lớp"),
        ({"cu": [str(other)], "moi": []}, "thiếu ô"),
    ):
        answer = office.post(
            f"{ROOT}/len-lop", data={**fields, "nam": YEAR, **form(office, f"{ROOT}/len-lop?nam={YEAR}")}
        )
        assert answer.status_code in {404, 422}
        assert said in answer.text


def _of_class(small: Small, code: str) -> list[str]:
    """Return the enrolments of last year in a class."""
    found: list[str] = []

    def read(session: Session) -> None:
        rows = session.exec(
            select(Enrolment.id)
            .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
            .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
            .where(Enrolment.school_id == small.school.id, ClassGroup.code == code, ClassGroup.school_year != YEAR)
        ).all()
        found.extend(map(str, rows))

    small.world.change(read)
    return found


def _new_places(small: Small) -> Counter[str]:
    """Return how many pupils each class of the new year has."""
    found: Counter[str] = Counter()

    def read(session: Session) -> None:
        rows = session.exec(
            select(ClassGroup.code)
            .join(ClassPlacement, col(ClassPlacement.class_id) == col(ClassGroup.id))
            .where(ClassGroup.school_id == small.school.id, ClassGroup.school_year == YEAR)
        ).all()
        found.update(rows)

    small.world.change(read)
    return found


def _states(small: Small) -> Counter[str]:
    """Return how many enrolments of the school stand how."""
    found: Counter[str] = Counter()

    def read(session: Session) -> None:
        found.update(session.exec(select(Enrolment.state).where(Enrolment.school_id == small.school.id)).all())

    small.world.change(read)
    return found
