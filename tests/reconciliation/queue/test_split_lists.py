"""A split as a sheet or a pasted list: bad lines are told by line, column, reason and remedy; nothing is stored."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from billing.errors import BadRows
from billing.money import Money
from billing.people.sheet_pupils import PUPIL_COLUMNS, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import PupilCode
from reconciliation.queue.sharing import Share
from reconciliation.queue.split_lists import COLUMNS, read_split_sheet, read_split_text, write_split_sheet
from tests.factories.schools import SCHOOL_YEAR
from tests.reconciliation.queue.queue_world import Queue


def code(queue: Queue, session: Session, child: int) -> str:
    return session.exec(select(PupilCode.code).where(PupilCode.pupil_id == queue.pupil(child))).one()


def test_the_sheet_goes_out_and_comes_back(queue: Queue) -> None:
    with queue.open() as session:
        pupils = read_pupils(session, queue.school_id, SCHOOL_YEAR)
        known = sorted(pupils.by_enrolment.values(), key=lambda each: each.place)
        sheet = write_split_sheet(known, {each.enrolment_id: Money(7_000) for each in known})
        shares = read_split_sheet(session, queue.school_id, SCHOOL_YEAR, sheet)
    assert shares == [Share(queue.pupil(child), Money(7_000)) for child in range(2)]


def test_every_bad_line_of_a_sheet_is_told(queue: Queue) -> None:
    with queue.open() as session:
        first, second = (code(queue, session, child) for child in range(2))
        rows: list[list[Value]] = [
            ["7599", "Ai đó", "1A", Money(5)],
            [first, "Nguyễn Văn 0", "1A", "mười nghìn"],
            [second, "Nguyễn Văn 1", "1A", Money(0)],
            [second, "Nguyễn Văn 1", "1A", Money(5)],
            [second, "Nguyễn Văn 1", "1A", Money(5)],
            [first, "Nguyễn Văn 0", "1A", None],
        ]
        with pytest.raises(BadRows) as told:
            read_split_sheet(session, queue.school_id, SCHOOL_YEAR, write_sheet("Chia", COLUMNS, rows))
        for data in (b"no sheet", write_sheet("Chia", COLUMNS, []), write_sheet("Chia", PUPIL_COLUMNS, rows)):
            with pytest.raises(BadRows):
                read_split_sheet(session, queue.school_id, SCHOOL_YEAR, data)
    problems = told.value.problems
    assert sorted({problem.line for problem in problems}) == [2, 3, 4, 6, 7]
    assert {problem.column for problem in problems if problem.line in {3, 4, 7}} == {"Số tiền"}
    assert all(problem.reason and problem.remedy for problem in problems)


def test_a_pasted_list_takes_codes_names_marks_or_none(queue: Queue) -> None:
    with queue.open() as session:
        number = code(queue, session, 0)
        for line in (
            f"{number}; 650.000",
            f"{number}\t650000",
            "Nguyễn Văn 0; 650.000 đ",
            "nguyen van 0 ; 650 000",
            f"Nguyễn Văn 0 {queue.collecting.children[0].class_group.code}; 650,000 đồng",
            f"  {number} 650.000  ",
            f"{number} 650 000",
            f"{number}, Nguyễn Văn 0 650\u00a0000 đ",
            "Nguyễn Văn 0 650 000",
        ):
            shares = read_split_text(session, queue.school_id, SCHOOL_YEAR, f"\n{line}\n\nNguyễn Văn 1; 300.000")
            assert shares == [Share(queue.pupil(0), Money(650_000)), Share(queue.pupil(1), Money(300_000))], line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "trống"),
        ("Nguyễn Văn 0;", "số tiền"),
        ("650.000", "thiếu"),
        ("Lò Thị Không; 5.000", "Không có học sinh"),
        ("Nguyễn Văn 0; 0", "lớn hơn 0"),
        ("Nguyễn Văn 0; 5.000\nNguyễn Văn 0; 5.000", "dòng 1"),
        ("Nguyễn Văn 0; 5.00", "số tiền"),
        ("Nguyễn Văn 0; 1.650,000", "số tiền"),
        ("Nguyễn Văn 0 1.650,000", "số tiền"),
        ("Lò Thị Không 650 000", "Không rõ số tiền"),
    ],
)
def test_every_bad_line_of_a_list_is_told(queue: Queue, text: str, words: str) -> None:
    with queue.open() as session, pytest.raises(BadRows) as told:
        read_split_text(session, queue.school_id, SCHOOL_YEAR, text)
    assert words in told.value.problems[0].reason
    assert told.value.problems[0].line == max(text.count("\n") + 1, 1)


def test_blanks_as_marks_of_thousands_never_give_another_sum(queue: Queue) -> None:
    with queue.open() as session:
        number = code(queue, session, 0)
        for line, dong in (
            (f"{number} 650 500", 650_500),
            (f"{number} 1 650 500", 1_650_500),
            (f"{number} 500", 500),
            ("Nguyễn Văn 0 2 650 000", 2_650_000),
        ):
            [share] = read_split_text(session, queue.school_id, SCHOOL_YEAR, line)
            assert share == Share(queue.pupil(0), Money(dong)), line
        with pytest.raises(BadRows) as told:
            read_split_text(session, queue.school_id, SCHOOL_YEAR, f"{number} Lá 1 650 000")
    assert told.value.problems[0].remedy == "Ghi dấu ; trước số tiền."
