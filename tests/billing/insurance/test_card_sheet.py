"""Cards by sheet: out without what must stay inside, back in once, every bad line with its reason and remedy."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from billing.cards.entering import NewCard, number_of
from billing.cards.reading import live_cards
from billing.errors import BadRows
from billing.insurance.card_sheet import COLUMNS, export_cards, import_cards
from billing.people.imported import Imported
from tests.billing.insurance.insurance_world import NUMBER, Insuring
from tests.factories.schools import SCHOOL_YEAR

Cells = tuple[Any, ...]


def sheet(*rows: Cells) -> bytes:
    """Return a workbook of these lines: code, name, class, year, source, number, end, months at a time, month."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append([column.label for column in COLUMNS])
    for row in rows:
        page.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def bring(insuring: Insuring, data: bytes) -> Imported:
    school = insuring.school
    with insuring.open() as session:
        return import_cards(
            session, school.vault, school.billing.school, SCHOOL_YEAR, data, school.billing.accountant, school.now
        )


def test_a_sheet_brings_cards_in_once_and_out_without_numbers_and_reasons(insuring: Insuring) -> None:
    school = insuring.school
    rows = sheet(
        (None, "Nguyễn Văn 1", "1A", 2025, "Trường", NUMBER, "30/09/2025", None, "10/2025"),
        (None, "Nguyễn Văn 2", "1A", 2025, "hộ nghèo", "TE4757512345679", None, None, None),
        (None, "Nguyễn Văn 3", "1A", 2025, None, None, None, None, None),  # nothing said yet
    )
    assert bring(insuring, rows) == Imported(2, 0, 0)
    assert bring(insuring, rows) == Imported(0, 0, 2)
    with insuring.open() as session:
        cards = live_cards(session, school.id, 2025, [child.id for child in school.billing.pupils])
        assert cards[school.pupil(1)].reason == "poor"
        assert number_of(school.vault, cards[school.pupil(0)].number_sealed) == NUMBER
        assert cards[school.pupil(0)].starts_on == date(2025, 10, 1)
        out = export_cards(session, school.billing.school, SCHOOL_YEAR)
    page = load_workbook(io.BytesIO(out)).active
    assert page is not None
    told = [row[3:] for row in page.iter_rows(min_row=2, values_only=True)]
    assert [row[:3] for row in told] == [(2025, "Trường", None), (2025, None, None), (2025, None, None)]
    assert NUMBER not in str(told)
    assert bring(insuring, out) == Imported(0, 0, 1)  # brought back as it is, it changes nothing


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, "Nguyễn Văn 9", "1A", 2025, "Trường", None, None, None, "10/2025"), "không có học sinh"),
        ((None, "Nguyễn Văn 1", "1A", "hai", "Trường", None, None, None, "10/2025"), "Không hiểu năm"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Hàng xóm", None, None, None, "10/2025"), "Không hiểu"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Thẻ khác", None, None, None, None), "chưa ghi diện"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Trường", None, None, None, None), "chưa ghi tháng thu"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Trường", "12", None, None, "10/2025"), "10 hoặc 15 ký tự"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Trường", None, "31/02/2025", None, "10/2025"), "Không có ngày"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Trường", None, None, 5, "10/2025"), "Không hiểu"),
        ((None, "Nguyễn Văn 1", "1A", 2025, "Trường", None, None, None, "3/2026"), "thu từ tháng 8/2024"),
    ],
)
def test_a_bad_line_is_told_and_nothing_is_written(insuring: Insuring, row: Cells, reason: str) -> None:
    school = insuring.school
    good = (None, "Nguyễn Văn 2", "1A", 2025, "Trường", None, None, None, "10/2025")
    with pytest.raises(BadRows) as refused:
        bring(insuring, sheet(good, row))
    [problem] = refused.value.problems
    assert problem.line == 3
    assert reason in problem.reason
    assert problem.remedy
    with insuring.open() as session:
        assert live_cards(session, school.id, 2025, [school.pupil(1)]) == {}


def test_two_lines_of_one_pupil_and_year_must_say_the_same(insuring: Insuring) -> None:
    first = (None, "Nguyễn Văn 1", "1A", 2025, "Trường", None, None, None, "10/2025")
    with pytest.raises(BadRows) as refused:
        bring(insuring, sheet(first, first, (*first[:8], "11/2025")))
    assert [problem.line for problem in refused.value.problems] == [4]
    assert bring(insuring, sheet(first, first)) == Imported(1, 0, 0)


def test_a_card_of_the_next_year_has_its_own_line(insuring: Insuring) -> None:
    school = insuring.school
    with insuring.open() as session:
        insuring.enter(session, insuring.buys(0), NewCard(school.pupil(), 2026, collected_in=date(2025, 12, 1)))
        page = load_workbook(io.BytesIO(export_cards(session, school.billing.school, SCHOOL_YEAR))).active
        assert page is not None
        years = [row[3] for row in page.iter_rows(min_row=2, values_only=True) if row[1] == "Nguyễn Văn 1"]
    assert years == [2025, 2026]
