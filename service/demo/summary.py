"""What the main job came to, read from the database alone: the same rows give the same summary, to the đồng.

No time and no random id is in it. *Callbacks* are the stored messages of the bank's feeds; the *duplicates* among
them told of a transfer we knew (a repeat in the very same bytes is stored once, and is one message).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TextIO
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.ledger.balances import trial_balance
from billing.ledger.tables import BankAccount
from billing.money import Money, total
from billing.people.tables import School
from reconciliation.daily_check import bank_net, book_net
from reconciliation.reports.wording import RULES
from service.database import EVERYTHING
from service.wiring import Wiring

# Each query returns the school's id and whole numbers, one row for each school that has any.
_COUNTS: Mapping[tuple[str, ...], str] = {
    ("pupils",): "SELECT school_id, count(DISTINCT pupil_id) FROM enrolments WHERE state = 'studying' GROUP BY 1",
    ("absences",): "SELECT school_id, count(*) FROM absences WHERE withdrawn_at IS NULL GROUP BY 1",
    ("bills", "billed"): """
        SELECT school_id, count(*), sum(family_due) FROM bills b
        WHERE NOT EXISTS (SELECT FROM bill_voids v WHERE v.bill_id = b.id) GROUP BY 1""",
    ("callbacks", "duplicates", "unreadable"): """
        SELECT f.school_id, count(*), sum(r.duplicates), count(*) FILTER (WHERE r.outcome = 'quarantined')
        FROM inbox i JOIN feeds f ON f.id = i.feed_id LEFT JOIN inbox_results r ON r.inbox_id = i.id
        WHERE f.provider <> 'statement' GROUP BY 1""",
    ("statement_lines",): "SELECT school_id, count(*) FROM statement_lines GROUP BY 1",
    ("transfers_in", "money_in", "transfers_out", "money_out"): """
        SELECT school_id, count(*) FILTER (WHERE direction = 'in'),
               coalesce(sum(amount) FILTER (WHERE direction = 'in'), 0), count(*) FILTER (WHERE direction = 'out'),
               coalesce(sum(amount) FILTER (WHERE direction = 'out'), 0)
        FROM transfers WHERE state NOT IN ('duplicate', 'quarantined') GROUP BY 1""",
    ("waiting", "waiting_amount", "held", "held_amount"): """
        SELECT school_id, count(*) FILTER (WHERE state = 'waiting'),
               coalesce(sum(amount) FILTER (WHERE state = 'waiting'), 0), count(*) FILTER (WHERE state = 'held'),
               coalesce(sum(amount) FILTER (WHERE state = 'held'), 0)
        FROM transfers WHERE direction = 'in' GROUP BY 1""",
    ("receipts", "receipted"): """
        SELECT school_id, count(*), sum(amount) FROM receipts r
        WHERE NOT EXISTS (SELECT FROM receipt_voids v WHERE v.receipt_id = r.id) GROUP BY 1""",
    ("received",): """
        SELECT school_id, sum(amount) FROM payments p
        WHERE NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = p.id) GROUP BY 1""",
    ("allocated",): """
        SELECT school_id, sum(amount) FROM allocations a
        WHERE NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = a.payment_id) GROUP BY 1""",
}
# The newest decision about each transfer counts.
_DECISIONS = """
    SELECT t.school_id, t.state, m.outcome, m.evidence->>'rule', count(*) FROM transfers t
    JOIN LATERAL (SELECT outcome, evidence, made_by FROM matches m
                  WHERE m.school_id = t.school_id AND m.transfer_id = t.id ORDER BY id DESC LIMIT 1) m ON true
    WHERE t.state IN ('matched', 'waiting') AND m.made_by IS NULL GROUP BY 1, 2, 3, 4"""
_MESSAGES = "SELECT school_id, channel, state, count(*) FROM messages GROUP BY 1, 2, 3"

_OUTCOMES = {
    "matched": "đúng số tiền",
    "partial": "thiếu, ghi nhận một phần",
    "overpaid": "thừa, phần dư vào tiền nộp thừa",
    "credited": "đã nộp trước đó, vào tiền nộp thừa",
    "split": "một lần cho nhiều học sinh",
}
_CHANNELS = {"zalo": "Zalo", "email": "thư điện tử", "sms": "SMS"}
_MESSAGE_STATES = {
    "accepted": "đã gửi",
    "pending": "chờ gửi",
    "failed": "không gửi được",
    "unknown": "không rõ đã đến chưa",
    "superseded": "không cần nữa",
}
_MOST_SCHOOLS = 12
_VIETNAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened at one school, or at all of them together. ``numbers`` are counts and whole đồng by name."""

    code: str
    name: str
    numbers: Mapping[str, int]
    alone: Mapping[str, int] = field(default_factory=dict)
    waiting_for: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """Return a number by its name."""
        return self.numbers[name]

    def money(self, name: str) -> Money:
        """Return an amount by its name."""
        return Money(self.numbers[name])

    @property
    def matched_alone(self) -> int:
        """Count the transfers that found their bills without a person."""
        return sum(self.alone.values())


@dataclass(frozen=True, slots=True)
class Summary:
    """All schools by code, and all of them together."""

    schools: tuple[Figures, ...]
    all: Figures


def summarise(wiring: Wiring) -> Summary:
    """Read the summary; wait until all is quiet first (``service/demo/quiet.py``)."""
    today = (wiring.clock() + _VIETNAM).date()
    with wiring.database.transaction(EVERYTHING) as session:
        found = _Found(session)
        schools = session.exec(select(School).order_by(col(School.code))).all()
        figures = tuple(found.figures(school, today) for school in schools)
    return Summary(figures, _together(figures))


class _Found:
    """The queries' answers by school, each asked once for all schools."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._numbers: dict[UUID, dict[str, int]] = {}
        for names, query in _COUNTS.items():
            for school_id, *values in _rows(session, query):
                mine = self._numbers.setdefault(school_id, {})
                mine.update({name: int(value or 0) for name, value in zip(names, values, strict=True)})
        self._alone: dict[UUID, Counter[str]] = {}
        self._waiting: dict[UUID, Counter[str]] = {}
        for school_id, state, outcome, rule, count in _rows(session, _DECISIONS):
            kept, key = (self._alone, outcome) if state == "matched" else (self._waiting, rule)
            kept.setdefault(school_id, Counter())[key] += count
        self._messages: dict[UUID, Counter[tuple[str, str]]] = {}
        for school_id, channel, state, count in _rows(session, _MESSAGES):
            self._messages.setdefault(school_id, Counter())[channel, state] += count

    def figures(self, school: School, today: date) -> Figures:
        """Return one school's figures, with its book and bank compared at the end of a day."""
        numbers = {name: 0 for names in _COUNTS for name in names} | self._numbers.get(school.id, {})
        numbers["credit"] = numbers.pop("received") - numbers["allocated"]
        numbers["ledger_sum"] = total(trial_balance(self._session, school.id).values()).dong
        numbers["bank_minus_book"] = _difference(self._session, school.id, today)
        return Figures(
            school.code,
            school.name,
            numbers,
            self._alone.get(school.id, {}),
            self._waiting.get(school.id, {}),
            self._messages.get(school.id, {}),
        )


def _rows(session: Session, query: str) -> Iterable[Sequence[Any]]:
    return session.execute(text(query)).all()


def _difference(session: Session, school_id: UUID, today: date) -> int:
    """Add up by how much each account's bank and book differ; a plus must not hide a minus."""
    accounts = session.exec(select(BankAccount).where(BankAccount.school_id == school_id)).all()
    return sum(abs((bank_net(session, each, today) - book_net(session, each, today)).dong) for each in accounts)


def _together(schools: Sequence[Figures]) -> Figures:
    names = [name for names in _COUNTS for name in names if name != "received"]
    names += ["credit", "ledger_sum", "bank_minus_book"]
    alone, waiting, messages = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for each in schools:
        alone.update(each.alone)
        waiting.update(each.waiting_for)
        messages.update(each.messages)
    numbers = {name: sum(each.count(name) for each in schools) for name in names}
    return Figures("", "Tất cả", numbers, alone, waiting, messages)


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as plain values with keys in a fixed order; amounts in whole đồng."""
    return {
        "all": _plain(summary.all),
        "schools": {each.code: {"name": each.name, **_plain(each)} for each in summary.schools},
    }


def _plain(figures: Figures) -> dict[str, Any]:
    by_channel: dict[str, dict[str, int]] = {}
    for (channel, state), count in sorted(figures.messages.items()):
        by_channel.setdefault(channel, {})[state] = count
    return {
        **dict(sorted(figures.numbers.items())),
        "matched_alone": figures.matched_alone,
        "matched_alone_by_outcome": dict(sorted(figures.alone.items())),
        "waiting_by_rule": dict(sorted(figures.waiting_for.items())),
        "messages": by_channel,
    }


def print_summary(summary: Summary, to: TextIO | None = None) -> None:
    """Print the summary in Vietnamese, numbers aligned to the right."""
    lines = [*_table(summary), "", *_aligned(list(_lines(summary.all)))]
    print("\n".join(lines), file=to or sys.stdout)


_Line = tuple[str, str, str]


def _lines(figures: Figures) -> Iterator[_Line]:
    """Yield what is printed of all schools together: label, number, amount or remark."""
    yield _of(figures, "Học sinh", "pupils")
    yield _of(figures, "Ngày vắng đã điểm danh", "absences")
    yield _of(figures, "Thông báo thu, số phải nộp", "bills", "billed")
    yield _of(figures, "Ngân hàng báo có (callback)", "callbacks")
    yield _of(figures, "  trong đó báo trùng", "duplicates")
    yield _of(figures, "  trong đó không đọc được", "unreadable")
    yield _of(figures, "Dòng sao kê đã nhập", "statement_lines")
    yield _of(figures, "Giao dịch tiền vào", "transfers_in", "money_in")
    yield _of(figures, "Giao dịch tiền ra", "transfers_out", "money_out")
    yield "Tự khớp, không cần người", str(figures.matched_alone), ""
    for outcome, count in _most_first(figures.alone):
        yield f"  {_OUTCOMES.get(outcome, outcome)}", str(count), ""
    yield _of(figures, "Chờ người xử lý", "waiting", "waiting_amount")
    for rule, count in _most_first(figures.waiting_for):
        yield f"  {_uncapitalised(RULES.get(rule, rule))}", str(count), ""
    yield _of(figures, "Tạm giữ (số tiền lớn, kênh chỉ có API key)", "held", "held_amount")
    yield _of(figures, "Biên lai", "receipts", "receipted")
    yield "  đã gắn vào thông báo thu", "", str(figures.money("allocated"))
    yield "  tiền nộp thừa", "", str(figures.money("credit"))
    yield "Tổng sổ cái (phải bằng 0)", "", str(figures.money("ledger_sum"))
    yield "Chênh lệch ngân hàng và sổ (phải bằng 0)", "", str(figures.money("bank_minus_book"))
    yield "Tin báo gia đình", str(sum(figures.messages.values())), ""
    for (channel, state), count in sorted(figures.messages.items()):
        yield f"  {_CHANNELS.get(channel, channel)}, {_MESSAGE_STATES.get(state, state)}", str(count), ""


def _of(figures: Figures, label: str, count: str, amount: str | None = None) -> _Line:
    return label, str(Money(figures.count(count))).removesuffix(" đ"), str(figures.money(amount)) if amount else ""


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _uncapitalised(words: str) -> str:
    return words[:1].lower() + words[1:]


def _table(summary: Summary) -> list[str]:
    """Return one line for each school (of many only the first) and one for all."""
    shown = summary.schools[:_MOST_SCHOOLS]
    left_out = len(summary.schools) - len(shown)
    heads = ("Trường", "Học sinh", "Thông báo", "Phải nộp", "Tiền vào", "Tự khớp", "Chờ", "Giữ", "Biên lai", "Đã nộp")
    rows = [heads, *(_row(each) for each in (*shown, summary.all))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    lines = [_joined(row, widths) for row in rows]
    more = [f"… và {left_out} trường nữa"] if left_out else []
    return [*lines[:-1], *more, "-" * len(lines[-1]), lines[-1]]


def _row(figures: Figures) -> tuple[str, ...]:
    return (
        figures.name,
        str(figures.count("pupils")),
        str(figures.count("bills")),
        str(figures.money("billed")),
        str(figures.money("money_in")),
        str(figures.matched_alone),
        str(figures.count("waiting")),
        str(figures.count("held")),
        str(figures.count("receipts")),
        str(figures.money("allocated")),
    )


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *rest))


def _aligned(lines: Sequence[_Line]) -> list[str]:
    widths = [max(len(line[place]) for line in lines) for place in range(3)]
    return [_joined(line, widths).rstrip() for line in lines]
