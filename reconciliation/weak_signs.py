"""Signs that a transfer may belong to a pupil, and the ranking they give (pure).

A name, a phone number or an account that paid before put a pupil's open bills on the list that a person is shown; the
same sum and the class only raise those already on it. None of them, and no number of them together, moves money.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
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

MOST_FAMILIES = 2
"""An account that paid for more families than this is shared and tells nothing."""

_FEWEST_LETTERS = 6
_MOST_WORDS = 7
_LONGEST_NAME = 40
_WORD = re.compile(r"[A-Z]+|[0-9]+")
_CLASS = re.compile(r"[0-9]{1,2}[A-Z][A-Z0-9]{0,3}")
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
        return {"sign": self.sign.value, **self.evidence}


def name_key(name: str) -> str:
    """Return a full name as it is looked for in memos, letters only; nothing when it is no full name or too short."""
    if not _PERSON.fullmatch(name.strip()):
        return ""
    key = fold_memo(name)
    return key if _FEWEST_LETTERS <= len(key) <= _LONGEST_NAME else ""


def names_in(memo: str) -> Iterator[str]:
    """Give every run of up to seven words of a memo, glued; a bank's break inside a word makes two words of it."""
    words = _words(memo)
    for start in range(len(words)):
        if words[start].isdigit():
            continue
        key = ""
        for word in words[start : start + _MOST_WORDS]:
            key += word
            if word.isdigit() or len(key) > _LONGEST_NAME:
                break
            if len(key) >= _FEWEST_LETTERS:
                yield key


def phones_in(memo: str) -> tuple[str, ...]:
    """Return what may be mobile numbers in a memo, as ``84…``, each once, by position; traces look like some too."""
    return tuple(dict.fromkeys(f"84{found}" for found in _PHONE.findall(fold_memo(memo))))


def class_in(memo: str, class_code: str) -> str:
    """Return the class as the memo writes it, ``3A`` or ``LOP3A``; nothing when it is not there."""
    code = fold_memo(class_code)
    if not _CLASS.fullmatch(code):
        return ""
    hit = re.search(rf"(?<![A-Z0-9])(?:LOP\W?)?{code}(?![A-Z0-9])", drop_marks(memo).upper())
    return hit[0] if hit else ""


def signs_of(memo: str, lead: Lead, allowed: frozenset[Sign]) -> list[Signed]:
    """Return the signs, each with the characters it was read from, that lead from a transfer to a pupil."""
    signs = []
    if lead.name and Sign.NAME in allowed:
        signs.append(Signed(Sign.NAME, {**written(memo, lead.name)}))
    if lead.phone and Sign.PHONE in allowed:
        digits = fold_memo(memo)
        spelled = next(way for way in ("0" + lead.phone[2:], lead.phone) if way in digits)
        signs.append(Signed(Sign.PHONE, {**written(memo, spelled)}))
    if lead.payer and Sign.PAYER in allowed:
        signs.append(Signed(Sign.PAYER, {"paid_before": True}))
    if signs and Sign.CLASS in allowed and (class_ := class_in(memo, lead.class_code)):
        signs.append(Signed(Sign.CLASS, {"written": class_}))
    return signs


def weight(signs: Iterable[Signed]) -> int:
    """Return how strongly some signs speak; 0 when none of them may put a bill on the list."""
    kinds = {signed.sign for signed in signs}
    return sum(WEIGHTS[kind] for kind in kinds) if kinds & LISTING else 0


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
        for person in people:
            if key := name_key(person.name):
                self._by_name[key].append(person)
            for phone in person.phones:
                self._by_phone[phone].append(person)
            for payer in person.payers:
                self._by_payer[payer].append(person)

    def leads(self, memo: str, payer: str | None) -> list[Lead]:
        """Return the pupils to whom a memo or the paying account leads, each once."""
        names = {person.pupil: (person, key) for key in names_in(memo) for person in self._by_name.get(key, ())}
        phones = {
            person.pupil: (person, phone) for phone in phones_in(memo) for person in self._by_phone.get(phone, ())
        }
        paid = {person.pupil: person for person in self._by_payer.get(payer or "", ())}
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
