"""A class's month as a table: properties of what is shown and of what is refused, whatever the month looks like."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.attendance.days import last_of
from billing.attendance.marks import Away, Mark, MonthPupil, MonthSheet

MONTHS = st.dates(date(2025, 1, 1), date(2026, 12, 1)).map(lambda day: day.replace(day=1))


@st.composite
def sheets(draw: st.DrawFn) -> MonthSheet:
    """Make a month with one pupil who is there from a day to a day, days off and absences."""
    month = draw(MONTHS)
    days = [month + timedelta(days=n) for n in range(last_of(month).day)]
    first, last = sorted((draw(st.sampled_from(days)), draw(st.sampled_from(days))))
    off = draw(st.sets(st.sampled_from(days), max_size=3))
    gone = draw(st.sets(st.sampled_from(days), max_size=5)) - off
    away = {
        day: Away(number, draw(st.sampled_from([Mark.ABSENT, Mark.EXCUSED])))
        for number, day in enumerate(sorted(gone))
        if first <= day <= last
    }
    pupil = MonthPupil(UUID(int=1), "Điểu Bảo", "7500000001", ((first, last),), away)
    return MonthSheet(
        "1A", month, draw(st.sampled_from(days)), (pupil,), dict.fromkeys(off, "bão"), draw(st.booleans())
    )


@given(sheets())
def test_what_stands_there_is_taken_back_without_a_reason(sheet: MonthSheet) -> None:
    [pupil] = sheet.pupils
    shown = {day: mark for day in sheet.days if (mark := sheet.mark_on(pupil, day))}
    assert set(pupil.away) <= set(shown)
    assert [sheet.problem(pupil, day, mark, "") for day, mark in shown.items()] == [None] * len(shown)
    assert not any(sheet.is_news(pupil, day, mark) for day, mark in shown.items())


@given(sheets(), st.sampled_from(Mark), st.sampled_from(["", " ", "Giấy bác sĩ"]))
def test_nothing_is_taken_for_a_day_off_or_outside_the_class(sheet: MonthSheet, mark: Mark, reason: str) -> None:
    [pupil] = sheet.pupils
    for day in sheet.days:
        problem = sheet.problem(pupil, day, mark, reason)
        if day in sheet.days_off or not pupil.belongs(day):
            assert problem
            assert "Xóa dấu" in problem.remedy


@given(sheets(), st.sampled_from(Mark))
def test_a_closed_month_only_gains_absences_each_with_a_reason(sheet: MonthSheet, mark: Mark) -> None:
    closed = replace(sheet, closed=True, today=last_of(sheet.month))
    [pupil] = closed.pupils
    for day in closed.days:
        if day in closed.days_off or not pupil.belongs(day) or not closed.is_news(pupil, day, mark):
            continue
        assert closed.problem(pupil, day, mark, "")
        adds = day not in pupil.away or mark is Mark.EXCUSED
        assert (closed.problem(pupil, day, mark, "Giấy bác sĩ") is None) == adds


def test_who_left_or_has_not_come_is_told_by_its_dates() -> None:
    spans = ((date(2025, 10, 6), date(2025, 10, 17)),)
    pupil = MonthPupil(UUID(int=1), "Điểu Bảo", "1", spans, {})
    sheet = MonthSheet("1A", date(2025, 10, 1), date(2025, 10, 31), (pupil,), {}, closed=False)
    early = sheet.problem(pupil, date(2025, 10, 3), Mark.PRESENT, "")
    late = sheet.problem(pupil, date(2025, 10, 20), Mark.EXCUSED, "ốm")
    assert early
    assert late
    assert early.reason == "Ngày 03/10/2025 em chưa vào lớp 1A (vào từ 06/10/2025)."
    assert late.reason == "Ngày 20/10/2025 em đã rời lớp 1A (học đến 17/10/2025)."
    assert sheet.mark_on(pupil, date(2025, 10, 3)) is None
    back = replace(pupil, spans=(*spans, (date(2025, 10, 27), date(2025, 10, 31))))
    between = sheet.problem(back, date(2025, 10, 20), Mark.EXCUSED, "ốm")
    assert between
    assert "không ở lớp 1A" in between.reason


def test_too_far_ahead_is_refused() -> None:
    pupil = MonthPupil(UUID(int=1), "Điểu Bảo", "1", ((date(2025, 12, 1), date(2025, 12, 31)),), {})
    sheet = MonthSheet("1A", date(2025, 12, 1), date(2025, 10, 31), (pupil,), {}, closed=False)
    assert sheet.problem(pupil, date(2025, 12, 1), Mark.EXCUSED, "") is None
    problem = sheet.problem(pupil, date(2025, 12, 2), Mark.EXCUSED, "")
    assert problem
    assert "còn quá xa" in problem.reason
