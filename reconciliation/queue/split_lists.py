"""A split as a sheet or as a pasted list: which pupil gets how much, with every bad line told and nothing stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import BadRows, RowProblem
from billing.fees.sheets.cells import money_of
from billing.money import Money
from billing.people.cells import read, shown
from billing.people.imported import refuse
from billing.people.names import search_key
from billing.people.sheet_pupils import PUPIL_COLUMNS, Known, read_pupils
from billing.people.sheet_writing import write_sheet
from billing.people.tables import Enrolment
from billing.people.workbook import MAX_ROWS, Column, open_upload, refused_file
from reconciliation.queue.sharing import Share

COLUMNS = (*PUPIL_COLUMNS, Column("amount", "Số tiền", ("so tien", "tien", "thanh tien")))
_AMOUNT = re.compile(r"[0-9]{1,3}([., ])[0-9]{3}(?:\1[0-9]{3})*|[0-9]+")  # one kind of mark throughout
_MOST_GROUPS = 5  # of a sum with blanks as marks of thousands
_WHOLE_LINE = "Dòng"


def read_split_sheet(session: Session, school_id: UUID, school_year: str, data: bytes) -> list[Share]:
    """Return what a sheet gives whom; raises ``BadRows`` with line, column, reason and remedy of every bad line."""
    upload = open_upload(data, COLUMNS)
    pupils = read_pupils(session, school_id, school_year)
    found: list[tuple[UUID, Money]] = []
    seen: dict[UUID, int] = {}
    for line in upload.lines():
        known = pupils.read(upload, line)
        amount = read(upload, line, "amount", money_of, required=True)
        if known is None or amount is None:
            continue
        if not amount:
            upload.report(line, "amount", "Số tiền phải lớn hơn 0 đ.", "Sửa số tiền, hoặc xóa dòng.")
            continue
        first = seen.setdefault(known.enrolment_id, line.number)
        if first != line.number:
            upload.report(line, "pupil_code", f"Em này đã có ở dòng {first}.", "Xóa một trong hai dòng.")
        found.append((known.enrolment_id, amount))
    upload.refuse_if_bad()
    if not found:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền học sinh và số tiền rồi gửi lại.")
    return _shares(session, school_id, found)


def write_split_sheet(pupils: Sequence[Known], amounts: Mapping[UUID, Money]) -> bytes:
    """Return the sheet to fill in: pupils with what is open for each (``amounts`` by enrolment)."""
    lines = ([each.code, each.full_name, each.class_code, amounts.get(each.enrolment_id)] for each in pupils)
    return write_sheet("Chia giao dịch", COLUMNS, lines)


@dataclass(slots=True)
class _Pasted:
    """A pasted list as it is read line by line."""

    by_code: Mapping[str, Known]
    by_name: Mapping[str, list[Known]]
    found: list[tuple[UUID, Money]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    seen: dict[UUID, int] = field(default_factory=dict)

    def line(self, number: int, text: str) -> None:
        """Take one line: a code or a full name (with the class where two have it), and the sum at the end."""
        readings = _sums_at_end(text)
        if not any(who for _, who in readings):
            self._report(number, "Dòng này thiếu học sinh hoặc số tiền.", "Ghi: mã hoặc họ tên; số tiền.")
            return
        if len(readings) > 1:  # 1 650 000 behind a name, or 650 000 behind a class 1
            readings = [each for each in readings if self._is_exact(each[1])]
        if len(readings) != 1:
            self._report(number, "Không rõ số tiền bắt đầu từ chữ số nào.", "Ghi dấu ; trước số tiền.")
            return
        [(amount, who)] = readings
        known = self._who(number, who)
        if known is None:
            return
        first = self.seen.setdefault(known.enrolment_id, number)
        if first != number:
            self._report(number, f"Em này đã có ở dòng {first}.", "Xóa một trong hai dòng.")
        elif not amount:
            self._report(number, "Số tiền phải lớn hơn 0 đ.", "Sửa số tiền, hoặc xóa dòng.")
        else:
            self.found.append((known.enrolment_id, amount))

    def _who(self, number: int, who: str) -> Known | None:
        for word in re.split(r"[;\t, ]+", who):
            if word in self.by_code:
                return self.by_code[word]
        named = self.by_name.get(search_key(who), [])
        if len(named) == 1:
            return named[0]
        reason = f"Có {len(named)} em tên {shown(who)}." if named else f"Không có học sinh {shown(who)}."
        self._report(number, reason, "Ghi mã định danh của em, hoặc họ tên kèm lớp.")
        return None

    def _is_exact(self, who: str) -> bool:
        """Say whether words are one pupil and nothing else: a code, a name (with the class), or both of one pupil."""
        words = re.split(r"[, ]+", who)
        codes = [word for word in words if word in self.by_code]
        rest = search_key(" ".join(word for word in words if word not in codes))
        named = self.by_name.get(rest, [])
        if codes:
            return len(codes) == 1 and (not rest or self.by_code[codes[0]] in named)
        return len(named) == 1

    def _report(self, number: int, reason: str, remedy: str) -> None:
        self.problems.append(RowProblem(number, _WHOLE_LINE, reason, remedy))


def read_split_text(session: Session, school_id: UUID, school_year: str, text: str) -> list[Share]:
    """Return what a pasted list gives whom, line by line; marks and đ are optional. Raises ``BadRows``."""
    pupils = [each for each in read_pupils(session, school_id, school_year).by_enrolment.values() if each.newest]
    pasted = _Pasted({each.code: each for each in pupils if each.code}, _by_name(pupils))
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise BadRows("Danh sách trống.", [RowProblem(1, _WHOLE_LINE, "Danh sách trống.", "Dán danh sách vào ô.")])
    for number, line in lines[: MAX_ROWS + 1]:
        pasted.line(number, line)
    if len(lines) > MAX_ROWS:
        pasted.problems.append(
            RowProblem(lines[MAX_ROWS][0], _WHOLE_LINE, f"Hơn {MAX_ROWS} dòng.", "Chia cho ít em hơn.")
        )
    refuse(pasted.problems)
    return _shares(session, school_id, pasted.found)


def _by_name(pupils: Sequence[Known]) -> dict[str, list[Known]]:
    """Return pupils by name, and by name with class before or behind it."""
    found: dict[str, list[Known]] = {}
    for each in pupils:
        name, group = search_key(each.full_name), search_key(each.class_code)
        for key in {name, f"{name} {group}", f"{group} {name}"}:
            found.setdefault(key, []).append(each)
    return found


def _sums_at_end(text: str) -> list[tuple[Money, str]]:
    """Return each sum that a line may end with, and what stands before it; several where blanks part its groups."""
    bare = re.sub(r"(?i)\s*(đồng|vnđ|vnd|đ|d|₫)\s*$", "", text)
    parts = re.split(r"[;\t]", bare)
    if len(parts) > 1:
        cuts = [(parts[-1].split(), " ".join(parts[:-1]))]
    else:
        words = bare.split()
        firsts = range(max(len(words) - _MOST_GROUPS, 0), len(words))
        cuts = [(words[first:], " ".join(words[:first])) for first in firsts]
    found = [(" ".join(last), before.strip()) for last, before in cuts]
    return [(Money(int(re.sub(r"\D", "", last))), before) for last, before in found if _AMOUNT.fullmatch(last)]


def _shares(session: Session, school_id: UUID, found: Sequence[tuple[UUID, Money]]) -> list[Share]:
    wanted = [enrolment for enrolment, _ in found]
    rows = session.exec(
        select(Enrolment.id, Enrolment.pupil_id).where(Enrolment.school_id == school_id, col(Enrolment.id).in_(wanted))
    ).all()
    pupils = dict(rows)
    return [Share(pupils[enrolment], amount) for enrolment, amount in found]
