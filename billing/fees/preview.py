"""What a billing round will do, shown before it does it: totals, differences, oddities and a digest (pure)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from billing.errors import Refused
from billing.fees.caps import CapVerdict
from billing.fees.charges import Charge, ChargeLine, Period
from billing.fees.charging import split_by_account
from billing.fees.explaining import because_json
from billing.fees.items import Payer
from billing.money import ZERO, Money, total

DIGEST_FORMAT = "hocphi round 2"


class OddityKind(StrEnum):
    """What an accountant should look at before a round is submitted."""

    NO_CAP = "no_cap"
    TOTAL = "total"
    ZERO = "zero"
    EMPTY = "empty"
    NO_CLASS = "no_class"
    JUMP = "jump"
    NO_CONTACT = "no_contact"
    WAITING_REDUCTION = "waiting_reduction"


# These two need the approver's yes in so many words; the others are for looking.
MUST_CONFIRM = frozenset({OddityKind.NO_CAP, OddityKind.TOTAL})


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing to look at: of a pupil, of an item, or of the whole round. The text names no class of hardship."""

    kind: OddityKind
    text: str
    pupil_id: UUID | None = None
    item_code: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far things may move against the last round before they are shown (pupil) or asked about (total)."""

    pupil_percent: int = 50
    total_percent: int = 20


@dataclass(frozen=True, slots=True)
class Totals:
    """One sum of money with its payers; gross = family + State + school + donor."""

    pupils: int
    gross: Money
    family: Money
    state: Money
    school: Money
    donor: Money


@dataclass(frozen=True, slots=True)
class ItemTotals:
    """What one item comes to over all pupils."""

    code: str
    name: str
    account: str
    quantity: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Change:
    """A pupil whose family's due differs from the last round."""

    pupil_id: UUID
    was: Money
    now: Money


@dataclass(frozen=True, slots=True)
class Difference:
    """How the round differs from the last one, in families' dues."""

    was: Money
    now: Money
    new: tuple[UUID, ...]
    gone: tuple[UUID, ...]
    changed: tuple[Change, ...]

    @property
    def change(self) -> Money:
        """How much more (or, below zero, less) families owe than in the last round."""
        return self.now - self.was


@dataclass(frozen=True, slots=True)
class Preview:
    """All that a person sees before a round is submitted; ``digest`` names exactly these charges."""

    totals: Totals
    bills: int
    covered: int
    items: tuple[ItemTotals, ...]
    difference: Difference
    oddities: tuple[Oddity, ...]
    digest: str

    @property
    def must_confirm(self) -> tuple[Oddity, ...]:
        """What the approver must agree to in so many words."""
        return tuple(oddity for oddity in self.oddities if oddity.kind in MUST_CONFIRM)


def make_preview(
    charges: Sequence[Charge],
    last: Mapping[UUID, Money],
    verdicts: Sequence[CapVerdict] = (),
    without_contact: Collection[UUID] = (),
    bounds: Bounds = Bounds(),
) -> Preview:
    """Return the preview of a round; the order of the charges makes no difference.

    ``last``: what each family owed for the last round (empty for the first one). Raises ``Refused`` if a pupil
    is charged twice.
    """
    charges = _in_order(charges)
    difference = _difference(charges, last)
    parts = [part for charge in charges for part in split_by_account(charge).values()]
    return Preview(
        totals=_totals([line for charge in charges for line in charge.lines], len(charges)),
        bills=len(parts),
        covered=sum(part.covered for part in parts),
        items=_item_totals(charges),
        difference=difference,
        oddities=(
            *_questions(verdicts, difference, last, bounds),
            *_odd_charges(charges, last, frozenset(without_contact), bounds),
        ),
        digest=digest_of(charges),
    )


def digest_of(charges: Sequence[Charge]) -> str:
    """Return the SHA-256 (hex) of everything a round would write, whatever the order of the charges.

    Equal digests mean equal bills: pupils, accounts, items, quantities, prices, reductions, payers, legal bases.
    """
    digest = hashlib.sha256(DIGEST_FORMAT.encode())
    # Pupils with the same facts share one tuple of lines, others some of the lines.
    lines: dict[int, str] = {}
    known: dict[int, bytes] = {}
    for charge in charges:
        if id(charge.lines) not in known:
            texts = [
                lines.get(id(line)) or lines.setdefault(id(line), _plain(_canonical_line(line)))
                for line in charge.lines
            ]
            known[id(charge.lines)] = f"[{','.join(texts)}]]".encode()
    periods: dict[int, str] = {}
    for charge in _in_order(charges):
        period = periods.get(id(charge.period))
        if period is None:
            period = periods[id(charge.period)] = _plain(_canonical(charge.period))[1:-1]
        digest.update(f'\n["{charge.pupil_id}",{period},'.encode())
        digest.update(known[id(charge.lines)])
    return digest.hexdigest()


def _plain(content: list[object]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _in_order(charges: Sequence[Charge]) -> list[Charge]:
    ordered = sorted(charges, key=lambda charge: charge.pupil_id.int)  # as ids compare, without asking Python each time
    for earlier, later in pairwise(ordered):
        if earlier.pupil_id == later.pupil_id:
            raise Refused("Một học sinh bị tính hai lần trong cùng đợt thu.", pupil=later.pupil_id)
    return ordered


def _canonical(period: Period) -> list[object]:
    days = period.days
    return [period.code, days.start.isoformat(), days.end.isoformat() if days.end else None]


def _canonical_line(line: ChargeLine) -> list[object]:
    item = line.item
    taken = [
        [cause.id, cause.title, cause.payer, cause.percent, cause.legal_basis, cause.evidence, each.amount.dong]
        for each in line.reductions
        for cause in (each.reduction,)
    ]
    return [
        [item.code, item.name, item.group, item.unit, item.account, item.legal_basis, item.revenue_account],
        [line.quantity, line.unit_price.dong, line.gross.dong, line.family_share.dong],
        because_json(line.because),
        taken,
    ]


def _totals(lines: Sequence[ChargeLine], pupils: int) -> Totals:
    shares = {payer: total(line.share(payer) for line in lines) for payer in Payer}
    return Totals(
        pupils=pupils,
        gross=total(line.gross for line in lines),
        family=shares[Payer.FAMILY],
        state=shares[Payer.STATE],
        school=shares[Payer.SCHOOL],
        donor=shares[Payer.DONOR],
    )


def _item_totals(charges: Sequence[Charge]) -> tuple[ItemTotals, ...]:
    lines: dict[tuple[str, str, str], list[ChargeLine]] = {}
    pupils: dict[tuple[str, str, str], set[UUID]] = {}
    for charge in charges:
        for line in charge.lines:
            key = (line.item.code, line.item.name, line.item.account)
            lines.setdefault(key, []).append(line)
            pupils.setdefault(key, set()).add(charge.pupil_id)
    return tuple(
        ItemTotals(*key, sum(line.quantity for line in lines[key]), _totals(lines[key], len(pupils[key])))
        for key in sorted(lines)
    )


def _difference(charges: Sequence[Charge], last: Mapping[UUID, Money]) -> Difference:
    dues = {charge.pupil_id: charge.family_due for charge in charges}
    return Difference(
        was=total(last.values()),
        now=total(dues.values()),
        new=tuple(pupil for pupil in dues if pupil not in last),
        gone=tuple(pupil for pupil in sorted(last) if pupil not in dues),
        changed=tuple(
            Change(pupil, last[pupil], due) for pupil, due in dues.items() if pupil in last and last[pupil] != due
        ),
    )


def _moves(was: Money, now: Money, percent: int) -> bool:
    """Tell whether the amount moves by more than the share; from nothing to something always does."""
    return abs((now - was).dong) * 100 > was.dong * percent


def _questions(
    verdicts: Sequence[CapVerdict], difference: Difference, last: Mapping[UUID, Money], bounds: Bounds
) -> list[Oddity]:
    open_caps = {each.item.code: each.reason for each in verdicts if each.needs_yes}
    questions = [Oddity(OddityKind.NO_CAP, open_caps[code], item_code=code) for code in sorted(open_caps)]
    was, now = difference.was, difference.now
    if last and _moves(was, now, bounds.total_percent):
        text = f"Tổng gia đình phải nộp đổi từ {was} thành {now}, hơn {bounds.total_percent} % so với đợt trước."
        questions.append(Oddity(OddityKind.TOTAL, text))
    return questions


def _odd_charges(
    charges: Sequence[Charge], last: Mapping[UUID, Money], without_contact: frozenset[UUID], bounds: Bounds
) -> list[Oddity]:
    odd: list[Oddity] = []
    for charge in charges:
        pupil, due = charge.pupil_id, charge.family_due
        if not charge.lines:
            odd.append(Oddity(OddityKind.EMPTY, "Không có khoản thu nào áp dụng cho học sinh này.", pupil))
        elif charge.covered:
            odd.append(Oddity(OddityKind.ZERO, "Không phải nộp: không gửi thông báo, không có mã QR.", pupil))
        if due != ZERO and pupil in without_contact:
            odd.append(Oddity(OddityKind.NO_CONTACT, "Chưa có số điện thoại hoặc e-mail để báo thu.", pupil))
        if pupil in last and _moves(last[pupil], due, bounds.pupil_percent):
            text = f"Phải nộp đổi từ {last[pupil]} thành {due} so với đợt trước."
            odd.append(Oddity(OddityKind.JUMP, text, pupil))
    return odd
