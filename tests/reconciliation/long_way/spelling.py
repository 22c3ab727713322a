"""Where references, names and numbers stand in a memo, the long way: every start and width is tried."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from billing.payments.reference import drop_marks, fold_memo
from reconciliation.names import name_key
from reconciliation.spelling import Changed, Written
from reconciliation.weak_signs import Lead, Person, Sign

_FEWEST_LETTERS, _MOST_WORDS, _LONGEST_NAME = 6, 7, 40
_WORD = re.compile(r"[A-Z]+|[0-9]+")
_CLASS = re.compile(r"[0-9]{1,2}[A-Z][A-Z0-9]{0,3}")
_PHONE = re.compile(r"(?=(?:0|84)([35789][0-9]{8}))")


class Signed(NamedTuple):
    """One sign, as evidence."""

    sign: Sign
    evidence: Mapping[str, object]

    def told(self) -> dict[str, object]:
        """Return it as it is kept: the name of the sign, and the characters it was read from."""
        return {"sign": str(self.sign), **self.evidence}


def written(memo: str, reference: str) -> Written:
    """Return the stretch of the memo that spells the reference, separators and small letters included.

    Raises ``ValueError`` when the memo does not spell it.
    """
    start = memo.find(reference)
    if start >= 0:
        return {"written": reference, "at": [start, start + len(reference)]}
    return _stretch(memo, fold_memo(memo).index(reference), len(reference))


def changed(memo: str, reference: str) -> Changed:
    """Return the first stretch of the memo that is one edit away from the reference, and that edit.

    Raises ``ValueError`` when there is none.
    """
    letters = fold_memo(memo)
    length = len(reference)
    for start in _starts(letters, reference):
        # The same length first: a wrong character is likelier than a lost or an extra one.
        for width in (length, length - 1, length + 1):
            piece = letters[start : start + width]
            edit = _edit(piece, reference) if len(piece) == width else None
            if edit is not None:
                change, position, read, meant = edit
                stretch = _stretch(memo, start, width)
                return {
                    "reference": reference,
                    **stretch,
                    "change": change,
                    "position": position + 1,
                    "read": read,
                    "meant": meant,
                }
    raise ValueError(f"{reference} is not one edit away from anything in the memo")


def _starts(letters: str, reference: str) -> list[int]:
    """Return where a stretch one edit away may start: a letter of the prefix is left among its first three."""
    places = (place for sign in set(reference[:2]) for place in _places(letters, sign))
    return sorted({start for place in places for start in (place - 2, place - 1, place) if start >= 0})


def _places(letters: str, sign: str) -> Iterator[int]:
    place = letters.find(sign)
    while place >= 0:
        yield place
        place = letters.find(sign, place + 1)


def _stretch(memo: str, start: int, width: int) -> Written:
    """Return the stretch of the memo that holds so many of its letters and digits, from the ``start``-th on."""
    places = [place for place, character in enumerate(memo) for _ in fold_memo(character)]
    first, end = places[start], places[start + width - 1] + 1
    return {"written": memo[first:end], "at": [first, end]}


def _edit(piece: str, meant: str) -> tuple[str, int, str, str] | None:
    """Name the single edit between what was read and what was meant, if it is just one."""
    at = next((i for i, (a, b) in enumerate(zip(piece, meant, strict=False)) if a != b), None)
    if at is None:
        at = min(len(piece), len(meant))
    if len(piece) < len(meant):
        return ("lost", at, "", meant[at]) if piece[at:] == meant[at + 1 :] else None
    if len(piece) > len(meant):
        return ("extra", at, piece[at], "") if piece[at + 1 :] == meant[at:] else None
    if piece[at + 1 :] == meant[at + 1 :] and at < len(piece):
        return "wrong", at, piece[at], meant[at]
    if piece[at : at + 2] == meant[at : at + 2][::-1] and piece[at + 2 :] == meant[at + 2 :]:
        return "swapped", at, piece[at : at + 2], meant[at : at + 2]
    return None


def names_in(memo: str) -> Iterator[str]:
    """Give every run of up to seven words of a memo, glued; a bank's break inside a word makes two words of it."""
    words = _WORD.findall(drop_marks(memo).upper())
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
                payer=pupil in paid,
            )
            for pupil, person in people.items()
        ]
