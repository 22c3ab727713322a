"""Signs that a transfer may belong to a pupil, and the ranking they give (pure).

A name, a phone number or an account that paid before put a pupil's open bills on the list that a person is shown; the
same sum and the class only raise those already on it. None of them, and no number of them together, moves money.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from billing.payments.reference import drop_marks, fold_memo
from reconciliation.spelling import written


class Sign(StrEnum):
    """A weaker sign than an exact reference."""

    CORRECTED = "corrected"
    PHONE = "phone"
    PAYER = "payer"
    NAME = "name"
    AMOUNT = "amount"
    CLASS = "class"


LISTING = frozenset({Sign.CORRECTED, Sign.PHONE, Sign.PAYER, Sign.NAME})
"""The signs that put a bill on the list; the others only raise it there."""

WEIGHTS: Mapping[Sign, int] = {
    Sign.CORRECTED: 6,
    Sign.PHONE: 4,
    Sign.PAYER: 4,
    Sign.NAME: 4,
    Sign.AMOUNT: 2,
    Sign.CLASS: 1,
}
"""A corrected reference outweighs any one of the others, even with sum and class; two of them together outweigh it."""

# A member of an enumeration looked up by name costs as much as a whole comparison, and these are for each transfer.
_PHONE_SIGN, _PAYER, _NAME, _CLASS_SIGN = Sign.PHONE, Sign.PAYER, Sign.NAME, Sign.CLASS

MOST_FAMILIES = 2
"""An account that paid for more families than this is shared and tells nothing."""

_FEWEST_LETTERS = 6
_MOST_WORDS = 7
_LONGEST_NAME = 40
_WORD = re.compile(r"[A-Z]+|[0-9]+")
_CLASS = re.compile(r"[0-9]{1,2}[A-Z][A-Z0-9]{0,3}")
_LONG_NUMBER = re.compile(r"[0-9]{10,}")
_PHONE = re.compile(r"(?=(?:0|84)([35789][0-9]{8}))")
_PERSON = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of a pupil: ``phones`` of the family as ``84…``; ``payers`` are accounts it paid from before."""

    pupil: str
    name: str = ""
    class_code: str = ""
    phones: frozenset[str] = frozenset()
    payers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lead:
    """A pupil to whom a memo or a payer leads: the name as a key of ``names_in``, and the number that stands there."""

    pupil: str
    name: str = ""
    class_code: str = ""
    phone: str = ""
    payer: bool = False


class Signed(NamedTuple):
    """One sign, as evidence."""

    sign: Sign
    evidence: Mapping[str, object]

    def told(self) -> dict[str, object]:
        """Return it as it is kept: the name of the sign, and the characters it was read from."""
        return {"sign": str(self.sign), **self.evidence}


def name_key(name: str) -> str:
    """Return a full name as it is looked for in memos, letters only; nothing when it is no full name or too short."""
    if not _PERSON.fullmatch(name.strip()):
        return ""
    key = fold_memo(name)
    return key if _FEWEST_LETTERS <= len(key) <= _LONGEST_NAME else ""


def names_in(memo: str, heads: Container[str] | None = None) -> Iterator[str]:
    """Give every run of up to seven words of a memo, glued; a bank's break inside a word makes two words of it.

    With ``heads`` (``head_of`` each name that is sought) only runs that begin like one of them.
    """
    words = _words(memo)
    glued = "".join(words)
    places = enumerate(accumulate(map(len, words[:-1]), initial=0))
    starts = [start for start, at in places if heads is None or glued[at : at + _FEWEST_LETTERS] in heads]
    for start in starts:
        yield from _runs(words[start : start + _MOST_WORDS])


def _runs(words: Sequence[str]) -> Iterator[str]:
    key = ""
    for word in words:
        key += word
        if word.isdigit() or len(key) > _LONGEST_NAME:
            break
        if len(key) >= _FEWEST_LETTERS:
            yield key


def head_of(name: str) -> str:
    """Return the first letters of a name's key, by which words that do not begin it are passed over."""
    return name[:_FEWEST_LETTERS]


def phones_in(memo: str) -> tuple[str, ...]:
    """Return what may be mobile numbers in a memo, as ``84…``, each once, by position; traces look like some too."""
    numbers = _LONG_NUMBER.findall(fold_memo(memo))
    if not numbers:
        return ()
    return tuple(dict.fromkeys([f"84{found}" for number in numbers for found in _PHONE.findall(number)]))


def class_in(memo: str, class_code: str) -> str:
    """Return the class as the memo writes it, ``3A`` or ``LOP3A``; nothing when it is not there."""
    code, pattern = _pattern_of_class(class_code)
    text = drop_marks(memo).upper()
    hit = pattern.search(text) if pattern and code in text else None
    return hit[0] if hit else ""


@lru_cache(maxsize=1024)  # a school has some dozens of classes, and asks for them with each transfer
def _pattern_of_class(class_code: str) -> tuple[str, re.Pattern[str] | None]:
    code = fold_memo(class_code)
    if not _CLASS.fullmatch(code):
        return code, None
    return code, re.compile(rf"(?<![A-Z0-9])(?:LOP\W?)?{code}(?![A-Z0-9])")


def signs_of(memo: str, lead: Lead, allowed: frozenset[Sign]) -> list[Signed]:
    """Return the signs, each with the characters it was read from, that lead from a transfer to a pupil."""
    signs = []
    if lead.name and _NAME in allowed:
        signs.append(Signed(_NAME, {**written(memo, lead.name)}))
    if lead.phone and _PHONE_SIGN in allowed:
        digits = fold_memo(memo)
        spelled = "0" + lead.phone[2:]
        signs.append(Signed(_PHONE_SIGN, {**written(memo, spelled if spelled in digits else lead.phone)}))
    if lead.payer and _PAYER in allowed:
        signs.append(Signed(_PAYER, {"paid_before": True}))
    if signs and _CLASS_SIGN in allowed and (class_ := class_in(memo, lead.class_code)):
        signs.append(Signed(_CLASS_SIGN, {"written": class_}))
    return signs


def weight(signs: Iterable[Signed]) -> int:
    """Return how strongly some signs speak; 0 when none of them may put a bill on the list."""
    kinds = {signed.sign for signed in signs}
    return 0 if kinds.isdisjoint(LISTING) else sum([WEIGHTS[kind] for kind in kinds])


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

    def leads(self, memo: str, payer: str | None) -> list[Lead]:
        """Return the pupils to whom a memo or the paying account leads, each once."""
        named, phoned = self._by_name, self._by_phone
        names = {person.pupil: (person, key) for key in names_in(memo, self._heads) for person in named.get(key, ())}
        phones = {person.pupil: (person, phone) for phone in phones_in(memo) for person in phoned.get(phone, ())}
        paid = {person.pupil: person for person in self._by_payer.get(payer or "", ())}
        if not (names or phones or paid):
            return []
        people = {pupil: person for pupil, (person, _) in (names | phones).items()} | paid
        return [
            Lead(
                pupil,
                names[pupil][1] if pupil in names else "",
                person.class_code,
                phones[pupil][1] if pupil in phones else "",
                pupil in paid,
            )
            for pupil, person in people.items()
        ]


def ranks(strengths: Sequence[object]) -> list[int]:
    """Return the places of sorted candidates from 1; equally strong ones share one: none is taken for better."""
    numbered: list[int] = []
    for place, strength in enumerate(strengths):
        equal = place > 0 and strength == strengths[place - 1]
        numbered.append(numbered[-1] if equal else place + 1)
    return numbered


def _words(memo: str) -> list[str]:
    return _WORD.findall(drop_marks(memo).upper() if not memo.isascii() else memo.upper())
