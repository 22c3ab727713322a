"""What an act of the queue does, as the second person reads it: a head and what stands out before the lines (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.money import ZERO, Money, total
from reconciliation.queue.pieces import Piece
from reconciliation.queue.sharing import OpenBill

FEW = 5
"""So many lines are read at one look; to more nobody agrees by a key pressed on the act, and they are folded."""

ODD = {
    "over": ("Nhiều hơn số còn phải nộp, không ghi được", "More than is open, cannot be stored"),
    "credit": ("Vào tiền tồn của em", "Into the pupil's credit"),
    "elsewhere": ("Vào khoản thu của tài khoản khác", "Into a bill of another account"),
    "part": ("Chỉ nộp một phần", "Pays in part only"),
    "rest": ("Em còn khoản khác chưa nộp", "The pupil has another bill open"),
}
"""How a line may stand out, the gravest first, in Vietnamese and English."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Why a line stands out (a key of ``ODD``), over how much of it, and the sum to compare it with, in words."""

    kind: str
    amount: Money
    note: str = ""

    @property
    def words(self) -> tuple[str, str]:
        """How it stands out, in Vietnamese and English."""
        return ODD[self.kind]


@dataclass(frozen=True, slots=True)
class PaidRow:
    """What a transfer pays or paid: a pupil's part with its receipt; ``odd`` if it stands out."""

    pupil: str
    class_name: str
    amount: Money
    receipt: str
    bills: tuple[str, ...]
    pupil_id: str = ""
    odd: Oddity | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that belong together, and what they sum to; ``key``: their class, or how they stand out."""

    key: str
    rows: tuple[PaidRow, ...]
    amount: Money

    @property
    def children(self) -> int:
        """How many pupils the lines are of."""
        return children_of(self.rows)

    @property
    def words(self) -> tuple[str, str]:
        """How these lines stand out, in Vietnamese and English."""
        return ODD[self.key]


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act that waits for a second person; ``mine``: the visitor made it and cannot agree."""

    act_id: str
    kind: str
    transfer_id: str
    transfer: str
    amount: Money
    memo: str
    reason: str
    made_by: str
    at: datetime
    parts: tuple[PaidRow, ...]
    mine: bool
    rule: str = ""

    @property
    def few(self) -> bool:
        """Tell whether all lines are read at one look."""
        return len(self.parts) <= FEW

    @property
    def children(self) -> int:
        """How many pupils it is about."""
        return children_of(self.parts)

    @property
    def given(self) -> Money:
        """What its lines sum to."""
        return total(part.amount for part in self.parts)

    @property
    def classes(self) -> tuple[Lines, ...]:
        """Its lines by class, where they are too many to be read at one look."""
        return folded(self.parts)

    @property
    def odd(self) -> tuple[Lines, ...]:
        """The lines that stand out, by how they do, the gravest first."""
        return odd_lines(self.parts)


def children_of(rows: Iterable[PaidRow]) -> int:
    """Return how many pupils some lines are of."""
    return len({row.pupil_id for row in rows})


def folded(rows: Sequence[PaidRow]) -> tuple[Lines, ...]:
    """Return lines by class where they are to be folded; nothing where all are read at one look."""
    return by_class(rows) if len(rows) > FEW else ()


def by_class(rows: Iterable[PaidRow]) -> tuple[Lines, ...]:
    """Return lines by class, in the order of the classes' names; each line once."""
    groups: dict[str, list[PaidRow]] = defaultdict(list)
    for row in rows:
        groups[row.class_name].append(row)
    return tuple(
        Lines(name, tuple(groups[name]), total(row.amount for row in groups[name]))
        for name in sorted(groups, key=lambda name: (len(name), name))  # 2A before 10A
    )


def odd_lines(rows: Iterable[PaidRow]) -> tuple[Lines, ...]:
    """Return the lines that stand out, by how they do; what they sum to is over what stands out of each."""
    groups: dict[str, list[tuple[PaidRow, Money]]] = defaultdict(list)
    for row in rows:
        if row.odd is not None:
            groups[row.odd.kind].append((row, row.odd.amount))
    return tuple(
        Lines(kind, tuple(row for row, _ in groups[kind]), total(amount for _, amount in groups[kind]))
        for kind in ODD
        if kind in groups
    )


def oddity(piece: Piece, pieces: Sequence[Piece], bills: Sequence[OpenBill]) -> Oddity | None:
    """Return how a part stands out, if it does: by anything but paying in full all that the pupil owes here.

    ``pieces``: all parts of the act for this pupil; ``bills``: what is open for it now, on every account.
    """
    given = {each.bill_id: each.amount for each in pieces}
    left = total(bill.rest - min(bill.rest, given.get(bill.bill_id, ZERO)) for bill in bills if bill.here)
    if piece.bill_id is None:
        return Oddity("credit", piece.amount, f"em còn {left} chưa nộp" if left else "")
    bill = next((each for each in bills if each.bill_id == piece.bill_id), None)
    if bill is None or piece.amount > bill.rest:
        return Oddity("over", piece.amount, f"nay chỉ còn {bill.rest if bill else ZERO}")
    if not bill.here:
        return Oddity("elsewhere", piece.amount)
    if piece.amount < bill.rest:
        return Oddity("part", piece.amount, f"phải nộp {bill.rest}")
    return Oddity("rest", piece.amount, f"còn {left}") if left else None
