"""Whether two messages tell of one movement of money, and which of many belong together (pure).

A callback and a line of a statement carry no common key. What speaks for one movement is, in this order, the bank's
own reference, a telling memo, the payment references in it, a telling memo that stands within the other, and a
payment reference that was cut off. What speaks against it is never outweighed by an equal sum: at a school most
families pay the same sum on the same day. An equal day alone joins only what names nobody, or what is all alike.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from billing.payments.reference import drop_marks, find, fold_memo

DAY_APART = timedelta(days=1)  # a bank may book in the morning what came at night
TELLING_LENGTH = 6  # a shorter one is a row's number on a page, not the bank's number of a movement
_CUT_LENGTH = 6  # of a payment reference that was cut off: its prefix and four characters
_NAME_LENGTH = 5  # letters and digits of a memo without its everyday words, so that they name somebody
_NUMBERING = re.compile("[A-Z]*")
_START = datetime(1970, 1, 1, tzinfo=UTC)  # the moment of lines, which a statement does not tell
_WORD = re.compile("[A-Z0-9]+")
# What a memo says of no family in particular: words of school fees and of banks, months, classes and years.
_EVERYDAY = re.compile(
    r"\b(?:THANH TOAN|GIAO DICH|BAN TRU|MAM NON|TIEU HOC|TRUNG HOC|NGAN HANG|TAI KHOAN|[0-9]{1,4}"
    r"|CHO|CHUYEN|CK|CON|CT|CUA|DEN|DONG|GD|GUI|HOC|HOCPHI|HP|IBFT|KHOAN|KY|LOP|NAM|NGAY|ND|NOP|NOPTIEN|PHI|QR|TIEN"
    r"|THANG|TK|TRUONG|TT|TU|VE|VND)\b"
)
_Key: TypeAlias = str | frozenset[str]


class Evidence(IntEnum):
    """What speaks for one movement, the strongest first."""

    REFERENCE = 0
    MEMO = 1
    CODES = 2
    CONTAINED = 3
    RUN_ON = 4  # contained letter by letter, as when a bank breaks words
    CUT_CODE = 5
    EVERYDAY_MEMO = 6
    NOTHING = 7


@dataclass(frozen=True, slots=True)
class Told:
    """What one message tells of a movement whose sum and direction are known to be equal.

    ``memo`` and ``bank_reference`` are folded, ``codes`` the exact payment references, ``words`` the memo's words and
    ``name`` those without the everyday ones, ``telling`` that it says who paid or for what. ``booked`` tells that the
    bank's statement gave the day; else it is the day of the moment, which may be one day off. ``held``: it joins
    another message only by what tells for sure.
    """

    day: date
    at: datetime
    memo: str
    bank_reference: str
    codes: frozenset[str]
    name: str
    words: str
    telling: bool
    booked: bool
    held: bool = False


class Likeness(NamedTuple):
    """How much speaks for one movement: the smallest is the likest. ``unlike`` counts letters that one has more."""

    evidence: Evidence
    other_bank_reference: bool
    other_memo: bool
    other_codes: bool
    days_apart: int
    unlike: int


def told(  # noqa: PLR0913  what a message has
    day: date, at: datetime, memo: str, bank_reference: str | None, *, booked: bool, held: bool = False
) -> Told:
    """Fold what a message tells, so that two spellings of one thing are equal."""
    words = " ".join(_WORD.findall(drop_marks(memo).upper()))
    name = " ".join(_EVERYDAY.sub(" ", words).split())
    codes = frozenset(find(memo).exact)
    telling = bool(codes) or len(name) - name.count(" ") >= _NAME_LENGTH
    number = fold_memo(bank_reference or "")
    return Told(day, at, fold_memo(memo), number, codes, name, words, telling, booked, held)


def likeness(one: Told, other: Told) -> Likeness | None:
    """Return how alike two messages of one sum are, or None when they cannot be about one movement.

    A day apart something must speak for it: the next day's equal sum is usually another family's. Two memos that
    both name somebody, with nothing that speaks for one movement, are those of two families.
    """
    if abs(one.day - other.day) > DAY_APART:
        return None  # asked first: of a month's equal sums nearly all are
    evidence = evidence_of(one, other)
    if evidence is None or (evidence is Evidence.NOTHING and one.telling and other.telling):
        return None
    apart = abs(one.day - other.day)
    if apart and ((one.booked and other.booked) or not _reaches_over_night(evidence, one)):
        return None
    if (one.held or other.held) and evidence not in _SURE:
        return None
    return Likeness(
        evidence,
        one.bank_reference != other.bank_reference,
        one.memo != other.memo,
        one.codes != other.codes,
        apart.days,
        abs(len(one.memo) - len(other.memo)),
    )


def vouches(one: Told, other: Told) -> bool:
    """Tell whether two messages are of one movement for sure: by the bank's number, a telling memo, or the codes."""
    return evidence_of(one, other) in _SURE


def evidence_of(one: Told, other: Told) -> Evidence | None:
    """Return the best that speaks for one movement, whatever the days; None where something speaks against it."""
    if _speaks_against(one, other):
        return None
    return next((evidence for evidence, speaks in _TESTS if speaks(one, other)), Evidence.NOTHING)


def pair(lines: Sequence[Told], others: Sequence[Told]) -> dict[int, int]:
    """Return for each line, by its place, the place of the other message about its movement; each at most once.

    The best evidence of all goes first, whatever the order of the lines. Where only the day speaks, those are joined
    that name nobody, then those that are all alike: which of them belong together makes no difference.
    """
    pairs: dict[int, int] = {}
    for key in _KEYS:
        _join(_ranked(key, lines, others, pairs), pairs)
    _join_everyday(lines, others, pairs)
    ranked = _ranked(lambda _: "any", lines, others, pairs)
    _join((each for each in ranked if each.likeness.evidence is not Evidence.NOTHING), pairs)
    day_alone = [each for each in ranked if each.likeness.evidence is Evidence.NOTHING]
    _join((each for each in day_alone if not (each.line.says.telling or each.other.says.telling)), pairs)
    by_day: dict[date, list[_Ranked]] = defaultdict(list)
    for each in day_alone:
        if each.line.places and each.other.places:
            by_day[each.line.says.day].append(each)
    for left in by_day.values():
        if len({each.line.says.memo for each in left}) == 1 == len({each.other.says.memo for each in left}):
            _join(left, pairs)
    return pairs


@dataclass(frozen=True, slots=True)
class _Same:
    """Messages that nothing tells apart but their moments, so that likeness is asked for once for all of them.

    ``places``: (moment, place) of those that are still alone, in the order in which they are joined.
    """

    says: Told
    places: deque[tuple[datetime, int]]


class _Ranked(NamedTuple):
    """How alike lines of one kind and other messages of one kind are."""

    likeness: Likeness
    line: _Same
    other: _Same


def _ranked(
    key: Callable[[Told], _Key], lines: Sequence[Told], others: Sequence[Told], pairs: Mapping[int, int]
) -> list[_Ranked]:
    """Return which kinds of messages may be about one movement, of those that are still alone and have an equal key.

    Lines go in the order of their places, whatever their moments; other messages the earliest first.
    """
    taken = set(pairs.values())
    on_both = {each.bank_reference for each in lines} & {each.bank_reference for each in others}
    alone = ((each.at, place, each) for place, each in enumerate(others) if place not in taken and key(each))
    shown = ((_START, place, each) for place, each in enumerate(lines) if place not in pairs and key(each))
    free: dict[_Key, list[_Same]] = defaultdict(list)
    for kind in _kinds(alone, on_both):
        free[key(kind.says)].append(kind)
    return [
        _Ranked(alike, line, other)
        for line in _kinds(shown, on_both)
        for other in free.get(key(line.says), ())
        if (alike := likeness(line.says, other.says)) is not None
    ]


def _kinds(messages: Iterable[tuple[datetime, int, Told]], on_both: Collection[str]) -> Iterable[_Same]:
    """Put messages together that nothing tells apart: a bank's number that the other side has not is as good as any."""
    kinds: dict[object, _Same] = {}
    for at, place, says in sorted(messages, key=lambda each: each[:2]):
        number: object = says.bank_reference
        if number not in on_both:
            number = (len(says.bank_reference), _letters(says.bank_reference))
        alike = (says.day, says.memo, says.words, says.name, says.codes, says.booked, says.held, number)
        kinds.setdefault(alike, _Same(says, deque())).places.append((at, place))
    return kinds.values()


def _join(ranked: Iterable[_Ranked], pairs: dict[int, int]) -> None:
    """Join one by one, the likest first; of equally like ones the earliest other message, then the first line."""
    heap = [
        (*_first(each), number, each) for number, each in enumerate(ranked) if each.line.places and each.other.places
    ]
    heapify(heap)
    while heap:
        *before, number, each = heappop(heap)
        if not (each.line.places and each.other.places):
            continue
        first = _first(each)
        if before != list(first):  # one of them was joined meanwhile: its next one is later
            heappush(heap, (*first, number, each))
            continue
        pairs[each.line.places.popleft()[1]] = each.other.places.popleft()[1]
        if each.line.places and each.other.places:
            heappush(heap, (*_first(each), number, each))


def _first(each: _Ranked) -> tuple[Likeness, datetime, int, int]:
    """Return the rank of the next pair of two kinds; it only grows."""
    at, other = each.other.places[0]
    return each.likeness, at, each.line.places[0][1], other


def _join_everyday(lines: Sequence[Told], others: Sequence[Told], pairs: dict[int, int]) -> None:
    """Join equal everyday memos of one day one by one: nothing better can speak for them, and there may be many."""
    taken = set(pairs.values())
    free: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place in sorted(range(len(others)), key=lambda place: others[place].at, reverse=True):
        other = others[place]
        if place not in taken and not (other.telling or other.held):
            free[other.memo, other.day].append(place)
    for place, line in enumerate(lines):
        alike = free.get((line.memo, line.day))
        if alike and place not in pairs and not (line.telling or line.held or _number(line)):
            pairs[place] = alike.pop()


def _reaches_over_night(evidence: Evidence, one: Told) -> bool:
    """Tell whether evidence speaks for one movement though the days differ; an empty memo is nothing to be equal."""
    return evidence <= Evidence.RUN_ON or (evidence is Evidence.EVERYDAY_MEMO and one.memo != "")


def _number(each: Told) -> str:
    return each.bank_reference if len(each.bank_reference) >= TELLING_LENGTH else ""


def _memo(each: Told) -> str:
    return each.memo if each.telling else ""


def _codes(each: Told) -> frozenset[str]:
    return each.codes


_KEYS: tuple[Callable[[Told], _Key], ...] = (_number, _memo, _codes)


def _same(key: Callable[[Told], _Key]) -> Callable[[Told, Told], bool]:
    return lambda one, other: bool(key(one)) and key(one) == key(other)


def _contained(one: Told, other: Told) -> bool:
    """Tell whether the words of a telling memo, everyday ones left out, stand in the other."""
    short, long = (one, other) if len(one.name) <= len(other.name) else (other, one)
    return short.telling and short.name != "" and short.name in long.name and f" {short.name} " in f" {long.name} "


def _run_on(one: Told, other: Told) -> bool:
    short, long = (one, other) if len(one.memo) <= len(other.memo) else (other, one)
    return short.telling and short.memo in long.memo and _ends_with_words(short.memo, long.words)


def _ends_with_words(memo: str, words: str) -> bool:
    """Tell whether a memo stands between two ends of words: NGUYEN VAN AN does not in NGUYEN VAN ANH."""
    ends = [0, *accumulate(map(len, words.split()))]
    return any(words.replace(" ", "")[one:other] == memo for one in ends for other in ends if other - one == len(memo))


def _cut_code(one: Told, other: Told) -> bool:
    """Tell whether one memo has a payment reference and the other only its beginning."""
    if bool(one.codes) == bool(other.codes):
        return False
    whole, cut = (one, other) if one.codes else (other, one)
    return any(code[:_CUT_LENGTH] in cut.memo for code in whole.codes)


_SURE = frozenset({Evidence.REFERENCE, Evidence.MEMO, Evidence.CODES})
_TESTS: tuple[tuple[Evidence, Callable[[Told, Told], bool]], ...] = (
    (Evidence.REFERENCE, _same(_number)),
    (Evidence.MEMO, _same(_memo)),
    (Evidence.CODES, _same(_codes)),
    (Evidence.CONTAINED, _contained),
    (Evidence.RUN_ON, _run_on),
    (Evidence.CUT_CODE, _cut_code),
    (Evidence.EVERYDAY_MEMO, lambda one, other: one.memo == other.memo),
)


def _speaks_against(one: Told, other: Told) -> bool:
    """Tell whether two messages name different movements."""
    if one.codes and other.codes and not one.codes & other.codes:
        return True
    if _number(one) == _number(other) != "":
        return False
    if _of_one_numbering(one.bank_reference, other.bank_reference):
        return True
    # A code that one memo lacks was cut off, or the rest is alike; or it is another family's memo.
    return (
        one.codes != other.codes
        and one.memo not in other.memo
        and other.memo not in one.memo
        and not _cut_code(one, other)
    )


def _of_one_numbering(one: str, other: str) -> bool:
    """Tell whether two bank references can be compared: feeds of one bank may each have numbers of their own."""
    return len(one) == len(other) >= TELLING_LENGTH and _letters(one) == _letters(other)


def _letters(bank_reference: str) -> str:
    found = _NUMBERING.match(bank_reference)
    return found.group() if found else ""
