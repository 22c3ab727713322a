"""What the families of a demonstration do with their payment requests in a month (pure).

The plan is a function of the seed and the requests, and knows them by school, pupil code and amount alone: two
databases with the same pupils get the same plan, whatever ids and references they drew. No story depends on the order
in which its transfers are heard of, so that the books come out the same however callbacks overtake each other; only
the rest of a sum paid in two parts comes *later*.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from operator import attrgetter

from billing.money import ZERO, Money
from billing.payments.reference import ALPHABET, DATA_LENGTH, make
from reconciliation.feeds.memo_damage import ROUTES
from reconciliation.matching import Direction
from service.demo.schools import Told


class Story(StrEnum):
    """What a family, or the school itself, does."""

    EXACT = "exact"
    NOT_AT_ALL = "not_at_all"
    IN_PART = "in_part"
    IN_TWO_PARTS = "in_two_parts"
    TOO_MUCH = "too_much"
    TWICE = "twice"
    SIBLINGS = "siblings"
    SIBLINGS_WRONG_SUM = "siblings_wrong_sum"
    LAST_MONTH_OPEN = "last_month_open"
    LAST_MONTH_PAID = "last_month_paid"
    WITHOUT_CODE = "without_code"
    WRONG_CHARACTER = "wrong_character"
    UNKNOWN_CODE = "unknown_code"
    OTHER_SCHOOL = "other_school"
    VERY_LARGE = "very_large"
    MONEY_OUT = "money_out"


@dataclass(frozen=True, slots=True)
class LastMonth:
    """The request of the month before: its amount when it was issued, and what of it was carried into this month."""

    reference: str
    due: Money
    carried: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A payment request as it was issued. ``pupil`` is the sector code; ``family`` is shared by siblings."""

    reference: str
    school: str
    pupil: str
    family: str
    account: str
    told_by: Told
    due: Money
    virtual_account: str | None = None
    last: LastMonth | None = None

    @property
    def by_memo(self) -> bool:
        """Tell whether the memo says what is paid; otherwise the virtual account does."""
        return self.virtual_account is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPayment:
    """One transfer: ``memo`` as typed, ``route`` the way it takes, ``at`` in UTC. ``key`` never repeats in a month.

    What comes ``later`` comes after everything else was settled: whether a sum is all that is due, or a part of it,
    depends on what was paid before.
    """

    key: str
    story: Story
    account: str
    amount: Money
    memo: str
    at: datetime
    route: str = "plain"
    virtual_account: str | None = None
    direction: Direction = Direction.IN
    payer_name: str = ""
    payer_account: str = ""
    later: bool = False


@dataclass(frozen=True, slots=True)
class _Casting:
    """How many families play a story: a share in ten thousand of the requests, and at least so many."""

    story: Story
    share: int
    at_least: int
    fits: Callable[[Asked], bool]


@dataclass(frozen=True, slots=True)
class Month:
    """A month's payments: they begin at ``first`` and end within ``window``, while the demo is playing."""

    code: str
    first: datetime
    window: timedelta
    cast: tuple[_Casting, ...]

    @staticmethod
    def day_of(at: datetime) -> date:
        """Return the day in Viet Nam."""
        return (at + _VIETNAM).date()

    def at(self, moment: float) -> datetime:
        """Return the second that stands for a share (from 0, below 1) of the month."""
        return (self.first + moment * self.window).replace(microsecond=0)


def _anybody(asked: Asked) -> bool:
    del asked
    return True


_by_memo = attrgetter("by_memo")


def _divisible(asked: Asked) -> bool:
    return asked.due > Money(1)


def _one_by_one(asked: Asked) -> bool:
    """Tell whether two parts can be heard of one after the other: a statement brings all at once."""
    return _divisible(asked) and asked.told_by is not Told.STATEMENT


def _left_open(asked: Asked) -> bool:
    return asked.by_memo and asked.last is not None and asked.last.carried == asked.last.due > ZERO


def _paid_before(asked: Asked) -> bool:
    return asked.by_memo and asked.last is not None and asked.last.carried == ZERO and asked.last.due > ZERO


def _by_api_key(asked: Asked) -> bool:
    return asked.by_memo and asked.told_by is Told.SEPAY_API_KEY


SEPTEMBER = Month(
    "2025-09",
    datetime(2025, 9, 8, 1, 0, 20, tzinfo=UTC),
    window=timedelta(minutes=1),
    cast=(
        _Casting(Story.NOT_AT_ALL, 300, 2, _by_memo),
        _Casting(Story.IN_PART, 150, 1, _divisible),
        _Casting(Story.NOT_AT_ALL, 150, 1, _anybody),
    ),
)
OCTOBER = Month(
    "2025-10",
    datetime(2025, 10, 6, 1, 0, 20, tzinfo=UTC),
    window=timedelta(minutes=1),
    cast=(
        _Casting(Story.VERY_LARGE, 4, 1, _by_api_key),
        _Casting(Story.LAST_MONTH_OPEN, 150, 1, _left_open),
        _Casting(Story.LAST_MONTH_PAID, 60, 1, _paid_before),
        _Casting(Story.SIBLINGS, 100, 1, _by_memo),
        _Casting(Story.SIBLINGS_WRONG_SUM, 30, 1, _by_memo),
        _Casting(Story.IN_TWO_PARTS, 100, 1, _one_by_one),
        _Casting(Story.IN_PART, 100, 1, _divisible),
        _Casting(Story.TOO_MUCH, 120, 1, _anybody),
        _Casting(Story.TWICE, 60, 1, _anybody),
        _Casting(Story.WITHOUT_CODE, 100, 1, _by_memo),
        _Casting(Story.WRONG_CHARACTER, 80, 1, _by_memo),
        _Casting(Story.UNKNOWN_CODE, 40, 1, _by_memo),
        _Casting(Story.OTHER_SCHOOL, 40, 1, _by_memo),
        _Casting(Story.NOT_AT_ALL, 1_050, 1, _anybody),
    ),
)

_VIETNAM = timedelta(hours=7)
_IN_PAIRS = frozenset({Story.SIBLINGS, Story.SIBLINGS_WRONG_SUM})
# What must be seen comes first: with few payers, the end of the list is left out.
_FIRST_ROUTES = ("plain", "from Vietcombank", "napas", "from MoMo", "from Vietcombank (new app)")
_ALL_ROUTES = (*_FIRST_ROUTES, *(route for route in ROUTES if route not in _FIRST_ROUTES))
_LOWER_CASE_EVERY = 6
_WRONG_BY = Money(10_000)
_VERY_LARGE = Money(25_000_000)
_ROUND = 10_000
_PAYERS = (
    "Nguyễn Thị Bích Ngọc", "Trần Văn Đức", "Lê Thị Ánh", "Phạm Quốc Hưng", "Điểu Thị Xuân", "Hoàng Ngọc Ẩn",
    "Vũ Thị Mỹ Hạnh", "Đặng Thế Vỹ", "Bùi Thị Huệ", "Thạch Sô Phia", "Ngô Đình Khải", "Đỗ Thị Hồng Gấm",
)  # fmt: skip
_WITHOUT_CODE = ("Nop tien hoc cho con thang 10", "chuyen tien", "Dong tien hoc", "PH nop tien ban tru")
_GOES_OUT = (
    ("PHI QUAN LY TAI KHOAN", Money(11_000)),
    ("TT mua van phong pham HD 0001234", Money(2_350_000)),
)


def plan(asked: Iterable[Asked], month: Month, seed: str) -> list[PlannedPayment]:
    """Return what happens in a month, in the order of time; the same for the same requests and seed."""
    chance = _Chance(seed, month.code)
    due = [each for each in asked if each.due > ZERO]
    shuffled = sorted(due, key=lambda each: chance.digest("order", each.school, each.pupil, each.account))
    made: list[PlannedPayment] = []
    for story, families in _cast(shuffled, month.cast):
        made += _played(story, families, shuffled, _Writer(month, chance))
    made += _money_out(due, _Writer(month, chance))
    return sorted(made, key=lambda payment: (payment.at, payment.key))


@dataclass(frozen=True, slots=True)
class _Chance:
    """Chance that is a function of the seed, the month and names: the same in every run, on every machine."""

    seed: str
    month: str

    def digest(self, *names: str) -> bytes:
        text = "\0".join((self.seed, self.month, *names))
        return hashlib.blake2b(text.encode(), digest_size=8, person=b"hocphi demo").digest()

    def number(self, below: int, *names: str) -> int:
        return int.from_bytes(self.digest(*names)) % below

    def share(self, *names: str) -> float:
        return self.number(2**40, *names) / 2**40


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the transfers of one family at moments of its own."""

    month: Month
    chance: _Chance

    def pay(  # noqa: PLR0913  each is a fact of the transfer
        self, story: Story, asked: Asked, amount: Money, memo: str, *, turn: int = 1, route: str = "plain"
    ) -> PlannedPayment:
        """Write one transfer; a later ``turn`` of the same family comes later."""
        key = f"{asked.school}/{asked.account}/{asked.pupil}/{story}/{turn}"
        start = self.chance.share("moment", asked.school, asked.pupil, story)
        moment = start if turn == 1 else start + (1 - start) / 2
        return PlannedPayment(
            key=key,
            story=story,
            account=asked.account,
            amount=amount,
            memo=memo if asked.by_memo else "chuyen tien hoc phi",
            at=self.month.at(moment),
            route=route if asked.by_memo else "plain",
            virtual_account=asked.virtual_account,
            payer_name=_PAYERS[self.chance.number(len(_PAYERS), "payer", asked.family)],
            later=story is Story.IN_TWO_PARTS and turn > 1,
            payer_account=f"0{self.chance.number(10**12, 'payer account', asked.family):012}",
        )


def _cast(shuffled: Sequence[Asked], cast: Sequence[_Casting]) -> Iterator[tuple[Story, list[Asked]]]:
    """Yield each story with the requests that play it, each request once; who is left pays exactly."""
    taken: set[str] = set()
    for casting in cast:
        how_many = max(casting.at_least, len(shuffled) * casting.share // 10_000)
        free = [each for each in shuffled if each.reference not in taken and casting.fits(each)]
        chosen = _pairs(free, how_many) if casting.story in _IN_PAIRS else free[:how_many]
        taken.update(each.reference for each in chosen)
        yield casting.story, chosen
    yield Story.EXACT, [each for each in shuffled if each.reference not in taken]


def _pairs(free: Sequence[Asked], how_many: int) -> list[Asked]:
    """Return two requests on one account for each pair: of one family, or if there is none, of two neighbours."""
    families: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    accounts: dict[str, list[Asked]] = defaultdict(list)
    for each in free:
        families[each.account, each.family].append(each)
        accounts[each.account].append(each)
    siblings = [group[:2] for group in families.values() if len(group) > 1]
    neighbours = [group[:2] for group in accounts.values() if len(group) > 1]
    return [each for pair in (siblings[:how_many] or neighbours[:1]) for each in pair]


def _played(
    story: Story, families: Sequence[Asked], everybody: Sequence[Asked], write: _Writer
) -> list[PlannedPayment]:
    """Return the transfers of the families that play a story."""
    if story in _IN_PAIRS:
        pairs = zip(families[::2], families[1::2], strict=True)
        return [_for_both(story, first, second, write) for first, second in pairs]
    if story is Story.OTHER_SCHOOL:
        return _to_another_school(families, everybody, write)
    if story is Story.NOT_AT_ALL:
        return []
    if story is Story.EXACT:
        return [_exactly(each, place, write) for place, each in enumerate(families)]
    return [payment for each in families for payment in _ALONE[story](each, write)]


def _exactly(asked: Asked, place: int, write: _Writer) -> PlannedPayment:
    memo = asked.reference.lower() if place % _LOWER_CASE_EVERY == 0 else asked.reference
    return write.pay(Story.EXACT, asked, asked.due, memo, route=_ALL_ROUTES[place % len(_ALL_ROUTES)])


def _for_both(story: Story, first: Asked, second: Asked, write: _Writer) -> PlannedPayment:
    amount = first.due + second.due + (ZERO if story is Story.SIBLINGS else _WRONG_BY)
    return write.pay(story, first, amount, f"{first.reference} {second.reference}", route="napas")


def _to_another_school(families: Sequence[Asked], everybody: Sequence[Asked], write: _Writer) -> list[PlannedPayment]:
    """Send the right sum and code to the account of another school that is told by callback."""
    accounts = {each.account: each.school for each in everybody if each.by_memo and each.told_by is not Told.STATEMENT}
    made = []
    for each in families:
        others = sorted(account for account, school in accounts.items() if school != each.school)
        if others:
            account = others[write.chance.number(len(others), "wrong account", each.school, each.pupil)]
            payment = write.pay(Story.OTHER_SCHOOL, each, each.due, each.reference)
            made.append(replace(payment, account=account))
    return made


def _in_parts(story: Story, asked: Asked, write: _Writer) -> list[PlannedPayment]:
    """Pay about three fifths in round numbers, always above 0 đ and below the whole; the rest later, or never."""
    part = asked.due.dong * 3 // 5
    first = Money(part - part % _ROUND or asked.due.dong // 2)
    rest = write.pay(story, asked, asked.due - first, asked.reference, turn=2)
    return [write.pay(story, asked, first, asked.reference), *([rest] if rest.later else [])]


def _too_much(asked: Asked, write: _Writer) -> list[PlannedPayment]:
    """Round up to the next 100.000 đ and a little more."""
    amount = Money(asked.due.dong - asked.due.dong % 100_000 + 150_000)
    return [write.pay(Story.TOO_MUCH, asked, amount, asked.reference)]


def _twice(asked: Asked, write: _Writer) -> list[PlannedPayment]:
    return [write.pay(Story.TWICE, asked, asked.due, asked.reference, turn=turn) for turn in (1, 2)]


def _by_last_months_code(story: Story, asked: Asked, write: _Writer) -> list[PlannedPayment]:
    return [write.pay(story, asked, asked.last.due, asked.last.reference)] if asked.last else []


def _without_code(asked: Asked, write: _Writer) -> list[PlannedPayment]:
    place = write.chance.number(len(_WITHOUT_CODE), "memo", asked.school, asked.pupil)
    return [write.pay(Story.WITHOUT_CODE, asked, asked.due, _WITHOUT_CODE[place])]


def _wrong_character(asked: Asked, write: _Writer) -> list[PlannedPayment]:
    """Type the fifth character wrongly, as its neighbour in the alphabet."""
    code = asked.reference
    wrong = ALPHABET[(ALPHABET.index(code[4]) + 1) % len(ALPHABET)]
    return [write.pay(Story.WRONG_CHARACTER, asked, asked.due, f"{code[:4]}{wrong}{code[5:]}")]


def _unknown_code(asked: Asked, write: _Writer) -> list[PlannedPayment]:
    """Send a code that is well formed and was never issued."""
    places = range(DATA_LENGTH)
    data = "".join(ALPHABET[write.chance.number(len(ALPHABET), "code", asked.pupil, str(place))] for place in places)
    return [write.pay(Story.UNKNOWN_CODE, asked, asked.due, make(data))]


_ALONE: Mapping[Story, Callable[[Asked, _Writer], list[PlannedPayment]]] = {
    Story.IN_PART: partial(_in_parts, Story.IN_PART),
    Story.IN_TWO_PARTS: partial(_in_parts, Story.IN_TWO_PARTS),
    Story.TOO_MUCH: _too_much,
    Story.TWICE: _twice,
    Story.LAST_MONTH_OPEN: partial(_by_last_months_code, Story.LAST_MONTH_OPEN),
    Story.LAST_MONTH_PAID: partial(_by_last_months_code, Story.LAST_MONTH_PAID),
    Story.WITHOUT_CODE: _without_code,
    Story.WRONG_CHARACTER: _wrong_character,
    Story.UNKNOWN_CODE: _unknown_code,
    Story.VERY_LARGE: lambda asked, write: [write.pay(Story.VERY_LARGE, asked, _VERY_LARGE, asked.reference)],
}


def _money_out(asked: Sequence[Asked], write: _Writer) -> list[PlannedPayment]:
    """Let each school pay its bank's fee and one purchase."""
    return [
        PlannedPayment(
            key=f"{school}/{account}/{Story.MONEY_OUT}/{place}",
            story=Story.MONEY_OUT,
            account=account,
            amount=amount,
            memo=memo,
            at=write.month.at(write.chance.share("out", account, str(place))),
            direction=Direction.OUT,
        )
        for school, account in sorted({(each.school, each.account) for each in asked})
        for place, (memo, amount) in enumerate(_GOES_OUT)
    ]
