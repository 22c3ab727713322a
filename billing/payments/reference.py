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
    return fold_to_codes(memo).decode("ascii")


def fold_to_codes(memo: str) -> bytes:
    """Return the same as a byte for each."""
    if memo.isascii():
        return fold_ascii(memo.encode("ascii"))
    # Marks fall with everything else that is neither A-Z nor 0-9.
    bare = unicodedata.normalize("NFD", memo).replace("đ", "d").replace("Đ", "D")
    return _NOT_KEPT.sub("", bare.upper()).encode("ascii")


def fold_ascii(memo: bytes) -> bytes:
    """Return the same of a memo that is ASCII."""
    return memo.translate(_UPPER, _DROPPED)


def upper_ascii(memo: bytes) -> bytes:
    """Return a memo that is ASCII in capitals, with its signs and blanks."""
    return memo.translate(_UPPER)


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
    return FoundReferences(*find_in(fold_to_codes(memo)))


def find_in(codes: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the exact and the corrected references in a folded memo (``fold_to_codes``), as ``find``."""
    values = codes.translate(_VALUES)
    exact: tuple[str, ...] = ()
    pieces: tuple[tuple[int, int], ...] = ()  # between the exact ones, where something looks like a damaged one
    size: i64 = len(codes)
    behind: i64 = 0
    like = False
    at: i64 = 0
    while at < size:
        code: i64 = codes[at]
        if code == _F and at + LENGTH <= size and codes[at + 1] == _W and _fits(values, at + 2):
            if like:
                pieces = (*pieces, (behind, at))
            reference = codes[at : at + LENGTH].decode("ascii")
            if not exact:
                exact = (reference,)
            elif reference not in exact:
                exact = (*exact, reference)
            at += LENGTH
            behind = at
            like = False
        else:  # no body holds an F or W, so none begins inside another
            if code == _F or code == _W:  # noqa: PLR1714, SIM109  compiled, no tuple is made to look into
                like = True
            at += 1
    if like:
        pieces = (*pieces, (behind, size)) if pieces else ((behind, size),)
    return exact, _corrected(codes, values, pieces, exact) if pieces else ()


def _corrected(
    codes: bytes, values: bytes, pieces: tuple[tuple[int, int], ...], exact: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the references one edit away in the pieces of a memo between its exact ones: from where, and to where."""
    bodies: list[bytes] = []
    for begin, behind in pieces:
        at: i64 = begin
        end: i64 = behind
        while at + BODY_LENGTH < end:
            code: i64 = codes[at]
            if code == _F:
                _add_behind_f(bodies, codes, values, at, end)
            elif code == _W:  # the F is wrong, lost or behind this W
                _add_fitting(bodies, values, at + 1, end)
                if codes[at + 1] == _F:
                    _add_fitting(bodies, values, at + 2, end)
            at += 1
    if not bodies:
        return ()
    found: list[str] = []
    for body in bodies:
        reference = PREFIX + _letters(body)
        if reference not in exact and reference not in found:
            found.append(reference)
            if len(found) == CORRECTED_AT_MOST:
                break
    return tuple(found)


def _add_behind_f(bodies: list[bytes], codes: bytes, values: bytes, at: i64, end: i64) -> None:
    """Add the bodies, by where their window starts, at an F that may be all that is left of a prefix."""
    if codes[at + 1] == _W:
        _add_mistakes(bodies, values[at + 2 : min(at + 3 + BODY_LENGTH, end)])
        return
    # The W, which does not follow this F, is lost, wrong, swapped or pushed back.
    _add_fitting(bodies, values, at + 1, end)
    _add_fitting(bodies, values, at + 2, end)
    if codes[at + 2] == _W:
        swapped = values[at + 1 : at + 2] + values[at + 3 : min(at + 2 + BODY_LENGTH, end)]
        _add_fitting(bodies, swapped, 0, len(swapped))
        _add_fitting(bodies, values, at + 3, end)


def _add_fitting(bodies: list[bytes], values: bytes, begin: i64, end: i64) -> None:
    """Add the body that begins at a place, if one does before the end."""
    if begin + BODY_LENGTH <= end and _fits(values, begin):
        bodies.append(values[begin : begin + BODY_LENGTH])


def _add_mistakes(bodies: list[bytes], values: bytes) -> None:
    """Add the bodies behind a prefix, of which there are up to ten characters, with one mistake in it."""
    size: i64 = len(values)
    _add_one_lost(bodies, values)
    if size >= BODY_LENGTH:
        _add_one_wrong(bodies, values[:BODY_LENGTH])
    if size > BODY_LENGTH:
        _add_one_added(bodies, values)


def _add_one_lost(bodies: list[bytes], values: bytes) -> None:
    plain: i64 = 0
    weighted: i64 = 0
    place: i64 = 0
    while place < BODY_LENGTH - 1:
        value: i64 = values[place]
        if value == _NO_CHARACTER:
            return
        plain += value
        place += 1
        weighted += place * value
    lost: i64 = -plain % BASE
    # Put in at a place it weighs that place, and everything behind it one more: only where this comes to 0 it fits.
    weighted += plain + lost
    place = 0
    while place < BODY_LENGTH:
        if weighted % BASE == 0:
            bodies.append(values[:place] + _CHARACTERS[lost] + values[place : BODY_LENGTH - 1])
        if place < BODY_LENGTH - 1:
            weighted += lost - values[place]
        place += 1


def _add_one_wrong(bodies: list[bytes], values: bytes) -> None:
    """Add what nine characters were before one of them was written wrong, or two neighbours swapped."""
    plain: i64 = 0
    weighted: i64 = 0
    unread: i64 = 0
    place: i64 = 0
    while place < BODY_LENGTH:
        value: i64 = values[place]
        place += 1
        if value == _NO_CHARACTER:
            if unread > 0:
                return
            unread = place
        else:
            plain += value
            weighted += place * value
    meant: i64 = -plain % BASE
    if unread > 0:
        if (weighted + unread * meant) % BASE == 0:
            bodies.append(values[: unread - 1] + _CHARACTERS[meant] + values[unread:])
    elif meant == 0:
        _add_swapped(bodies, values, weighted % BASE)
    else:
        # One character off by `plain` at place i adds i * plain to the weighted sum.
        place = weighted * _INVERSES[plain % BASE] % BASE - 1
        if 0 <= place < BODY_LENGTH:
            bodies.append(values[:place] + _CHARACTERS[(values[place] + meant) % BASE] + values[place + 1 :])


def _add_swapped(bodies: list[bytes], values: bytes, weighted: int) -> None:
    # Swapped back, two neighbours take their difference out of the weighted sum.
    for place in range(BODY_LENGTH - 1):
        if (values[place + 1] - values[place] - weighted) % BASE == 0:
            neighbours = values[place + 1 : place + 2] + values[place : place + 1]
            bodies.append(values[:place] + neighbours + values[place + 2 :])


def _add_one_added(bodies: list[bytes], values: bytes) -> None:
    # Without its last character the window would be exact, so only the first nine can be the added one.
    plain: i64 = 0
    place: i64 = 0
    while place <= BODY_LENGTH:
        plain += values[place]
        place += 1
    place = 0
    while place < BODY_LENGTH:
        if (plain - values[place]) % BASE == 0:
            _add_fitting(bodies, values[:place] + values[place + 1 :], 0, BODY_LENGTH)
        place += 1


def _fits(values: bytes, begin: i64) -> bool:
    """Tell whether the nine values from a place on, which are there, are the body of a reference."""
    plain: i64 = 0
    weighted: i64 = 0
    place: i64 = 0
    while place < BODY_LENGTH:
        value: i64 = values[begin + place]
        if value == _NO_CHARACTER:
            return False
        place += 1
        plain += value
        weighted += place * value
    return plain % BASE == 0 and weighted % BASE == 0


def _is_body(text: str) -> bool:
    return len(text) == BODY_LENGTH and _fits(_values(text), 0)


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
