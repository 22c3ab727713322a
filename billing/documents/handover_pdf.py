"""The record of a hand-over, "BIÊN BẢN BÀN GIAO QUỸ TIỀN MẶT": movements, notes counted, two signatures (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from reportlab.platypus import Flowable, Spacer

from billing.documents.pdf import INNER_WIDTH, Printout, columns, field, grid, line, one_at_a_time, render
from billing.documents.words import amount_in_words
from billing.money import ZERO, Money, total

_LOCAL = timezone(timedelta(hours=7))
_SUM, _NUMBER = 66, 92


@dataclass(frozen=True, slots=True)
class HandoverLine:
    """A movement of cash: the number of its paper, the day, what it was, and what came in less what went out."""

    number: str
    day: date
    words: str
    amount: Money


@dataclass(frozen=True, slots=True)
class HandoverDocument:
    """Everything the record shows. ``notes``: face value and how many; ``stands``: where it stands, in words."""

    unit_name: str
    unit_address: str
    number: int
    made_at: datetime
    giver: str
    receiver: str
    opening: Money
    closing: Money
    lines: tuple[HandoverLine, ...]
    notes: tuple[tuple[int, int], ...]
    note: str
    stands: str

    def __post_init__(self) -> None:
        if self.opening + total(each.amount for each in self.lines) != self.closing:
            raise ValueError("a hand-over goes from its opening by its lines to its closing")


@one_at_a_time
def handover_pdf(record: HandoverDocument) -> bytes:
    """Return the record as PDF; the same record always gives the same bytes."""
    story: list[Flowable] = [*_heading(record), _movements(record), Spacer(0, 6), *_counted(record), Spacer(0, 10)]
    story.append(_signatures(record))
    title = f"Biên bản bàn giao quỹ số {record.number}"
    return render([Printout(story, f"{title} · {record.unit_name}")], title=title, author=record.unit_name)


def _heading(record: HandoverDocument) -> list[Flowable]:
    at = record.made_at.astimezone(_LOCAL)
    found: list[Flowable] = [line(f"Đơn vị: {record.unit_name}", bold=True)]
    if record.unit_address:
        found.append(line(f"Địa chỉ: {record.unit_address}", size=8))
    return [
        *found,
        Spacer(0, 8),
        line("BIÊN BẢN BÀN GIAO QUỸ TIỀN MẶT", size=14, bold=True, align="center"),
        line(f"Số {record.number} · {at:%H:%M} ngày {at:%d} tháng {at:%m} năm {at:%Y}", align="center"),
        Spacer(0, 6),
        field("Bên giao", record.giver),
        field("Bên nhận", record.receiver),
        field("Tình trạng", record.stands),
        *([field("Ghi chú", record.note)] if record.note else []),
        Spacer(0, 5),
    ]


def _movements(record: HandoverDocument) -> Flowable:
    """Return the list of movements with opening, sums and closing."""
    head = [
        line(name, bold=True, align="right" if name in {"Thu", "Chi"} else "left")
        for name in ("Biên lai, chứng từ", "Ngày, nội dung", "Thu", "Chi")
    ]
    rows = [
        [line(each.number), line(f"{each.day:%d/%m/%Y} · {each.words}"), *_in_and_out(each)] for each in record.lines
    ]
    came = total(each.amount for each in record.lines if each.amount > ZERO)
    went = total(ZERO - each.amount for each in record.lines if each.amount < ZERO)
    table: list[list[Any]] = [
        [*head],
        [line("Tồn đầu", bold=True), "", _sum(record.opening), ""],
        *rows,
        [line("Cộng", bold=True), "", _sum(came), _sum(went)],
        [line("Tồn quỹ bàn giao", bold=True), "", _sum(record.closing), ""],
    ]
    spans = [("SPAN", (0, row), (1, row)) for row in (1, -2, -1)]
    return grid(table, [_NUMBER, INNER_WIDTH - _NUMBER - 2 * _SUM, _SUM, _SUM], spans)


def _in_and_out(each: HandoverLine) -> list[Flowable]:
    empty = line("")
    return [_sum(each.amount), empty] if each.amount > ZERO else [empty, _sum(ZERO - each.amount)]


def _sum(amount: Money) -> Flowable:
    return line(str(amount), size=8, align="right")


def _counted(record: HandoverDocument) -> list[Flowable]:
    notes = ", ".join(f"{number} × {Money(face)}" for face, number in record.notes) or "không có tờ nào"
    found: list[Flowable] = [field("Tiền mặt đã đếm", notes)]
    if record.closing >= ZERO:
        found.append(field("Bằng chữ", amount_in_words(record.closing)))
    return found


def _signatures(record: HandoverDocument) -> Flowable:
    half = INNER_WIDTH // 2
    sides = [
        [line(side, bold=True, align="center"), line("(Ký, ghi rõ họ tên)", size=7, align="center"), Spacer(0, 44),
         line(name, align="center", limit=80)]
        for side, name in (("Bên giao", record.giver), ("Bên nhận", record.receiver))
    ]  # fmt: skip
    return columns(sides, [half, INNER_WIDTH - half])
