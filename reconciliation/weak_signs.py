"""Signs that a transfer may belong to a pupil, and the ranking they give (pure).

A name, a phone number or an account that paid before put a pupil's open bills on the list that a person is shown; the
same sum and the class only raise those already on it. None of them, and no number of them together, moves money.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from billing.payments.reference import fold_memo
from reconciliation.memo import Memo

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine


class Sign(StrEnum):
    """A weaker sign than an exact reference."""

    CORRECTED = "corrected"
    PHONE = "phone"
    PAYER = "payer"
    NAME = "name"
    AMOUNT = "amount"
    CLASS = "class"


LISTING: Final = frozenset({Sign.CORRECTED, Sign.PHONE, Sign.PAYER, Sign.NAME})
"""The signs that put a bill on the list; the others only raise it there."""

WEIGHTS: Final[Mapping[Sign, int]] = {
    Sign.CORRECTED: 6,
    Sign.PHONE: 4,
    Sign.PAYER: 4,
    Sign.NAME: 4,
    Sign.AMOUNT: 2,
    Sign.CLASS: 1,
}
"""A corrected reference outweighs any one of the others, even with sum and class; two of them together outweigh it."""

# A member of an enumeration looked up by name costs as much as a whole comparison, and these are for each transfer.
_PHONE_SIGN: Final = Sign.PHONE
_PAYER: Final = Sign.PAYER
_NAME: Final = Sign.NAME
_CLASS_SIGN: Final = Sign.CLASS

MOST_FAMILIES: Final = 2
"""An account that paid for more families than this is shared and tells nothing."""

_0: Final = 48
_9: Final = 57
_A: Final = 65
_Z: Final = 90
_FEWEST_LETTERS: Final = 6
_MOST_WORDS: Final = 7
_LONGEST_NAME: Final = 40
_CLASS: Final = re.compile(r"[0-9]{1,2}[A-Z][A-Z0-9]{0,3}")
_CLASS_WORD: Final = "LOP"
_AT_MOST_BEFORE: Final = 4
_PERSON: Final = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of a pupil: ``phones`` of the family as ``84…``; ``payers`` are accounts it paid from before."""

    pupil: str
    name: str = ""
    class_code: str = ""
    phones: frozenset[str] = frozenset()
    payers: frozenset[str] = frozenset()


@dataclass
class Lead:
    """A pupil to whom a memo or a payer leads: the name as a key of ``names_in``, and the number that stands there."""

    pupil: str
    name: str = ""
    class_code: str = ""
    phone: str = ""
    payer: bool = False


class Signed:
    """The signs that lead to a pupil's bill: ``told`` as they are kept as evidence, and which ones they are."""

    __slots__ = ("_kinds", "told")

    def __init__(self) -> None:
        self._kinds: int = 0
        self.told: list[dict[str, object]] = []

    def add(self, sign: Sign, told: dict[str, object]) -> None:
        """Add a sign as it is kept: its name, and the characters it was read from."""
        self._kinds |= _BITS[sign]
        self.told.append(told)

    def add_all(self, others: Signed) -> None:
        """Add the signs of another, told in the very same words."""
        self._kinds |= others._kinds
        self.told += others.told

    @property
    def weight(self) -> int:
        """Return how strongly they speak together, each kind once; 0 when none may put a bill on the list."""
        return _WEIGHT_OF[self._kinds]


_BITS: Final = {sign: 1 << place for place, sign in enumerate(Sign)}


def _weight_of(kinds: int) -> int:
    signs = [sign for sign, bit in _BITS.items() if kinds & bit]
    return sum([WEIGHTS[sign] for sign in signs]) if not LISTING.isdisjoint(signs) else 0


_WEIGHT_OF: Final = [_weight_of(kinds) for kinds in range(1 << len(_BITS))]


def name_key(name: str) -> str:
    """Return a full name as it is looked for in memos, letters only; nothing when it is no full name or too short."""
    if not _PERSON.fullmatch(name.strip()):
        return ""
    key = fold_memo(name)
    return key if _FEWEST_LETTERS <= len(key) <= _LONGEST_NAME else ""


def names_in(memo: Memo, heads: set[str] | None = None) -> list[str]:
    """Return every run of up to seven words of a memo, glued; a bank's break inside a word makes two words of it.

    With ``heads`` (``head_of`` each name that is sought) only runs that begin like one of them. No name holds a digit.
    """
    runs: list[str] = []
    letters, words = memo.letters, memo.words
    for number, at in enumerate(memo.heads):
        if heads is None or letters[at : at + _FEWEST_LETTERS] in heads:
            _add_runs(runs, memo.upper.encode("ascii", "replace"), words[number])
    return runs


def _add_runs(runs: list[str], codes: bytes, begin: int) -> None:
    """Add the runs of words that begin at a place, up to a digit or the longest name."""
    key = b""
    words: i64 = 0
    first: i64 = -1
    place: i64 = begin
    end: i64 = len(codes)
    while words < _MOST_WORDS and place <= end and len(key) <= _LONGEST_NAME:
        code: i64 = codes[place] if place < end else 0
        if _A <= code <= _Z:
            first = place if first < 0 else first
        elif first >= 0:
            key += codes[first:place]
            first = -1
            words += 1
            if _FEWEST_LETTERS <= len(key) <= _LONGEST_NAME:
                runs.append(key.decode())
        if _0 <= code <= _9:
            break
        place += 1


def head_of(name: str) -> str:
    """Return the first letters of a name's key, by which words that do not begin it are passed over."""
    return name[:_FEWEST_LETTERS]


def class_in(memo: Memo, class_code: str) -> str:
    """Return the class as the memo writes it, ``3A`` or ``LOP3A``; nothing when it is not there."""
    code = _class_key(class_code)
    text = memo.upper
    place = text.find(code) if code else -1
    while place >= 0:
        end = place + len(code)
        if not _is_kept(text[end : end + 1]):
            for start in (place - _AT_MOST_BEFORE, place - len(_CLASS_WORD), place):
                if start >= 0 and _begins_class(text, start, place) and not _is_kept(text[start - 1 : start]):
                    return text[start:end]
        place = text.find(code, place + 1)
    return ""


def _begins_class(text: str, start: int, place: int) -> bool:
    """Tell whether a class may begin at one place with its code at another: with the word between, or nothing."""
    between = text[start:place]
    if not between or between == _CLASS_WORD:
        return True
    sign = between[-1]
    return between.startswith(_CLASS_WORD) and len(between) == _AT_MOST_BEFORE and not (sign.isalnum() or sign == "_")


def _is_kept(character: str) -> bool:
    return character.isascii() and character.isalnum()


@lru_cache(maxsize=1024)  # a school has some dozens of classes, and asks for them with each transfer
def _class_key(class_code: str) -> str:
    """Return a class as it is looked for in memos; nothing when it is no class."""
    code = fold_memo(class_code)
    return code if _CLASS.fullmatch(code) else ""


def signs_of(memo: Memo, lead: Lead, allowed: frozenset[Sign]) -> Signed:
    """Return the signs, each with the characters it was read from, that lead from a transfer to a pupil."""
    signs = Signed()
    if lead.name and _NAME in allowed:
        first, end = memo.place(lead.name)
        signs.add(_NAME, {"sign": "name", "written": memo.text[first:end], "at": [first, end]})
    if lead.phone and _PHONE_SIGN in allowed:
        spelled = "0" + lead.phone[2:]
        first, end = memo.place(spelled if spelled in memo.letters else lead.phone)
        signs.add(_PHONE_SIGN, {"sign": "phone", "written": memo.text[first:end], "at": [first, end]})
    if lead.payer and _PAYER in allowed:
        signs.add(_PAYER, {"sign": "payer", "paid_before": True})
    if signs.told and _CLASS_SIGN in allowed and (class_ := class_in(memo, lead.class_code)):
        signs.add(_CLASS_SIGN, {"sign": "class", "written": class_})
    return signs


def families_of(guardians: Mapping[str, Iterable[str]]) -> int:
    """Count families among pupils: those who share a guardian, directly or through others, are one.

    ``guardians``: the guardians' ids by pupil; a pupil without any is a family of its own.
    """
    groups: list[set[str]] = []
    for pupil, known in guardians.items():
        group = {f"pupil {pupil}", *known}
        apart = []
        for other in groups:
            if group & other:
                group |= other
            else:
                apart.append(other)
        groups = [*apart, group]
    return len(groups)


class People:
    """Pupils found by name, phone or payer, from memory."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._by_name: dict[str, list[Person]] = defaultdict(list)
        self._by_phone: dict[str, list[Person]] = defaultdict(list)
        self._by_payer: dict[str, list[Person]] = defaultdict(list)
        self._heads: set[str] = set()
        for person in people:
            if key := name_key(person.name):
                self._by_name[key].append(person)
                self._heads.add(head_of(key))
            for phone in person.phones:
                self._by_phone[phone].append(person)
            for payer in person.payers:
                self._by_payer[payer].append(person)

    def leads(self, memo: Memo, payer: str | None) -> list[Lead]:
        """Return the pupils to whom a memo or the paying account leads, each once."""
        names: dict[str, str] = {}
        phones: dict[str, str] = {}
        people: dict[str, Person] = {}
        for key in names_in(memo, self._heads):
            for person in self._by_name.get(key, ()):
                names[person.pupil] = key
                people[person.pupil] = person
        for phone in memo.phones:
            for person in self._by_phone.get(phone, ()):
                phones[person.pupil] = phone
                people[person.pupil] = person
        paid = {person.pupil: person for person in self._by_payer.get(payer, ())} if payer else {}
        people.update(paid)
        return [
            Lead(pupil, names.get(pupil, ""), person.class_code, phones.get(pupil, ""), pupil in paid)
            for pupil, person in people.items()
        ]


def ranks(strengths: Sequence[object]) -> list[int]:
    """Return the places of sorted candidates from 1; equally strong ones share one: none is taken for better."""
    numbered: list[int] = []
    for place, strength in enumerate(strengths):
        equal = place > 0 and strength == strengths[place - 1]
        numbered.append(numbered[-1] if equal else place + 1)
    return numbered
