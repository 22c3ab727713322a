"""The invented people: every shape of name, families across schools, and nobody real."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from datetime import date

import pytest

from service.demo.people_maker import MadePupil, make_people
from service.demo.schools import STORY_SCHOOLS, schools_for

PEOPLE = make_people(STORY_SCHOOLS)
EVERYONE = [pupil for pupils in PEOPLE.values() for pupil in pupils]


def test_the_same_call_makes_the_same_people_and_more_schools_do_not_change_the_first() -> None:
    assert make_people(STORY_SCHOOLS) == PEOPLE
    larger = make_people(schools_for(3_000))
    assert {code: larger[code] for code in PEOPLE} == PEOPLE
    assert sum(map(len, larger.values())) == 3_000


def test_names_have_every_shape() -> None:
    words = Counter(len(pupil.full_name.split()) for pupil in EVERYONE)
    assert {2, 3, 4, 5, 6} <= set(words)
    assert max(len(pupil.full_name) for pupil in EVERYONE) > 45
    assert {"Điểu", "Y", "Kpă"} <= {pupil.full_name.split()[0] for pupil in EVERYONE} | {
        (pupil.father_name or pupil.mother_name or "").split()[0] for pupil in EVERYONE
    }
    assert any("'" in pupil.full_name for pupil in EVERYONE)


def test_names_have_every_letter_of_the_language() -> None:
    tones = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
    letters = {unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in tones} | {"đ"}
    assert letters - set("".join(pupil.full_name for pupil in EVERYONE).lower()) == set()


def test_some_class_has_namesakes() -> None:
    in_class = Counter((pupil.class_code, pupil.full_name) for pupil in EVERYONE)
    assert max(in_class.values()) > 1


def test_families_have_children_in_one_school_and_in_two() -> None:
    schools_of: defaultdict[int, list[str]] = defaultdict(list)
    for code, pupils in PEOPLE.items():
        for pupil in pupils:
            if pupil.contacts:
                schools_of[id(pupil.contacts)].append(code)
    several = [codes for codes in schools_of.values() if len(codes) > 1]
    assert any(len(set(codes)) == 1 for codes in several)
    assert sum(len(set(codes)) > 1 for codes in several) >= 10


def test_some_cannot_be_reached_and_some_in_one_way_only() -> None:
    people = [person for pupil in EVERYONE for person in pupil.contacts]
    assert any(not pupil.contacts for pupil in EVERYONE)
    assert {(bool(person.phone), bool(person.email)) for person in people} == {
        (True, False),
        (True, True),
        (False, True),
    }
    assert any(not person.notices for person in people)
    assert any(pupil.citizen_number is None for pupil in EVERYONE)


def test_nobody_can_be_met_by_accident() -> None:
    for pupil in EVERYONE:
        assert pupil.citizen_number is None or pupil.citizen_number.startswith("099")
        for person in pupil.contacts:
            assert person.phone is None or (person.phone.startswith("8450") and len(person.phone) == 11)
            assert person.email is None or person.email.endswith(".example")


def age_in(pupil: MadePupil, year: int) -> int:
    return year - pupil.birth_date.year


def test_ages_fit_the_grades() -> None:
    for school in STORY_SCHOOLS:
        grades = {group.code: group.grade for group in school.classes}
        for pupil in PEOPLE[school.code]:
            assert age_in(pupil, 2025) - grades[pupil.class_code] in (5, 6)
            assert pupil.birth_date < date(2025, 9, 5)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("pupils", [20_000, pytest.param(200_000, marks=pytest.mark.proof)])
def test_codes_stay_unique_in_a_whole_province(pupils: int) -> None:
    everyone = [pupil for several in make_people(schools_for(pupils)).values() for pupil in several]
    assert len(everyone) == pupils
    assert len({pupil.moet_code for pupil in everyone}) == pupils
    assert all(len(pupil.moet_code) == 10 and pupil.moet_code.isdecimal() for pupil in everyone)
    numbers = [pupil.citizen_number for pupil in everyone if pupil.citizen_number]
    assert len(set(numbers)) == len(numbers)
    owners: defaultdict[str, set[int]] = defaultdict(set)
    for pupil in everyone:
        for person in pupil.contacts:
            owners[person.phone or person.email or ""].add(id(person))
    assert max(len(people) for people in owners.values()) == 1
