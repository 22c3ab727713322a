"""The invented schools: a proper tree, codes and accounts that cannot collide, real sizes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.fees.items import Level, Ownership
from service.demo.schools import (
    AUTHORITIES,
    DEPARTMENT,
    PRESCHOOL,
    PRIMARY,
    PRIVATE,
    PROVINCE,
    STORY_PUPILS,
    STORY_SCHOOLS,
    UPPER_SECONDARY,
    AuthorityKind,
    Told,
    schools_for,
)


def test_the_tree_has_one_root_and_no_loose_node() -> None:
    codes = {authority.code for authority in AUTHORITIES}
    assert len(codes) == len(AUTHORITIES)
    assert [authority for authority in AUTHORITIES if authority.parent is None] == [PROVINCE]
    assert {authority.parent for authority in AUTHORITIES} - {None} <= codes


def test_communes_supervise_up_to_grade_nine_and_the_department_above() -> None:
    kinds = {authority.code: authority.kind for authority in AUTHORITIES}
    for school in schools_for(50_000):
        expected = AuthorityKind.DEPARTMENT if Level.UPPER_SECONDARY in school.levels else AuthorityKind.COMMUNE
        assert kinds[school.authority] is expected
    assert UPPER_SECONDARY.authority == DEPARTMENT.code


def test_the_four_schools_differ_in_how_money_becomes_known() -> None:
    told = {school.key: (school.account.told_by, school.account.only_virtual) for school in STORY_SCHOOLS}
    assert told == {
        PRIMARY.key: (Told.SEPAY_HMAC, False),
        PRESCHOOL.key: (Told.SEPAY_API_KEY, False),
        UPPER_SECONDARY.key: (Told.STATEMENT, False),
        PRIVATE.key: (Told.SEPAY_HMAC, True),
    }
    assert [school.ownership for school in STORY_SCHOOLS].count(Ownership.PRIVATE) == 1
    assert STORY_PUPILS == 480


@pytest.mark.parametrize("pupils", [480, 481, 5_000, 200_000])
def test_there_are_exactly_as_many_seats_as_asked_for(pupils: int) -> None:
    assert sum(school.pupils for school in schools_for(pupils)) == pupils


@pytest.mark.parametrize("pupils", [0, 1, 120, 479])
def test_a_smaller_story_has_the_same_classes_with_fewer_seats(pupils: int) -> None:
    schools = schools_for(pupils)
    assert [school.class_codes for school in schools] == [school.class_codes for school in STORY_SCHOOLS]
    seats = sum(school.pupils for school in schools)
    classes = sum(len(school.classes) for school in schools)
    assert max(pupils - classes, classes) <= seats <= max(pupils, classes) + classes
    for school, whole in zip(schools, STORY_SCHOOLS, strict=True):
        assert all(1 <= one.size <= other.size for one, other in zip(school.classes, whole.classes, strict=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200_000))
def test_any_number_gives_sound_schools(pupils: int) -> None:
    schools = schools_for(pupils)
    assert [school.code for school in schools[:4]] == [school.code for school in STORY_SCHOOLS]
    for what in ("key", "code", "name", "phone", "address"):
        assert len({getattr(school, what) for school in schools}) == len(schools), what
    assert len({(school.account.bank_bin, school.account.number) for school in schools}) == len(schools)
    prefixes = [school.account.virtual_prefix for school in schools if school.account.only_virtual]
    assert len(set(prefixes)) == len(prefixes)
    for school in schools:
        assert school.code.startswith("75")
        assert re.fullmatch(r"[0-9A-Za-z]{6,19}", school.account.number)
        assert re.fullmatch(r"[0-9]{6}", school.account.bank_bin)
        assert re.fullmatch(r"[A-Z0-9 ]+", school.account.holder)
        assert len(school.class_codes) == len(school.classes)
        assert {group.level for group in school.classes} <= set(school.levels)
        assert all(0 < group.size <= 35 for group in school.classes)
