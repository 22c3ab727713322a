"""Which months the State pays for a pupil, at what rate, and how that differs from what was asked for before (pure).

The rules, in the order they are applied:

1. A month counts if the pupil is enrolled on at least one day of it. It belongs to the school where the pupil was
   first in that month; on the same day, to the one that enrolled the pupil earlier. So it counts once.
2. June, July and August are no months of study where nine a year are paid for (decree 238); preschools and
   continuing education are paid for the months studied.
3. A grant (the exemption of public schools, a reduction, a right to learning-cost support) counts for a month if it
   is valid on the pupil's first day in it; of several, the one with the highest share.
4. Support of private pupils is at most the school's own tuition of that pupil and month.
5. Where a private school's bill takes a reduction by law off that tuition, the list asks for exactly what the bill
   took off, for the school; it stands in the place of the support, since of two only one is granted (decision 0046).
6. No more months in a school year than the rate allows, the earliest first; what another school has asked for counts.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID

from billing.errors import Refused
from billing.fees.council_rates import KIND_NAMES, CouncilRate, RateKind, is_study_month, rate_for
from billing.fees.items import LEVEL_NAMES, Level, Span
from billing.fees.places import Located, where_on
from billing.money import ZERO, Money, total

MONTHS = 12
_YEAR_STARTS_IN = 8
_WINDOWS = {1: ((0, 9), (0, 12)), 2: ((1, 1), (1, 5))}


@dataclass(frozen=True, slots=True)
class Stay:
    """Days on which a pupil is enrolled at a school."""

    school: UUID
    days: Span


@dataclass(frozen=True, slots=True)
class Grant:
    """Why the State pays for a pupil: class, legal basis, share of the rate in percent, dates."""

    title: str
    legal_basis: str
    percent: int
    days: Span


@dataclass(frozen=True, slots=True)
class Billed:
    """What a private school's bill takes off a pupil's tuition of a month in the State's name, and by which right."""

    tuition: Money
    amount: Money
    title: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Learner:
    """What the rules need of a pupil. ``tuition``: the school's own price by month, for private support only.

    ``billed``: the months whose bill holds a reduction by law, at private schools only. ``barred`` says in words why
    the State pays nothing else for this pupil (a foreign nationality); empty means it does.
    """

    pupil_id: UUID
    enrolment_id: UUID
    level: Level
    class_name: str
    stays: tuple[Stay, ...]
    grants: tuple[Grant, ...]
    tuition: Mapping[date, Money] = field(default_factory=dict)
    barred: str = ""
    billed: Mapping[date, Billed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a claim is for: kind, school and places, months (both included), rates, and who is paid in which month."""

    kind: RateKind
    school: UUID
    places: tuple[Located, ...]
    school_year: str
    first_month: date
    last_month: date
    rates: tuple[CouncilRate, ...]
    payees: Mapping[date, str] = field(default_factory=dict)

    def payee(self, month: date) -> str:
        """Return who is paid: the school for its own tuition, the family for learning costs, else as decided."""
        fixed = {RateKind.TUITION: "school", RateKind.LEARNING: "family"}
        return fixed.get(self.kind) or self.payees.get(month, "family")


@dataclass(frozen=True, slots=True)
class MonthRight:
    """What the State owes for one pupil and month, and why."""

    pupil_id: UUID
    enrolment_id: UUID
    month: date
    rate: Money
    amount: Money
    months_cap: int | None
    payee: str
    class_name: str
    title: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Known:
    """The last thing any school asked for a pupil and month; ``line`` is it in full if we did."""

    pupil_id: UUID
    month: date
    revision: int
    amount: Money
    line: MonthRight | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a claim: what is right now, what was asked for before, and the number of this revision."""

    right: MonthRight
    previous: Money
    revision: int

    @property
    def amount(self) -> Money:
        """What this line adds to the claim; negative where too much had been asked for."""
        return self.right.amount - self.previous


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something a person should look at: the pupil concerned, and a sentence without the name."""

    pupil_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class Worked:
    """What came out: the lines in order, and what was left out with the reason."""

    lines: tuple[Difference, ...]
    oddities: tuple[Oddity, ...]

    @property
    def total(self) -> Money:
        """The sum of all lines."""
        return total(line.amount for line in self.lines)


def year_of(school_year: str) -> Span:
    """Return the days of ``2025-2026``: 1 August to 31 July; raises ``Refused`` for anything else."""
    first, _, last = school_year.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(first) == len(last) == 4 and int(last) == int(first) + 1):  # noqa: PLR2004  four digits
        raise Refused(f"Năm học phải có dạng 2025-2026, không phải {school_year!r}.")
    return Span(date(int(first), _YEAR_STARTS_IN, 1), date(int(last), _YEAR_STARTS_IN, 1) - timedelta(days=1))


def usual_months(school_year: str, instalment: int) -> tuple[date, date]:
    """Return the first and last month of an instalment: September to December, January to May."""
    first = year_of(school_year).start.year
    (one, start), (other, end) = _WINDOWS[instalment]
    return date(first + one, start, 1), date(first + other, end, 1)


def month_after(month: date) -> date:
    """Return the first day of the next month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def days_of(month: date) -> Span:
    """Return a calendar month as days."""
    return Span(month.replace(day=1), month_after(month) - timedelta(days=1))


def owner_of(month: date, stays: Iterable[Stay]) -> Stay | None:
    """Return the stay to which a month belongs; None if the pupil was nowhere."""
    within = [
        ((common.start, stay.days.start, str(stay.school)), stay)
        for stay in stays
        if (common := stay.days.within(days_of(month)))
    ]
    return min(within, key=lambda each: each[0], default=(None, None))[1]


def work_out(learners: Sequence[Learner], rules: ClaimRules, known: Sequence[Known]) -> Worked:
    """Return the lines of a claim: what is right for its months, less what was asked for before.

    Raises ``Refused`` when a level has no rate: the council's resolution must be loaded first.
    """
    by_month = {(each.pupil_id, each.month): each for each in known}
    elsewhere: dict[UUID, set[date]] = defaultdict(set)
    for each in known:
        if each.line is None and each.amount:
            elsewhere[each.pupil_id].add(each.month)
    oddities: list[Oddity] = []
    rights = [right for learner in learners for right in _rights(learner, rules, elsewhere[learner.pupil_id], oddities)]
    lines = [*_changes(rights, by_month, oddities), *_withdrawals(rights, rules, known)]
    # What is taken back comes first, so that the months of a year never stand too high in between.
    lines.sort(key=lambda line: (line.amount > ZERO, str(line.right.pupil_id), line.right.month, line.revision))
    return Worked(tuple(lines), tuple(oddities))


def digest_of(rules: ClaimRules, instalment: int, codes: Sequence[str], worked: Worked) -> str:
    """Return SHA-256 (hex) over what a claim is for and all its lines: what one approves is what another saw."""
    head = [rules.kind, rules.school, rules.school_year, instalment, rules.first_month, rules.last_month, *codes]
    text = [json.dumps([str(each) for each in head], ensure_ascii=False)]
    text += [json.dumps(_plain(line), ensure_ascii=False) for line in worked.lines]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def _plain(line: Difference) -> list[str | int]:
    right = line.right
    return [
        str(right.pupil_id),
        str(right.enrolment_id),
        right.month.isoformat(),
        line.revision,
        right.rate.dong,
        right.amount.dong,
        line.previous.dong,
        right.payee,
        right.class_name,
        right.title,
        right.legal_basis,
    ]


def _rights(learner: Learner, rules: ClaimRules, elsewhere: set[date], oddities: list[Oddity]) -> Iterator[MonthRight]:
    """Yield what is right in the claim's months; the year's earlier months count towards the cap."""
    if learner.barred:
        if any(owner_of(month, learner.stays) for month in _window(rules)):
            oddities.append(Oddity(learner.pupil_id, learner.barred))
        if not learner.billed:
            return
    used = len(elsewhere)
    for month in _months(year_of(rules.school_year).start, rules.last_month):
        right = _right(learner, rules, month, oddities if month >= rules.first_month else [])
        if right is None:
            continue
        used += 1
        if used <= (right.months_cap or MONTHS) and month >= rules.first_month:
            yield right


def _right(learner: Learner, rules: ClaimRules, month: date, oddities: list[Oddity]) -> MonthRight | None:
    stay = owner_of(month, learner.stays)
    if stay is None or stay.school != rules.school or not is_study_month(learner.level, month):
        return None
    by_rate = None if learner.barred else _by_rate(learner, rules, stay, month, oddities)
    billed = learner.billed.get(month)
    return by_rate if billed is None else _by_bill(learner, month, billed, by_rate, oddities)


def _by_bill(
    learner: Learner, month: date, billed: Billed, by_rate: MonthRight | None, oddities: list[Oddity]
) -> MonthRight:
    """Return what a private school's bill took off by law; where the family's support would be more, say so."""
    if by_rate is not None and by_rate.payee == "family" and by_rate.amount > billed.amount:
        text = (
            f"Tháng {month:%m/%Y}: giấy báo thu đã trừ {billed.amount} theo diện miễn giảm, ít hơn mức hỗ trợ"
            f" {by_rate.amount}. Mỗi tháng chỉ hưởng một mức; muốn hưởng mức cao hơn, hãy kết thúc miễn giảm."
        )
        oddities.append(Oddity(learner.pupil_id, text))
    return MonthRight(
        pupil_id=learner.pupil_id,
        enrolment_id=learner.enrolment_id,
        month=month,
        rate=billed.tuition,
        amount=billed.amount,
        months_cap=None,
        payee="school",
        class_name=learner.class_name,
        title=billed.title,
        legal_basis=billed.legal_basis,
    )


def _by_rate(learner: Learner, rules: ClaimRules, stay: Stay, month: date, oddities: list[Oddity]) -> MonthRight | None:
    """Return what the council's rate comes to; raises ``Refused`` where there is none."""
    grant = _grant(learner, stay, month)
    if grant is None:
        return None
    rate = rate_for(rules.kind, where_on(rules.places, learner.level, month), month, rules.rates)
    if rate is None and month < rules.first_month:
        return None  # nothing was paid for it, so it counts for nothing
    if rate is None:
        raise Refused(
            f"{KIND_NAMES[rules.kind]}: chưa có mức của hội đồng nhân dân cho cấp {LEVEL_NAMES[learner.level]}, tháng"
            f" {month:%m/%Y}. Hãy nạp nghị quyết của tỉnh trước.",
            level=learner.level,
        )
    amount = rate.amount.percent(grant.percent)
    if rules.kind is RateKind.SUPPORT:
        amount = min(amount, learner.tuition.get(month, ZERO))
        if not amount:
            oddities.append(Oddity(learner.pupil_id, f"Không có học phí tính theo tháng cho tháng {month:%m/%Y}."))
            return None
    return MonthRight(
        pupil_id=learner.pupil_id,
        enrolment_id=learner.enrolment_id,
        month=month,
        rate=rate.amount,
        amount=amount,
        months_cap=rate.months,
        payee=rules.payee(month),
        class_name=learner.class_name,
        title=grant.title,
        legal_basis=f"{grant.legal_basis}; {rate.legal_basis}",
    )


def _grant(learner: Learner, stay: Stay, month: date) -> Grant | None:
    common = stay.days.within(days_of(month))
    held = [grant for grant in learner.grants if common is not None and grant.days.holds(common.start)]
    return max(held, key=lambda grant: (grant.percent, grant.days.start, grant.title), default=None)


def _changes(
    rights: Iterable[MonthRight], known: Mapping[tuple[UUID, date], Known], oddities: list[Oddity]
) -> Iterator[Difference]:
    for right in rights:
        before = known.get((right.pupil_id, right.month))
        if before is None:
            yield Difference(right, ZERO, 0)
        elif before.line is None and before.amount:
            text = f"Trường khác đã đề nghị tháng {right.month:%m/%Y}. Hãy thống nhất với trường đó trước."
            oddities.append(Oddity(right.pupil_id, text))
        elif before.line is not None and before.amount and before.line.payee != right.payee:
            yield Difference(replace(before.line, amount=ZERO), before.amount, before.revision + 1)
            yield Difference(right, ZERO, before.revision + 2)
        elif before.amount != right.amount:
            yield Difference(right, before.amount, before.revision + 1)


def _withdrawals(rights: Iterable[MonthRight], rules: ClaimRules, known: Iterable[Known]) -> Iterator[Difference]:
    """Yield what we asked for in the claim's months and what is no longer right."""
    right_now = {(right.pupil_id, right.month) for right in rights}
    for each in known:
        inside = rules.first_month <= each.month <= rules.last_month
        if each.line is not None and each.amount and inside and (each.pupil_id, each.month) not in right_now:
            yield Difference(replace(each.line, amount=ZERO), each.amount, each.revision + 1)


def _window(rules: ClaimRules) -> Iterator[date]:
    return _months(rules.first_month, rules.last_month)


def _months(first: date, last: date) -> Iterator[date]:
    month = first
    while month <= last:
        yield month
        month = month_after(month)
