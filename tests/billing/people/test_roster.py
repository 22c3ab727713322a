"""A roster is read whole and equal, or every fault in it is named with its line and column."""

from __future__ import annotations

import dataclasses
import time
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from billing.people.roster import RosterRow, Sex
from tests.billing.people.test_names import NAMES
from tests.factories.rosters import (
    CLASSES,
    ROSTER_HEADINGS,
    TODAY,
    book_file,
    faults,
    long_file,
    problems,
    pupil,
    read,
    reason,
    repacked,
    sheet_file,
)


def test_a_line_is_read_as_it_stands() -> None:
    assert read(sheet_file([pupil(7)])) == [
        RosterRow(
            line=2,
            class_code="1A",
            moet_code="7500000007",
            full_name="Nguyễn Thị Minh Anh",
            birth_date=date(2019, 9, 5),
            sex=Sex.FEMALE,
            nationality="Việt Nam",
            province="Đồng Nai",
            commune="Phường Bình Long",
            father_name="Nguyễn Văn An",
            mother_name="Lê Thị Bình",
            citizen_number="099300000007",
        )
    ]


def test_what_fees_do_not_need_is_never_kept() -> None:
    (row,) = read(sheet_file([pupil(**{"Dân tộc": "Xtiêng", "Năm sinh cha": 1971, "Năm sinh mẹ": "1972"})]))
    kept = repr(row)
    assert not [secret for secret in ("Xtiêng", "1971", "1972") if secret in kept]
    assert {field.name for field in dataclasses.fields(RosterRow)}.isdisjoint({"ethnicity", "religion", "father_year"})


ROWS = st.fixed_dictionaries(
    {
        "Mã lớp": st.sampled_from(sorted(CLASSES)),
        "Họ tên": NAMES,
        "Ngày sinh": st.dates(date(2005, 1, 1), TODAY),
        "Giới tính": st.sampled_from(["Nam", "Nữ"]),
        "Họ tên cha": st.none() | NAMES,
        "Họ tên mẹ": st.none() | NAMES,
    }
)


def written(row: dict[str, Any], number: int, way: int) -> list[Any]:
    """Return a made row as one of the ways people type: text, date cell, day number, NFD, number for a code."""
    born = row["Ngày sinh"]
    dates: list[object] = [
        f"{born:%d/%m/%Y}",
        datetime(born.year, born.month, born.day),  # noqa: DTZ001  a sheet has no zones
        (born - date(1899, 12, 30)).days,
        born.isoformat(),
    ]
    line = pupil(number, **{**row, "Ngày sinh": dates[way % 4]})
    if way % 3 == 0:
        line[3] = unicodedata.normalize("NFD", row["Họ tên"]).replace(" ", " \u200b\u00a0")
    if way % 5 == 0:
        line[2] = float(line[2])
    return line


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ROWS, st.integers(0, 59), st.booleans()), min_size=1, max_size=12), st.integers(0, 6))
def test_a_made_roster_reads_back_equal(made: list[tuple[dict[str, Any], int, bool]], titles: int) -> None:
    lines: list[list[Any]] = []
    expected = []
    for number, (row, way, gap) in enumerate(made, start=1):
        if gap:
            lines.append([number])  # a line with nothing but its number is empty
        code, digits = f"{7500000000 + number}", f"0993{number:08}"
        line = written(row, number, way)
        line[2] = float(code) if isinstance(line[2], float) else code
        lines.append(line)
        expected.append(
            (titles + 1 + len(lines), row["Mã lớp"], code, row["Họ tên"], row["Ngày sinh"], row["Giới tính"],
             row["Họ tên cha"], row["Họ tên mẹ"], digits)
        )  # fmt: skip
    rows = read(sheet_file(lines, titles=titles))
    assert [
        (row.line, row.class_code, row.moet_code, row.full_name, row.birth_date, row.sex.value,
         row.father_name, row.mother_name, row.citizen_number)
        for row in rows
    ] == expected  # fmt: skip


FAULTS: list[tuple[str, object]] = [
    ("Mã lớp", "9Z"),
    ("Mã lớp", None),
    ("Mã lớp", "=B2"),
    ("Mã định danh Bộ GD&ĐT", "75 0012"),
    ("Mã định danh Bộ GD&ĐT", 123456789),
    ("Mã định danh Bộ GD&ĐT", 7500123456.5),
    ("Mã định danh Bộ GD&ĐT", "1" * 21),
    ("Họ tên", None),
    ("Họ tên", "Nguyễn Văn A1"),
    ("Họ tên", "<b>An</b>"),
    ("Họ tên", "=HYPERLINK(1)"),
    ("Họ tên", "Nguyễn " * 20 + "An"),
    ("Họ tên", 12),
    ("Họ tên", True),
    ("Ngày sinh", None),
    ("Ngày sinh", "30/02/2019"),
    ("Ngày sinh", "09/25/2019"),
    ("Ngày sinh", "05/09/19"),
    ("Ngày sinh", "2019"),
    ("Ngày sinh", 2019),
    ("Ngày sinh", 5092019),
    ("Ngày sinh", 43713.5),
    ("Ngày sinh", -1),
    ("Ngày sinh", "mồng 5 tháng 9"),
    ("Ngày sinh", "06/09/2025"),
    ("Ngày sinh", "05/09/1919"),
    ("Ngày sinh", "=DATE(2019,9,5)"),
    ("Ngày sinh", "05/09-2019"),
    ("Ngày sinh", "٠٥/٠٩/٢٠١٩"),
    ("Giới tính", None),
    ("Giới tính", "F"),
    ("Số ĐDCN", 99319000001),
    ("Số ĐDCN", 99319000001.0),
    ("Số ĐDCN", "09931900001"),
    ("Số ĐDCN", "0993190000012"),
    ("Quốc tịch", "=1+1"),
    ("Xã", "#REF!"),
    ("Họ tên mẹ", "Lê Thị B@nh"),
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.sampled_from(FAULTS), min_size=1, max_size=15))
def test_every_planted_fault_is_named_once(plan: list[tuple[str, object] | None]) -> None:
    lines = [pupil(n, **dict([fault] if fault else [])) for n, fault in enumerate(plan, start=1)]
    expected = [(line, fault[0]) for line, fault in enumerate(plan, start=2) if fault]
    assert problems(sheet_file(lines)) == expected


@pytest.mark.parametrize(("heading", "value"), FAULTS)
def test_each_fault_by_itself(heading: str, value: object) -> None:
    assert problems(sheet_file([pupil(1), pupil(2, **{heading: value}), pupil(3)])) == [(3, heading)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("30/02/2019", ["Không có ngày “30/02/2019”"]),
        ("09/25/2019", ["tháng trước ngày", "25/09/2019"]),
        ("05/09/19", ["hai số của năm", "bốn số"]),
        ("2019", ["chỉ ghi năm"]),
        (2019, ["chỉ ghi năm"]),
        ("=NOW()", ["công thức", "dán dạng giá trị"]),
        ("06/09/2025", ["tương lai"]),
    ],
)
def test_a_wrong_date_says_what_is_wrong_and_what_to_do(value: object, words: list[str]) -> None:
    told = reason(sheet_file([pupil(**{"Ngày sinh": value})]))
    assert [word for word in words if word not in told] == []


def test_a_number_that_lost_its_zero_says_so() -> None:
    told = reason(sheet_file([pupil(**{"Số ĐDCN": 99319000001})]))
    assert "mất số 0" in told
    assert "Văn bản" in told


def test_a_formula_is_refused_even_when_its_last_result_looks_right() -> None:
    def give_result(_name: str, part: bytes) -> bytes:
        return part.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>43713</v>").replace(
            b"<f>1+1</f><v />", b"<f>1+1</f><v>43713</v>"
        )

    assert problems(repacked(sheet_file([pupil(**{"Ngày sinh": "=1+1"})]), give_result)) == [(2, "Ngày sinh")]


def test_a_formula_that_nobody_reads_does_no_harm() -> None:
    line = pupil(1)
    line[0] = "=ROW()-1"
    assert len(read(sheet_file([line]))) == 1


@pytest.mark.parametrize(
    "heading", [name for name in ROSTER_HEADINGS if name not in ("STT", "Dân tộc", "Năm sinh cha", "Năm sinh mẹ")]
)
def test_a_missing_column_is_named_in_the_header_line(heading: str) -> None:
    place = ROSTER_HEADINGS.index(heading)
    lines = [[value for spot, value in enumerate(pupil(n)) if spot != place] for n in (1, 2)]
    headings = [name for name in ROSTER_HEADINGS if name != heading]
    assert problems(sheet_file(lines, headings, titles=3)) == [(4, heading)]


def test_a_missing_column_does_not_hide_the_other_faults() -> None:
    lines = [pupil(1, **{"Ngày sinh": "x"})[:-1], pupil(2)[:-1]]
    assert problems(sheet_file(lines, ROSTER_HEADINGS[:-1])) == [(1, "Số ĐDCN"), (2, "Ngày sinh")]


@pytest.mark.parametrize("gone", ["STT", "Dân tộc", "Năm sinh cha", "Năm sinh mẹ"])
def test_columns_that_are_not_read_may_be_missing(gone: str) -> None:
    place = ROSTER_HEADINGS.index(gone)
    headings = [name for name in ROSTER_HEADINGS if name != gone]
    line = [value for spot, value in enumerate(pupil(1)) if spot != place]
    assert len(read(sheet_file([line], headings))) == 1


def test_old_forms_with_huyen_stars_and_remarks_are_read() -> None:
    headings = [f"{name} (*)" for name in ROSTER_HEADINGS]
    headings[4] = "NGÀY SINH*\n(dd/mm/yyyy)"
    headings.insert(9, "Huyện/Thị xã")
    line = pupil(1)
    line.insert(9, "Thị xã Bình Long")
    (row,) = read(sheet_file([[f"({n})" for n in range(1, 17)], line], headings, titles=4))
    assert (row.line, row.commune) == (7, "Phường Bình Long")


def test_a_column_twice_is_refused() -> None:
    assert problems(sheet_file([[*pupil(1), "An"]], [*ROSTER_HEADINGS, "Họ và tên"])) == [(1, "Họ tên")]


def test_a_double_code_is_reported_at_its_second_line_and_names_the_first() -> None:
    twice = pupil(3, **{"Mã định danh Bộ GD&ĐT": "7500000001"})
    told = reason(sheet_file([pupil(1), pupil(2), twice]))
    assert "7500000001" in told
    assert "dòng 2" in told
    assert problems(sheet_file([pupil(1), pupil(2), twice])) == [(4, "Mã định danh Bộ GD&ĐT")]


def test_a_code_as_text_and_as_number_is_one_code() -> None:
    lines = [pupil(1), pupil(2, **{"Mã định danh Bộ GD&ĐT": 7500000001.0})]
    assert problems(sheet_file(lines)) == [(3, "Mã định danh Bộ GD&ĐT")]


def test_a_double_personal_number_is_reported() -> None:
    assert problems(sheet_file([pupil(1), pupil(2, **{"Số ĐDCN": "099300000001"})])) == [(3, "Số ĐDCN")]


def test_namesakes_are_two_children_if_a_code_tells_them_apart() -> None:
    bare = {"Mã định danh Bộ GD&ĐT": None, "Số ĐDCN": None}
    assert len(read(sheet_file([pupil(1), pupil(2)]))) == 2
    assert problems(sheet_file([pupil(1, **bare), pupil(2, **bare)])) == [(3, "Họ tên")]
    assert len(read(sheet_file([pupil(1, **bare), pupil(2, **bare, **{"Ngày sinh": "06/09/2019"})]))) == 2


def test_a_class_is_found_in_any_case_and_encoding() -> None:
    lines = [pupil(1, **{"Mã lớp": " 1a"}), pupil(2, **{"Mã lớp": unicodedata.normalize("NFD", "LÁ 2")})]
    assert [row.class_code for row in read(sheet_file(lines))] == ["1A", "Lá 2"]


def test_a_sheet_per_class_names_the_sheet() -> None:
    sheets: dict[str, list[Sequence[object]]] = {
        "1A": [ROSTER_HEADINGS, pupil(1)],
        "1B": [ROSTER_HEADINGS, pupil(2, **{"Mã lớp": "1B"})],
    }
    assert [(row.sheet, row.line) for row in read(book_file(sheets))] == [("1A", 2), ("1B", 2)]
    sheets["1B"].append(pupil(1))
    found = faults(book_file(sheets))
    assert [problem.column for problem in found] == [
        "Mã định danh Bộ GD&ĐT (trang “1B”)",
        "Số ĐDCN (trang “1B”)",
    ]
    assert "trang “1A”" in found[0].reason


def test_catalogue_sheets_are_passed_over_but_an_unclear_list_is_not() -> None:
    catalogue: list[Sequence[object]] = [
        ["Dân tộc", "Tôn giáo", "Giới tính", "Quốc tịch", "Tỉnh"],
        ["Kinh", "Không", "Nam", "Việt Nam", "Đồng Nai"],
    ]
    good: dict[str, list[Sequence[object]]] = {"DS": [ROSTER_HEADINGS, pupil(1)], "DM": catalogue}
    assert len(read(book_file(good))) == 1
    assert problems(book_file({**good, "1B": [["Họ tên", "Ngày sinh"], ["An", "05/09/2019"]]})) == [
        (1, "Cả trang (trang “1B”)")
    ]


def test_merged_cells_are_reported_once_and_where_they_begin() -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A1:O1")
        sheet.merge_cells("B3:B5")

    lines = [pupil(n) for n in (1, 2, 3)]
    assert problems(sheet_file(lines, titles=1, dress=merge)) == [(3, "Mã lớp")]


def test_merged_titles_do_no_harm() -> None:
    assert len(read(sheet_file([pupil(1)], titles=2, dress=lambda sheet: sheet.merge_cells("A1:O2")))) == 1


def test_a_hidden_line_is_reported_unless_it_is_empty() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.row_dimensions[9].hidden = True

    assert problems(sheet_file([pupil(1), pupil(2), pupil(3)], dress=hide)) == [(3, "Cả dòng")]


def test_a_hidden_sheet_with_pupils_is_reported() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.sheet_state = "hidden" if sheet.title == "cũ" else "visible"

    sheets = {"DS": [ROSTER_HEADINGS, pupil(1)], "cũ": [ROSTER_HEADINGS, pupil(2)]}
    assert problems(book_file(sheets, hide)) == [(1, "Cả trang (trang “cũ”)")]


def test_a_total_below_the_list_is_one_problem_not_four() -> None:
    assert problems(sheet_file([pupil(1), [], [None, None, None, "Tổng cộng: một"]])) == [(4, "Họ tên")]


@pytest.mark.parametrize("lines", [[], [[1], [2]]])
def test_a_list_without_pupils_is_refused(lines: list[list[int]]) -> None:
    assert problems(sheet_file(lines)) == [(0, "Cả tệp")]


def test_a_sheet_without_headings_is_refused() -> None:
    assert problems(sheet_file([pupil(1)], ["a", "b"])) == [(0, "Cả tệp")]


def test_old_macs_count_days_from_1904() -> None:
    def from_1904(name: str, part: bytes) -> bytes:
        return part.replace(b"<workbookPr ", b'<workbookPr date1904="1" ') if name == "xl/workbook.xml" else part

    serial = (date(2019, 9, 5) - date(1904, 1, 1)).days
    (row,) = read(repacked(sheet_file([pupil(**{"Ngày sinh": serial})]), from_1904))
    assert row.birth_date == date(2019, 9, 5)


@pytest.mark.timeout(240)
def test_fifty_thousand_bad_lines_are_all_listed() -> None:
    data = long_file({"B": "9Z", "D": "Lê Ân", "E": "05/09/2019", "F": "Nam", "G": "Kinh", "K": "Lê Ba"}, 50_000)
    start = time.process_time()
    found = faults(data)
    assert time.process_time() - start < 100
    assert [problem.line for problem in found if problem.column == "Mã lớp"] == list(range(2, 50_002))


@pytest.mark.timeout(240)
def test_more_than_fifty_thousand_lines_are_refused_as_a_whole() -> None:
    data = long_file({"B": "1A", "D": "An"}, 50_001)
    found = faults(data)
    assert [(problem.line, problem.reason) for problem in found] == [(0, "Tệp có hơn 50.000 dòng.")]
