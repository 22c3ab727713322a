"""Signs that a transfer may belong to a pupil, and the ranking they give (pure).

A name, a phone number or an account that paid before put a pupil's open bills on the list that a person is shown; the
same sum and the class only raise those already on it. None of them, and no number of them together, moves money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from billing.payments.reference import fold_memo
from reconciliation.memo import Memo
from reconciliation.names import Names, name_key, names_among

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

# The hash of an enumeration's member costs as much as a whole transfer's name: signs are told apart by bits.
CORRECTED: Final = 1
PHONE: Final = 2
PAYER: Final = 4
NAME: Final = 8
AMOUNT: Final = 16
CLASS: Final = 32

MOST_FAMILIES: Final = 2
"""An account that paid for more families than this is shared and tells nothing."""

_0: Final = 48
_9: Final = 57
_A: Final = 65
_Z: Final = 90
_CLASS_CODE: Final = re.compile(r"[0-9]{1,2}[A-Z][A-Z0-9]{0,3}")
_CLASS_WORD: Final = "LOP"
_CLASSES_KNOWN: Final = 4096  # a school has some dozens, and asks for them with each transfer
_CLASS_KEYS: Final[dict[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of a pupil: ``phones`` of the family as ``84…``; ``payers`` are accounts it paid from before."""

    pupil: str
    name: str = ""
    class_code: str = ""
    phones: frozenset[str] = frozenset()
    payers: frozenset[str] = frozenset()


@dataclass(init=False, slots=True)
class Lead:
    """A pupil to whom a memo or a payer leads: the name as a key of ``names_in``, and the number that stands there."""

    pupil: str
    name: str
    class_code: str
    phone: str
    payer: bool

    # Written out: what dataclass writes stays plain Python where the rest is compiled.
    def __init__(
        self, pupil: str, name: str = "", class_code: str = "", phone: str = "", *, payer: bool = False
    ) -> None:
        self.pupil = pupil
        self.name = name
        self.class_code = class_code
        self.phone = phone
        self.payer = payer


class Signed:
    """The signs that lead to a pupil's bill: ``told`` as they are kept as evidence, ``kinds`` are their bits."""

    __slots__ = ("kinds", "told")

    def __init__(self) -> None:
        self.kinds: int = 0
        self.told: list[dict[str, object]] = []

    def add(self, sign: Sign, told: dict[str, object]) -> None:
        """Add a sign as it is kept: its name, and the characters it was read from."""
        self.put(_BITS[sign], told)

    def put(self, bit: int, told: dict[str, object]) -> None:
        """Add a sign by its bit."""
        self.kinds |= bit
        self.told.append(told)

    def add_all(self, others: Signed) -> None:
        """Add the signs of another, told in the very same words."""
        self.kinds |= others.kinds
        self.told += others.told

    @property
    def weight(self) -> int:
        """Return how strongly they speak together, each kind once; 0 when none may put a bill on the list."""
        return weight_of(self.kinds)


_BITS: Final[Mapping[Sign, int]] = {
    Sign.CORRECTED: CORRECTED,
    Sign.PHONE: PHONE,
    Sign.PAYER: PAYER,
    Sign.NAME: NAME,
    Sign.AMOUNT: AMOUNT,
    Sign.CLASS: CLASS,
}
_KNOWN_BITS: Final[dict[frozenset[Sign], int]] = {}


def bits_of(signs: frozenset[Sign]) -> int:
    """Return the bits of some signs; of each set they are found once, since a set remembers its hash."""
    bits = _KNOWN_BITS.get(signs)
    if bits is None:
        bits = _KNOWN_BITS[signs] = sum(_BITS[sign] for sign in signs)
    return bits


def _weight_of(kinds: int) -> int:
    signs = [sign for sign, bit in _BITS.items() if kinds & bit]
    return sum([WEIGHTS[sign] for sign in signs]) if not LISTING.isdisjoint(signs) else 0


_WEIGHT_OF: Final[list[int]] = [_weight_of(kinds) for kinds in range(1 << len(_BITS))]


def weight_of(kinds: i64) -> i64:
    """Return how strongly signs speak together by their bits."""
    return _WEIGHT_OF[kinds]


def class_in(memo: Memo, class_code: str) -> str:
    """Return the class as the memo writes it, ``3A`` or ``LOP3A``; nothing when it is not there."""
    code = _class_key(class_code)
    if not code:
        return ""
    text = memo.upper
    place = text.find(code)
    while place >= 0:
        end = place + len(code)
        if not _is_kept(text, end):
            start = _class_start(text, place)
            if start >= 0:
                return text[start:end]
        place = text.find(code, place + 1)
    return ""


def _class_start(text: str, place: int) -> int:
    """Return where a class begins whose code is at a place: with the word before it, or there; -1 for nowhere."""
    word = len(_CLASS_WORD)
    if place > word and text.startswith(_CLASS_WORD, place - word - 1) and not _is_kept(text, place - word - 2):
        sign = text[place - 1]
        if not (sign.isalnum() or sign == "_"):
            return place - word - 1
    if _is_kept(text, place - 1):
        after_word = place >= word and text[place - word : place] == _CLASS_WORD
        return place - word if after_word and not _is_kept(text, place - word - 1) else -1
    return place


def _is_kept(text: str, place: i64) -> bool:
    """Tell whether a letter or digit that every bank keeps is at a place of a text in capitals, or outside of it."""
    if place < 0 or place >= len(text):
        return False
    code: i64 = ord(text[place])
    return _A <= code <= _Z or _0 <= code <= _9


def _class_key(class_code: str) -> str:
    """Return a class as it is looked for in memos; nothing when it is no class."""
    code = _CLASS_KEYS.get(class_code)
    if code is None:
        code = fold_memo(class_code)
        if not _CLASS_CODE.fullmatch(code):
            code = ""
        if len(_CLASS_KEYS) >= _CLASSES_KNOWN:
            _CLASS_KEYS.clear()
        _CLASS_KEYS[class_code] = code
    return code


def signs_of(memo: Memo, lead: Lead, allowed: frozenset[Sign]) -> Signed:
    """Return the signs, each with the characters it was read from, that lead from a transfer to a pupil."""
    return signs_among(memo, lead, bits_of(allowed))


def signs_among(memo: Memo, lead: Lead, allowed: int) -> Signed:
    """Return the same for signs that are allowed by their bits."""
    signs = Signed()
    if lead.name and allowed & NAME:
        first, end = memo.place(lead.name)
        signs.put(NAME, {"sign": "name", "written": memo.text[first:end], "at": [first, end]})
    if lead.phone and allowed & PHONE:
        spelled = "0" + lead.phone[2:]
        first, end = memo.place(spelled if spelled in memo.letters else lead.phone)
        signs.put(PHONE, {"sign": "phone", "written": memo.text[first:end], "at": [first, end]})
    if lead.payer and allowed & PAYER:
        signs.put(PAYER, {"sign": "payer", "paid_before": True})
    if signs.told and allowed & CLASS:
        class_ = class_in(memo, lead.class_code)
        if class_:
            signs.put(CLASS, {"sign": "class", "written": class_})
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
        self._by_name: dict[str, list[Person]] = {}
        self._by_phone: dict[str, list[Person]] = {}
        self._by_payer: dict[str, list[Person]] = {}
        for person in people:
            if key := name_key(person.name):
                self._by_name.setdefault(key, []).append(person)
            for phone in person.phones:
                self._by_phone.setdefault(phone, []).append(person)
            for payer in person.payers:
                self._by_payer.setdefault(payer, []).append(person)
        self._names: Names = Names(self._by_name)

    def leads(self, memo: Memo, payer: str | None) -> list[Lead]:
        """Return the pupils to whom a memo or the paying account leads, each once."""
        found: list[Lead] = []
        for key in names_among(memo, self._names):
            named = self._by_name.get(key)
            if named is not None:
                for person in named:
                    _lead(found, person).name = key
        for phone in memo.phones:
            reached = self._by_phone.get(phone)
            if reached is not None:
                for person in reached:
                    _lead(found, person).phone = phone
        paid = self._by_payer.get(payer) if payer else None
        if paid is not None:
            for person in paid:
                _lead(found, person).payer = True
        return found


def _lead(found: list[Lead], person: Person) -> Lead:
    """Return the lead to a pupil, a new one when there is none yet: there are few."""
    pupil = person.pupil
    for lead in found:
        if lead.pupil == pupil:
            lead.class_code = person.class_code
            return lead
    lead = Lead(pupil, "", person.class_code)
    found.append(lead)
    return lead


def ranks(strengths: Sequence[object]) -> list[int]:
    """Return the places of sorted candidates from 1; equally strong ones share one: none is taken for better."""
    numbered: list[int] = []
    for place, strength in enumerate(strengths):
        equal = place > 0 and strength == strengths[place - 1]
        numbered.append(numbered[-1] if equal else place + 1)
    return numbered
