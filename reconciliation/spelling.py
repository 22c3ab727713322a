"""Where a reference stands in a memo, how it was written, and which character was corrected (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypedDict

from billing.payments.reference import fold_memo

_RUN = re.compile("[A-Za-z0-9]+")
_INTACT = 5


class Written(TypedDict):
    """The stretch of the memo that spells a reference; ``at`` is [first, last + 1], counted in characters."""

    written: str
    at: list[int]


class Changed(Written):
    """The same for a reference one edit away; ``position`` counts from 1 within the reference."""

    change: str
    position: int
    read: str
    meant: str


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
                return {**stretch, "change": change, "position": position + 1, "read": read, "meant": meant}
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
    if memo.isascii():
        first, end = _place_of(memo, start), _place_of(memo, start + width - 1) + 1
    else:
        places = [place for place, character in enumerate(memo) for _ in fold_memo(character)]
        first, end = places[start], places[start + width - 1] + 1
    return {"written": memo[first:end], "at": [first, end]}


def _place_of(memo: str, number: int) -> int:
    """Return where the letter or digit of a number stands in plain ASCII; counted run by run."""
    for run in _RUN.finditer(memo):
        first, end = run.span()
        if number < end - first:
            return first + number
        number -= end - first
    raise ValueError("the memo has fewer letters and digits")


def _edit(piece: str, meant: str) -> tuple[str, int, str, str] | None:
    """Name the single edit between what was read and what was meant, if it is just one."""
    # One edit leaves the first or the last five as they are: nearly every stretch is turned away by this.
    if not (piece.startswith(meant[:_INTACT]) or piece.endswith(meant[-_INTACT:])):
        return None
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
