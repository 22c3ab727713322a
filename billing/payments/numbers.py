"""A list of account numbers as a person pastes it from the bank: read line by line, every wrong line named (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection

from billing.errors import BadRows, Refused, RowProblem

MOST_NUMBERS = 5_000
_NUMBER = re.compile(r"[0-9A-Za-z]{4,19}")
_COLUMN = "Số tài khoản"


def read_numbers(pasted: str, known: Collection[str] = ()) -> tuple[str, ...]:
    """Return the numbers of a pasted list, in its order; blank lines and blanks inside a number do not count.

    What stands behind a tab or semicolon on a line is left out, so a column pasted with its neighbours is read too.
    Raises ``Refused`` for an empty or too long list, ``BadRows`` with every line that is no number (4 to 19 letters and
    digits), stands twice, or is ``known`` already.
    """
    problems: list[RowProblem] = []
    found: dict[str, int] = {}
    for line, row in enumerate(pasted.splitlines(), 1):
        number = re.sub(r"[ .\u00a0]", "", re.split(r"[\t;]", row, maxsplit=1)[0])
        if not number:
            continue
        problem = _problem(line, number, found, known)
        if problem is None:
            found[number] = line
        else:
            problems.append(problem)
    if problems:
        raise BadRows(f"{len(problems)} dòng cần sửa. Chưa ghi gì.", problems)
    if not found:
        raise Refused("Danh sách trống. Hãy dán mỗi dòng một số.")
    if len(found) > MOST_NUMBERS:
        raise Refused(f"Danh sách có {len(found)} số, nhiều hơn {MOST_NUMBERS}. Hãy chia nhỏ.")
    return tuple(found)


def _problem(line: int, number: str, found: dict[str, int], known: Collection[str]) -> RowProblem | None:
    if _NUMBER.fullmatch(number) is None:
        return RowProblem(line, _COLUMN, f"“{number[:30]}” không phải số tài khoản", "Ghi 4 đến 19 chữ cái, chữ số")
    if number in found:
        return RowProblem(line, _COLUMN, f"{number} đã có ở dòng {found[number]}", "Xóa một trong hai dòng")
    if number in known:
        return RowProblem(line, _COLUMN, f"{number} đã có trong hệ thống", "Xóa dòng này, hoặc hỏi lại ngân hàng")
    return None
