"""Where a reference stands in a memo, how it was written, and which character was corrected (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress, count, islice
from typing import TypedDict

from billing.payments.reference import fold_memo

_KEPT = bytes(chr(code).isascii() and chr(code).isalnum() for code in range(256))
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
    for start in _starts(letters, reference):
        # The same length first: a wrong character is likelier than a lost or an extra one.
        for width in (len(reference), len(reference) - 1, len(reference) + 1):
            piece = letters[start : start + width]
            edit = _edit(piece, reference) if len(piece) == width else None
            if edit is not None:
                change, at, read, meant = edit
                return {
                    **_stretch(memo, start, width),
                    "change": change,
                    "position": at + 1,
                    "read": read,
                    "meant": meant,
                }
    raise ValueError(f"{reference} is not one edit away from anything in the memo")


def _starts(letters: str, reference: str) -> list[int]:
    """Return where a stretch one edit away may start: a letter of the prefix is left among its first three.

    One edit leaves the first or the last five characters as they are, so only beside these is looked.
    """
    starts = _places(letters, reference[:_INTACT])
    for place in _places(letters, reference[-_INTACT:]):
        behind = place + _INTACT - len(reference)
        starts += (behind - 1, behind, behind + 1)
    first, second = reference[0], reference[1]
    return [
        start
        for start in sorted(set(starts))
        if start >= 0 and (first in (head := letters[start : start + 3]) or second in head)
    ]


def _places(letters: str, sought: str) -> list[int]:
    places = []
    place = letters.find(sought)
    while place >= 0:
        places.append(place)
        place = letters.find(sought, place + 1)
    return places


def _stretch(memo: str, start: int, width: int) -> Written:
    """Return the stretch of the memo that holds so many of its letters and digits, from the ``start``-th on."""
    if memo.isascii():
        kept: Iterable[int] = compress(count(), memo.encode().translate(_KEPT))
    else:
        kept = (place for place, character in enumerate(memo) for _ in fold_memo(character))
    places = list(islice(kept, start, start + width))
    first, end = places[0], places[-1] + 1
    return {"written": memo[first:end], "at": [first, end]}


def _edit(piece: str, meant: str) -> tuple[str, int, str, str] | None:
    """Name the single edit between what was read and what was meant, if it is just one."""
    at, ends = 0, min(len(piece), len(meant))
    while at < ends and piece[at] == meant[at]:
        at += 1
    if len(piece) < len(meant):
        return ("lost", at, "", meant[at]) if piece[at:] == meant[at + 1 :] else None
    if len(piece) > len(meant):
        return ("extra", at, piece[at], "") if piece[at + 1 :] == meant[at:] else None
    if piece[at + 1 :] == meant[at + 1 :] and at < len(piece):
        return "wrong", at, piece[at], meant[at]
    if piece[at : at + 2] == meant[at : at + 2][::-1] and piece[at + 2 :] == meant[at + 2 :]:
        return "swapped", at, piece[at : at + 2], meant[at : at + 2]
    return None
