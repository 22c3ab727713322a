"""A remittance memo, read once for everything that is looked for in it (pure).

Written in plain loops over bytes: compiled they cost next to nothing, and each memo is looked at in many ways.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from billing.payments.reference import drop_marks, fold_memo

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine

_0: Final = 48
_9: Final = 57
_A: Final = 65
_Z: Final = 90
_SMALL_A: Final = 97
_SMALL_Z: Final = 122
_PHONE: Final = 9
"""Digits of a mobile number behind its 0 or 84."""


class Memo:
    """A memo as it came (``text``), and folded to what every bank keeps of it: ``letters`` A-Z and 0-9 alone."""

    __slots__ = ("_heads", "_phones", "_read", "_upper", "_words", "letters", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        self.letters: str = fold_memo(text)
        self._upper: str | None = None
        self._read: bool = False
        self._words: list[int] = []
        self._heads: list[int] = []
        self._phones: list[str] = []

    @property
    def upper(self) -> str:
        """Return the memo without marks and in capitals, with its signs and blanks."""
        upper = self._upper
        if upper is None:
            upper = self._upper = drop_marks(self.text).upper()
        return upper

    @property
    def words(self) -> list[int]:
        """Return where each word of letters begins in ``upper``."""
        self._read_once()
        return self._words

    @property
    def heads(self) -> list[int]:
        """Return where each word of letters begins in ``letters``: as many, in the same order."""
        self._read_once()
        return self._heads

    @property
    def phones(self) -> list[str]:
        """Return what may be mobile numbers, as ``84…``, each once, by position; traces look like some too."""
        self._read_once()
        return self._phones

    def _read_once(self) -> None:
        """Find the words and the numbers; signs and blanks between its digits do not end a number."""
        if self._read:
            return
        self._read = True
        codes = self.upper.encode("ascii", "replace")
        kept: i64 = 0
        digits: i64 = 0
        place: i64 = 0
        end: i64 = len(codes)
        inside = False
        while place < end:
            code: i64 = codes[place]
            if _A <= code <= _Z:
                if not inside:
                    self._words.append(place)
                    self._heads.append(kept)
                inside = True
                digits = 0
                kept += 1
            else:
                inside = False
                if _0 <= code <= _9:
                    digits += 1
                    kept += 1
                    if digits > _PHONE:
                        self._add_phone(kept - _PHONE, digits)
            place += 1

    def _add_phone(self, start: int, digits: int) -> None:
        """Keep nine digits that begin at a place of ``letters`` if they are a mobile number, 0 or 84 before it."""
        letters = self.letters
        before = letters[start - 1]
        if before != "0" and (before != "4" or digits == _PHONE + 1 or letters[start - 2] != "8"):
            return
        if letters[start] in "35789":
            phone = "84" + letters[start : start + _PHONE]
            if phone not in self._phones:
                self._phones.append(phone)

    def place(self, letters: str) -> tuple[int, int]:
        """Return the first and the last place (and one) of what spells some letters, signs and blanks between included.

        Raises ``ValueError`` when the memo does not spell them.
        """
        start = self.text.find(letters)
        if start >= 0:
            return start, start + len(letters)
        return self.stretch(self.letters.index(letters), len(letters))

    def stretch(self, start: int, width: int) -> tuple[int, int]:
        """Return where the stretch of the memo is that holds so many letters and digits, from the ``start``-th on."""
        if not self.text.isascii():
            kept = (place for place, character in enumerate(self.text) for _ in fold_memo(character))
            places = list(islice(kept, start, start + width))
            return places[0], places[-1] + 1
        piece = self.letters[start : start + width]
        first = self.upper.find(piece)
        if first >= 0 and self.letters.find(piece) == start and self.letters.find(piece, start + 1) < 0:
            return first, first + width
        codes = self.text.encode()
        first = _place_of(codes, 0, start + 1)
        return first, _place_of(codes, first, width) + 1


def _place_of(codes: bytes, begin: int, nth: int) -> int:
    """Return the place of the n-th letter or digit (from 1) from a place on."""
    place: i64 = begin
    missing: i64 = nth
    while True:
        code: i64 = codes[place]
        if _0 <= code <= _9 or _A <= code <= _Z or _SMALL_A <= code <= _SMALL_Z:
            missing -= 1
            if missing == 0:
                return place
        place += 1
