"""Names of people in memos: how they are looked for, and which runs of a memo's words may be some (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from billing.payments.reference import fold_memo
from reconciliation.memo import Memo

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine

_0: Final = 48
_9: Final = 57
_A: Final = 65
_Z: Final = 90
_FEWEST_LETTERS: Final = 6
_MOST_WORDS: Final = 7
_LONGEST_NAME: Final = 40
_ALL_LENGTHS: Final = (1 << _LONGEST_NAME + 1) - (1 << _FEWEST_LETTERS)
_SIEVE: Final = 0x7FFF
_PERSON: Final = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)+")


def name_key(name: str) -> str:
    """Return a full name as it is looked for in memos, letters only; nothing when it is no full name or too short."""
    if not _PERSON.fullmatch(name.strip()):
        return ""
    key = fold_memo(name)
    return key if _FEWEST_LETTERS <= len(key) <= _LONGEST_NAME else ""


def names_in(memo: Memo) -> list[str]:
    """Return every run of up to seven words of a memo, glued; a bank's break inside a word makes two words of it.

    No name holds a digit.
    """
    return names_among(memo, None)


def names_among(memo: Memo, names: Names | None) -> list[str]:
    """Return those runs that are known names, or may be some by their first letters and length; without names all."""
    runs: list[str] = []
    codes = memo.codes
    end: i64 = len(codes)
    kept: i64 = 0
    place: i64 = 0
    inside = False
    while place < end:
        code: i64 = codes[place]
        if _A <= code <= _Z:
            if not inside:
                lengths: i64 = _ALL_LENGTHS if names is None else names.lengths_at(codes, place)
                if lengths != 0:
                    _add_runs(runs, memo, place, kept, lengths)
            inside = True
            kept += 1
        else:
            inside = False
            if _0 <= code <= _9:
                kept += 1
        place += 1
    return runs


def _add_runs(runs: list[str], memo: Memo, begin: i64, head: i64, lengths: i64) -> None:
    """Add the runs of words from a place of ``codes``, which is ``head`` in ``letters``, that are so many letters long.

    Up to a digit or the longest name. ``lengths``: a bit for each number of letters.
    """
    codes = memo.codes
    words: i64 = 0
    kept: i64 = 0
    place: i64 = begin
    end: i64 = len(codes)
    inside = False
    while kept <= _LONGEST_NAME:
        code: i64 = codes[place] if place < end else 0
        if _A <= code <= _Z:
            kept += 1
            inside = True
        else:
            if inside:
                inside = False
                words += 1
                if lengths >> kept & 1:
                    runs.append(memo.letters[head : head + kept])
            if words == _MOST_WORDS or place >= end or _0 <= code <= _9:
                return
        place += 1


class Names:
    """Which numbers of letters names have, by the six letters that they begin with."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lengths: dict[int, int] = {}
        sieve = bytearray(_SIEVE + 1)
        for name in names:
            head = _head_at(name.encode("ascii"), 0)
            self._lengths[head] = self._lengths.get(head, 0) | 1 << len(name)
            sieve[_sieved(head)] = 1
        self._sieve: bytes = bytes(sieve)
        """A 1 where the first letters of a name fall to: most words begin no name, and a look tells it."""

    def lengths_at(self, codes: bytes, place: i64) -> i64:
        """Return a bit for each number of letters of the names that begin as what stands at a place; 0 for none."""
        head = _head_at(codes, place)
        if head < 0 or self._sieve[_sieved(head)] == 0:
            return 0
        return self._lengths.get(head, 0)


def _head_at(codes: bytes, place: i64) -> i64:
    """Return six letters that begin at a place as a number; -1 when there are no six before the end or a digit."""
    head: i64 = 0
    letters: i64 = 0
    end: i64 = len(codes)
    while letters < _FEWEST_LETTERS:
        code: i64 = codes[place] if place < end else _0
        if _A <= code <= _Z:
            head = head << 5 | code - _A
            letters += 1
        elif _0 <= code <= _9:
            return -1
        place += 1
    return head


def _sieved(head: i64) -> i64:
    return (head ^ head >> 15) & _SIEVE
