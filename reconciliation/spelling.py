"""Where a reference stands in a memo, how it was written, and which character was corrected (pure)."""

from __future__ import annotations

from typing import TypedDict

from billing.payments.reference import fold_memo


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
    letters, places = _kept(memo)
    return _stretch(memo, places, letters.index(reference), len(reference))


def changed(memo: str, reference: str) -> Changed:
    """Return the first stretch of the memo that is one edit away from the reference, and that edit.

    Raises ``ValueError`` when there is none.
    """
    letters, places = _kept(memo)
    length = len(reference)
    for start in range(len(letters)):
        # The same length first: a wrong character is likelier than a lost or an extra one.
        for width in (length, length - 1, length + 1):
            piece = letters[start : start + width]
            edit = _edit(piece, reference) if len(piece) == width else None
            if edit is not None:
                change, position, read, meant = edit
                stretch = _stretch(memo, places, start, width)
                return {**stretch, "change": change, "position": position + 1, "read": read, "meant": meant}
    raise ValueError(f"{reference} is not one edit away from anything in the memo")


def _kept(memo: str) -> tuple[str, list[int]]:
    """Return the memo's letters and digits as the reader sees them, and where each one stands."""
    if memo.isascii():
        return fold_memo(memo), [place for place, character in enumerate(memo) if character.isalnum()]
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(memo):
        for letter in fold_memo(character):
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


def _stretch(memo: str, places: list[int], start: int, width: int) -> Written:
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
