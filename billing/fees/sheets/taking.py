"""Taking the lines of a sheet one by one: each is stored by its rule, or all the faults are told and nothing stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from sqlmodel import Session

from billing.errors import HocphiError, RowProblem
from billing.fees.sheets.cells import in_words
from billing.people.imported import Imported, refuse
from billing.people.workbook import Line, in_sheet

_WHOLE_LINE = "Cả dòng"


class ReadLine(Protocol):
    """What was read from one line, and where that stood."""

    @property
    def line(self) -> Line:
        """The line of the sheet."""


R = TypeVar("R", bound=ReadLine)


def take_lines(session: Session, rows: Iterable[R], take: Callable[[R], str]) -> Imported:
    """Hand each row to ``take``, which returns *new*, *changed* or *unchanged*; raises ``BadRows`` with every refusal.

    After a refusal nothing of the sheet is left in the session.
    """
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    problems: list[RowProblem] = []
    with session.begin_nested():
        for row in rows:
            try:
                with session.begin_nested():  # what is refused leaves the next line a sound session
                    counts[take(row)] += 1
            except HocphiError as error:
                problems.append(RowProblem(row.line.number, in_sheet(_WHOLE_LINE, row.line.sheet), *in_words(error)))
        refuse(problems)
    return Imported(**counts)
