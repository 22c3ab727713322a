"""Where a reference stands in a memo, how it was written, and which character was corrected (pure)."""

from __future__ import annotations

from typing import Final, TypedDict

from reconciliation.memo import Memo

_INTACT: Final = 5


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


def written(memo: Memo, reference: str) -> Written:
    """Return the stretch of the memo that spells the reference, separators and small letters included.

    Raises ``ValueError`` when the memo does not spell it.
    """
    first, end = memo.place(reference)
    return {"written": memo.text[first:end], "at": [first, end]}


def changed(memo: Memo, reference: str) -> Changed:
    """Return the first stretch of the memo that is one edit away from the reference, and that edit.

    Raises ``ValueError`` when there is none.
    """
    letters = memo.letters
    for start in _starts(letters, reference):
        # The same length first: a wrong character is likelier than a lost or an extra one.
        for width in (len(reference), len(reference) - 1, len(reference) + 1):
            piece = letters[start : start + width]
            edit = _edit(piece, reference) if len(piece) == width else None
            if edit is not None:
                change, at, read, meant = edit
                first, end = memo.stretch(start, width)
                return {
                    "written": memo.text[first:end],
                    "at": [first, end],
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
    starts: list[int] = []
    place = letters.find(reference[:_INTACT])
    while place >= 0:
        starts.append(place)
        place = letters.find(reference[:_INTACT], place + 1)
    place = letters.find(reference[-_INTACT:])
    while place >= 0:
        behind = place + _INTACT - len(reference)
        for start in range(max(0, behind - 1), behind + 2):
            if start not in starts:
                starts.append(start)
        place = letters.find(reference[-_INTACT:], place + 1)
    starts.sort()
    return [start for start in starts if _begins(letters[start : start + 3], reference)]


def _begins(head: str, reference: str) -> bool:
    return reference[0] in head or reference[1] in head


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
