"""A remittance memo, read once for everything that is looked for in it (pure).

Written in plain loops over bytes: compiled they cost next to nothing, and each memo is looked at in many ways.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from billing.payments.reference import drop_marks, fold_ascii, fold_memo, fold_to_codes, upper_ascii

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine

_0: Final = 48
_3: Final = 51
_4: Final = 52
_5: Final = 53
_7: Final = 55
_8: Final = 56
_9: Final = 57
_A: Final = 65
_Z: Final = 90
_PHONE: Final = 9
"""Digits of a mobile number behind its 0 or 84."""


class Memo:
    """A memo as it came (``text``), and folded to what every bank keeps of it: ``letters`` A-Z and 0-9 alone.

    What not every transfer needs is read when it is asked for.
    """

    __slots__ = ("_ascii", "_codes", "_letters", "_phones", "_upper", "folded", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        self._ascii: bytes | None = None  # the text itself, unless there is more in it
        if text.isascii():
            self._ascii = text.encode("ascii")
            self.folded: bytes = fold_ascii(self._ascii)
        else:
            self.folded = fold_to_codes(text)
        self._letters: str | None = None
        self._upper: str | None = None
        self._codes: bytes | None = None
        self._phones: tuple[str, ...] | None = None

    @property
    def letters(self) -> str:
        """Return the memo folded to what every bank keeps of it; ``folded`` is the same, a byte for each."""
        letters = self._letters
        if letters is None:
            letters = self._letters = self.folded.decode("ascii")
        return letters

    @property
    def upper(self) -> str:
        """Return the memo without marks and in capitals, with its signs and blanks."""
        upper = self._upper
        if upper is None:
            plain = self._ascii is None
            upper = self._upper = drop_marks(self.text).upper() if plain else self.codes.decode("ascii")
        return upper

    @property
    def codes(self) -> bytes:
        """Return ``upper`` in one byte a character: ``?`` for one that is no ASCII."""
        codes = self._codes
        if codes is None:
            plain = self._ascii
            codes = self.upper.encode("ascii", "replace") if plain is None else upper_ascii(plain)
            self._codes = codes
        return codes

    @property
    def phones(self) -> tuple[str, ...]:
        """Return what may be mobile numbers, as ``84…``, each once, by position; traces look like some too.

        Signs and blanks between its digits do not end a number.
        """
        phones = self._phones
        if phones is None:
            phones = self._phones = self._read_phones()
        return phones

    def _read_phones(self) -> tuple[str, ...]:
        folded = self.folded
        phones: tuple[str, ...] = ()
        end: i64 = len(folded)
        digits: i64 = 0
        place: i64 = 0
        while place < end:
            digits = digits + 1 if folded[place] <= _9 else 0
            place += 1
            if digits > _PHONE and _is_phone(folded, place - _PHONE, digits):
                phone = "84" + folded[place - _PHONE : place].decode("ascii")
                if phone not in phones:
                    phones = (*phones, phone)
        return phones

    def place(self, letters: str) -> tuple[int, int]:
        """Return the first and the last place (and one) of what spells some letters, signs and blanks between included.

        Raises ``ValueError`` when the memo does not spell them.
        """
        start = self.text.find(letters)
        if start >= 0:
            return start, start + len(letters)
        start = self.letters.find(letters)
        if start < 0:
            raise ValueError("substring not found")
        return self.stretch(start, len(letters))

    def stretch(self, start: int, width: int) -> tuple[int, int]:
        """Return where the stretch of the memo is that holds so many letters and digits, from the ``start``-th on."""
        if self._ascii is None:
            kept = (place for place, character in enumerate(self.text) for _ in fold_memo(character))
            places = list(islice(kept, start, start + width))
            return places[0], places[-1] + 1
        codes = self.codes  # as many as characters: nothing but ASCII has two capitals
        first = _place_of(codes, 0, start + 1)
        return first, _place_of(codes, first, width) + 1


def _is_phone(folded: bytes, start: i64, digits: i64) -> bool:
    """Tell whether nine digits that begin at a place are a mobile number, with 0 or 84 before it."""
    before: i64 = folded[start - 1]
    if before != _0 and (before != _4 or digits == _PHONE + 1 or folded[start - 2] != _8):
        return False
    first: i64 = folded[start]
    return first == _3 or first == _5 or first >= _7  # noqa: PLR1714  compiled, no tuple is made to look into


def _place_of(codes: bytes, begin: int, nth: int) -> int:
    """Return the place of the n-th letter or digit (from 1) from a place on."""
    place: i64 = begin
    missing: i64 = nth
    while True:
        code: i64 = codes[place]
        if _A <= code <= _Z or _0 <= code <= _9:
            missing -= 1
            if missing == 0:
                return place
        place += 1
