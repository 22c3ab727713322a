"""The payment reference: the eleven characters a family sends with its money, made and read here (pure).

``FW``, seven data and two check characters, all from an alphabet of 29 (a prime) without look-alikes and
without F and W. With c1 … c9 the values of the nine characters behind the prefix, both ``sum(ci)`` and
``sum(i * ci)`` are 0 modulo 29: any two wrong characters are noticed, a single one is located, swapped
neighbours are noticed.

Banks cut memos every 35 characters, drop punctuation, change case and glue text to both ends; a code of fixed
length read from letters and digits alone survives all of that.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from math import isqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from mypy_extensions import i64  # to Python it is int, and compiled a number of the machine

PREFIX: Final = "FW"
ALPHABET: Final = "23456789ABCDEGHJKMNPQRSTUVXYZ"
BASE: Final = len(ALPHABET)
DATA_LENGTH: Final = 7
BODY_LENGTH: Final = 9
LENGTH: Final = 11
HOW_MANY: Final = BASE**DATA_LENGTH
"""How many references exist: 29**7, about 17 thousand million."""

CORRECTED_AT_MOST: Final = 20
_STEPS: Final = [step.to_bytes(1) for step in range(10)]  # rounds of the shuffle
_KEY_BYTES: Final = range(16, 65)

_NO_CHARACTER: Final = 0xFF
_F: Final = 70
_W: Final = 87
_VALUES: Final = bytes(ALPHABET.index(chr(code)) if chr(code) in ALPHABET else _NO_CHARACTER for code in range(256))
_AS_LETTERS: Final = ALPHABET.encode().ljust(256)
_CHARACTERS: Final = tuple(bytes([value]) for value in range(BASE))
_INVERSES: Final = (0, *(pow(value, -1, BASE) for value in range(1, BASE)))
_BODY: Final = f"[{ALPHABET}]{{{BODY_LENGTH}}}"
_EXACT: Final = re.compile(f"{PREFIX}{_BODY}")

_UPPER: Final = bytes(range(256)).upper()
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_DROPPED: Final = bytes(sorted(set(range(256)) - _KEPT))
_NOT_KEPT: Final = re.compile("[^A-Z0-9]+")


class FoundReferences(NamedTuple):
    """What a memo holds: references as they stand, and those one mistake away; each once, by position.

    ``corrected`` is a suggestion for a person and never a reason to post: a quarter of double mistakes look
    like a single mistake of another code. It is cut after twenty and leaves out what is exact anyway.
    """

    exact: tuple[str, ...]
    corrected: tuple[str, ...]


def make(data: str) -> str:
    """Return the reference of seven data characters; raises ``ValueError`` for anything else."""
    values = _values(data)
    if len(values) != DATA_LENGTH or _NO_CHARACTER in values:
        raise ValueError(f"a reference is made of {DATA_LENGTH} characters of {ALPHABET}, not {data!r}")
    plain, weighted = _sums(values)
    # c8 + c9 = -plain and 8*c8 + 9*c9 = -weighted, modulo 29.
    last = (8 * plain - weighted) % BASE
    return PREFIX + data + ALPHABET[(-plain - last) % BASE] + ALPHABET[last]


def is_valid(text: str) -> bool:
    """Tell whether a text is a reference exactly as we write it: upper case, nothing around it."""
    return _EXACT.fullmatch(text) is not None and _is_body(text[len(PREFIX) :])


def reference_for(number: int, key: bytes) -> str:
    """Return the reference of a number from a database sequence: no two alike, and not guessable.

    ``number`` runs from 0 to ``HOW_MANY - 1``; ``key`` is secret, 16 to 64 bytes, and never changes, since
    another key would give numbers still to come references already used. Raises ``ValueError``.
    """
    if not 0 <= number < HOW_MANY:
        raise ValueError(f"references exist for 0 to {HOW_MANY - 1}, not for {number}")
    if len(key) not in _KEY_BYTES:
        raise ValueError("the key of the references needs 16 to 64 bytes")
    return make(_spell(_permute(number, key, HOW_MANY)))


def random_reference(below: Callable[[int], int]) -> str:
    """Return a reference drawn with ``below(n)``, a number from 0 to n - 1 such as ``secrets.randbelow``."""
    return make(_spell(below(HOW_MANY)))


def drop_marks(text: str) -> str:
    """Return a text without the marks of Vietnamese letters: ``Đặng Thị`` becomes ``Dang Thi``."""
    if text.isascii():
        return text
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return bare.replace("đ", "d").replace("Đ", "D")


def fold_memo(memo: str) -> str:
    """Return what every bank keeps of a memo: its letters without marks, upper case, and its digits."""
    if memo.isascii():
        return memo.encode("ascii").translate(_UPPER, _DROPPED).decode("ascii")
    # Marks fall with everything else that is neither A-Z nor 0-9.
    bare = unicodedata.normalize("NFD", memo).replace("đ", "d").replace("Đ", "D")
    return _NOT_KEPT.sub("", bare.upper())


def exact(memo: str) -> tuple[str, ...]:
    """Return the references that stand in a memo as they are, each once: ``find(memo).exact`` without the rest."""
    hits = (hit.group() for hit in _EXACT.finditer(fold_memo(memo)))
    return tuple(dict.fromkeys(hit for hit in hits if _is_body(hit[len(PREFIX) :])))


def find(memo: str) -> FoundReferences:
    """Return the references in a remittance memo, whatever a bank or a hand did to it.

    Exact ones are valid as they stand after folding. Corrected ones are one edit away (one character wrong,
    lost, added, or two neighbours swapped), with at least one letter of the prefix left and not overlapping an
    exact one.
    """
    return FoundReferences(*find_in(fold_memo(memo)))


def find_in(letters: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the exact and the corrected references in a memo that is folded already (``fold_memo``), as ``find``."""
    whole: list[str] = []
    near: list[str] = []
    behind = 0
    at = letters.find(PREFIX)
    while at >= 0:
        end = at + LENGTH
        if _is_good(_values(letters[at + 2 : end])):
            whole.append(letters[at:end])
            _add_if_like(near, letters[behind:at])
            behind = end
        else:
            end = at + 2  # no body holds an F or W, so none begins inside another
        at = letters.find(PREFIX, end)
    _add_if_like(near, letters[behind:])
    exact = tuple(dict.fromkeys(whole)) if len(whole) > 1 else tuple(whole)
    return exact, _corrected(near, exact) if near else ()


def _add_if_like(near: list[str], piece: str) -> None:
    """Add a piece between exact references to those that may hold a damaged one: it has a letter of the prefix."""
    if len(piece) > BODY_LENGTH and ("F" in piece or "W" in piece):
        near.append(piece)


def _corrected(pieces: list[str], exact: tuple[str, ...]) -> tuple[str, ...]:
    """Return the references one edit away in the pieces of a memo between its exact ones."""
    found: dict[str, None] = {}
    for piece in pieces:
        values = _values(piece)
        codes = piece.encode()
        end: i64 = len(codes) - BODY_LENGTH
        at: i64 = 0
        while at < end:
            code: i64 = codes[at]
            if code == _F or code == _W:  # noqa: PLR1714, SIM109  compiled, no tuple is made to look into
                for body in _bodies_at(codes, values, at):
                    reference = PREFIX + _letters(body)
                    if reference not in exact:
                        found[reference] = None
            at += 1
    return tuple(islice(found, CORRECTED_AT_MOST)) if found else ()


def _bodies_at(codes: bytes, values: bytes, at: int) -> list[bytes]:
    """Return the bodies, by where their window starts, at the first letter of a prefix that is left."""
    after = codes[at + 1]
    if codes[at] == _W:  # the F is wrong, lost or behind this W
        windows = [values[at + 1 : at + 10]]
        if after == _F:
            windows.append(values[at + 2 : at + 11])
    elif after == _W:
        return _mistakes_in_body(values[at + 2 : at + 12])
    else:  # the W, which does not follow this F, is lost, wrong, swapped or pushed back
        windows = [values[at + 1 : at + 10], values[at + 2 : at + 11]]
        if codes[at + 2] == _W:
            windows += [values[at + 1 : at + 2] + values[at + 3 : at + 11], values[at + 3 : at + 12]]
    return [window for window in windows if _is_good(window)]


def _mistakes_in_body(values: bytes) -> list[bytes]:
    """Return the bodies behind a prefix, of which there are up to ten characters, with one mistake in it."""
    nine = values[:BODY_LENGTH]
    return [*_one_lost(values[: BODY_LENGTH - 1]), *_one_wrong(nine), *_one_swap(nine), *_one_added(values)]


def _one_lost(values: bytes) -> list[bytes]:
    fitting: list[bytes] = []
    if len(values) != BODY_LENGTH - 1 or _NO_CHARACTER in values:
        return fitting
    plain, sums = _sums(values)
    lost: i64 = -plain % BASE
    # Put in at a place it weighs that place, and everything behind it one more: only where this comes to 0 it fits.
    weighted: i64 = sums + plain + lost
    place: i64 = 0
    while place < BODY_LENGTH:
        if weighted % BASE == 0:
            fitting.append(values[:place] + _CHARACTERS[lost] + values[place:])
        if place < BODY_LENGTH - 1:
            weighted += lost - values[place]
        place += 1
    return fitting


def _one_wrong(values: bytes) -> list[bytes]:
    if len(values) != BODY_LENGTH:
        return []
    unread = values.count(_NO_CHARACTER)
    if unread == 1:
        place = values.index(_NO_CHARACTER)
        body = values[:place] + _CHARACTERS[(_NO_CHARACTER - sum(values)) % BASE] + values[place + 1 :]
        return [body] if _is_good(body) else []
    if unread == 0:
        plain, weighted = _sums(values)
        # One character off by `plain` at place i adds i * plain to the weighted sum.
        place = weighted * _INVERSES[plain] % BASE - 1
        if 0 <= place < BODY_LENGTH:
            return [values[:place] + _CHARACTERS[(values[place] - plain) % BASE] + values[place + 1 :]]
    return []


def _one_swap(values: bytes) -> list[bytes]:
    if len(values) != BODY_LENGTH or sum(values) % BASE or _NO_CHARACTER in values:
        return []
    _, weighted = _sums(values)
    # Swapped back, two neighbours take their difference out of the weighted sum.
    return [
        values[:place] + values[place + 1 : place + 2] + values[place : place + 1] + values[place + 2 :]
        for place in range(BODY_LENGTH - 1)
        if (values[place + 1] - values[place] - weighted) % BASE == 0
    ]


def _one_added(values: bytes) -> list[bytes]:
    # Without its last character the window would be exact, so only the first nine can be the added one.
    if len(values) != BODY_LENGTH + 1 or values.count(_NO_CHARACTER) > 1:
        return []
    plain = sum(values) % BASE
    without = [
        values[:place] + values[place + 1 :] for place in range(BODY_LENGTH) if (plain - values[place]) % BASE == 0
    ]
    return [body for body in without if _is_good(body)]


def _is_body(text: str) -> bool:
    return _is_good(_values(text))


def _is_good(values: bytes) -> bool:
    if len(values) != BODY_LENGTH:
        return False
    plain, weighted = _sums(values)
    return plain == 0 and weighted == 0 and _NO_CHARACTER not in values


def _sums(values: bytes) -> tuple[int, int]:
    """Return the plain and the weighted sum. A loop of its own: compiled it is ten times as fast as ``sum``."""
    plain: i64 = 0
    weighted: i64 = 0
    place: i64 = 0
    end: i64 = len(values)
    while place < end:
        value: i64 = values[place]
        place += 1
        plain += value
        weighted += place * value
    return plain % BASE, weighted % BASE


def _values(text: str) -> bytes:
    plain = text.encode() if text.isascii() else text.encode("latin-1", "replace")
    return plain.translate(_VALUES)


def _letters(values: bytes) -> str:
    return values.translate(_AS_LETTERS).decode()


def _spell(number: int) -> str:
    letters = []
    for _ in range(DATA_LENGTH):
        number, value = divmod(number, BASE)
        letters.append(ALPHABET[value])
    return "".join(letters)


def _permute(number: int, key: bytes, size: int) -> int:
    """Return the place of ``number`` in a keyed shuffle of ``range(size)``.

    A Feistel network with modular addition over the smallest square not below ``size``; results outside are
    sent through again (cycle walking) until they fall inside, which keeps it one to one.
    """
    half = isqrt(size - 1) + 1
    steps = _steps(key)
    while True:
        left, right = divmod(number, half)
        for step in steps:
            hashed = step.copy()  # cheaper than to take the key in again
            hashed.update(right.to_bytes(8))
            left, right = right, (left + int.from_bytes(hashed.digest())) % half
        number = left * half + right
        if number < size:
            return number


@lru_cache(maxsize=4)
def _steps(key: bytes) -> list[hashlib.blake2b]:
    """Return, for each round of the shuffle, what has taken in the key and the round's number."""
    return [hashlib.blake2b(step, digest_size=16, key=key, person=b"hocphi reference") for step in _STEPS]
