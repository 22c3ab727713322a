"""The shipped sheets: read like any school's, made anew byte for byte, dressed in every manner."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from billing.people.contact_sheet import read_contacts
from billing.people.roster import read_roster
from service.demo.people_maker import make_people
from service.demo.rosters import DATA, contact_rows, contact_sheet, main, roster_rows, roster_sheet, shipped
from service.demo.schools import (
    PRESCHOOL,
    PRIMARY,
    PRIVATE,
    STORY_SCHOOLS,
    UPPER_SECONDARY,
    DemoSchool,
    schools_for,
)

TODAY = date(2025, 9, 5)
PEOPLE = make_people(STORY_SCHOOLS)


@pytest.mark.parametrize("school", STORY_SCHOOLS, ids=lambda school: school.key)
def test_shipped_sheets_read_back_as_made(school: DemoSchool) -> None:
    roster, contacts = shipped(school)
    rows = read_roster(roster, school.class_codes, TODAY)
    assert rows == roster_rows(school, PEOPLE[school.code])
    assert len(rows) == school.pupils
    names = {row.moet_code: row.full_name for row in rows if row.moet_code}
    assert read_contacts(contacts, names) == contact_rows(school, PEOPLE[school.code])


def test_sheets_are_made_anew_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--write", str(tmp_path)])
    assert len(capsys.readouterr().out.splitlines()) == 8
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in DATA.iterdir()
    }


def test_schools_fill_in_the_form_in_different_manners() -> None:
    books = {school.key: load_workbook(io.BytesIO(shipped(school)[0])) for school in STORY_SCHOOLS}
    headings = {key: [cell.value for cell in book.worksheets[0][5]] for key, book in books.items()}
    assert "Ngày sinh*" in headings[PRIMARY.key]
    assert "Ngày sinh" in headings[PRIVATE.key]
    assert "Huyện" in headings[PRESCHOOL.key]
    assert "Huyện" not in headings[PRIMARY.key]
    assert [sheet.title for sheet in books[UPPER_SECONDARY.key]] == ["10A1", "10A2", "11A1", "12A1", "Danh mục"]
    assert {"Dân tộc", "Năm sinh cha", "Năm sinh mẹ"} <= set(headings[PRIVATE.key])
    assert books[PRESCHOOL.key].worksheets[0]["E6"].is_date
    assert books[PRESCHOOL.key].worksheets[0]["C6"].data_type == "n"


def test_shipped_sheets_hold_no_formula_and_no_time_of_making() -> None:
    for path in DATA.iterdir():
        book = load_workbook(path)
        assert book.properties.modified == book.properties.created
        assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f"]


def test_a_larger_school_can_be_uploaded_too() -> None:
    school = schools_for(1_000)[4]
    pupils = make_people(schools_for(1_000))[school.code]
    rows = read_roster(roster_sheet(school, pupils), school.class_codes, TODAY)
    assert rows == roster_rows(school, pupils)
    names = {pupil.moet_code: pupil.full_name for pupil in pupils}
    assert read_contacts(contact_sheet(school, pupils), names) == contact_rows(school, pupils)
