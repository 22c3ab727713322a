"""Where a reference stands in a memo, how it was written, and which character was corrected (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from reconciliation.memo import Memo

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine

_BEGINNING: Final = 3
"""Among so many characters of what one edit left of a reference is a letter of its prefix."""


class Written(TypedDict):
    """The stretch of the memo that spells a reference; ``at`` is [first, last + 1], counted in characters."""

    written: str
    at: list[int]


class Changed(Written):
    """The same for a reference one edit away; ``position`` counts from 1 within the reference."""

    reference: str
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


class Edit:
    """A single edit: a stretch of ``letters`` starts here, and so far on so many were read where so many were meant."""

    __slots__ = ("at", "meant", "read", "start")

    def __init__(self, start: int, at: int, read: int, meant: int) -> None:
        self.start: int = start
        self.at: int = at
        self.read: int = read
        self.meant: int = meant

    @property
    def change(self) -> str:
        """Return its name."""
        if self.read == self.meant:
            return "wrong" if self.read == 1 else "swapped"
        return "lost" if self.read == 0 else "extra"


def changed(memo: Memo, reference: str) -> Changed:
    """Return the first stretch of the memo that is one edit away from the reference, and that edit.

    Raises ``ValueError`` when there is none.
    """
    edit = _edit_in(memo.folded, reference.encode("ascii"))
    if edit is None:
        raise ValueError(f"{reference} is not one edit away from anything in the memo")
    at, place = edit.at, edit.start + edit.at
    first, end = memo.stretch(edit.start, len(reference) + edit.read - edit.meant)
    return {
        "reference": reference,
        "written": memo.text[first:end],
        "at": [first, end],
        "change": edit.change,
        "position": at + 1,
        "read": memo.letters[place : place + edit.read],
        "meant": reference[at : at + edit.meant],
    }


def _edit_in(codes: bytes, meant: bytes) -> Edit | None:
    """Return the edit of the first stretch that is one edit away: a letter of the prefix is among its first three."""
    one: i64 = meant[0]
    other: i64 = meant[1]
    size: i64 = len(codes)
    last: i64 = -1  # where such a letter was seen last
    seen: i64 = 0
    start: i64 = 0
    while start < size:
        while seen < size and seen < start + _BEGINNING:
            code: i64 = codes[seen]
            if code == one or code == other:  # noqa: PLR1714, SIM109  compiled, no tuple is made to look into
                last = seen
            seen += 1
        if last >= start:
            edit = _edit_at(codes, start, meant)
            if edit is not None:
                return edit
        start += 1
    return None


def _edit_at(codes: bytes, start: i64, meant: bytes) -> Edit | None:
    """Return the single edit between what is read from a place on and what was meant, if it is just one."""
    length: i64 = len(meant)
    size: i64 = len(codes)
    at: i64 = 0
    read: i64 = start
    while at < length and read < size and codes[read] == meant[at]:
        at += 1
        read += 1
    # The same length first: a wrong character is likelier than a lost or an extra one.
    if _alike(codes, read + 1, meant, at + 1):
        return Edit(start, at, 1, 1)
    if _alike(codes, read + 2, meant, at + 2) and codes[read] == meant[at + 1] and codes[read + 1] == meant[at]:
        return Edit(start, at, 2, 2)
    if _alike(codes, read, meant, at + 1):
        return Edit(start, at, 0, 1)
    if _alike(codes, read + 1, meant, at):
        return Edit(start, at, 1, 0)
    return None


def _alike(codes: bytes, read: i64, meant: bytes, at: i64) -> bool:
    """Tell whether what is meant from a place on is what stands from another on; nothing is meant behind its end."""
    length: i64 = len(meant)
    if at > length or read + length - at > len(codes):
        return False
    while at < length:
        if codes[read] != meant[at]:
            return False
        read += 1
        at += 1
    return True
