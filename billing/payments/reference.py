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
from collections.abc import Callable, Container
from functools import lru_cache
from itertools import islice, pairwise
from math import isqrt
from operator import mul
from typing import NamedTuple

PREFIX = "FW"
ALPHABET = "23456789ABCDEGHJKMNPQRSTUVXYZ"
BASE = len(ALPHABET)
DATA_LENGTH = 7
BODY_LENGTH = 9
LENGTH = 11
HOW_MANY = BASE**DATA_LENGTH
"""How many references exist: 29**7, about 17 thousand million."""

CORRECTED_AT_MOST = 20
_STEPS = [step.to_bytes(1) for step in range(10)]  # rounds of the shuffle
_KEY_BYTES = range(16, 65)

_NO_CHARACTER = 0xFF
_VALUES = bytes(ALPHABET.index(chr(code)) if chr(code) in ALPHABET else _NO_CHARACTER for code in range(256))
_AS_LETTERS = ALPHABET.encode().ljust(256)
_WEIGHTS = range(1, BODY_LENGTH + 1)
_INVERSES = (0, *(pow(value, -1, BASE) for value in range(1, BASE)))
_BODY = f"[{ALPHABET}]{{{BODY_LENGTH}}}"
_EXACT = re.compile(f"{PREFIX}{_BODY}")
# Only an F or W that starts one of these can belong to a reference with one mistake.
_ANCHOR = re.compile(f"F(?=W.{{8}}|.?{_BODY}|.W[{ALPHABET}]{{8}})|W(?=F?{_BODY})")

_UPPER = bytes(range(256)).upper()
_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_DROPPED = bytes(sorted(set(range(256)) - _KEPT))
_NOT_KEPT = re.compile("[^A-Z0-9]+")


class FoundReferences(NamedTuple):
    """What a memo holds: references as they stand, and those one mistake away; each once, by position.

    ``corrected`` is a suggestion for a person and never a reason to post: a quarter of double mistakes look
    like a single mistake of another code. It is cut after twenty and leaves out what is exact anyway.
    """

    exact: tuple[str, ...]
    corrected: tuple[str, ...]


_NOTHING = FoundReferences((), ())


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
    text = fold_memo(memo)
    signs = text.count("F") + text.count("W")
    if not signs:
        return _NOTHING
    pieces = text.split(PREFIX)  # no body holds an F or W, so each reference begins a piece
    whole: list[str] = []
    between = pieces[:1]
    for piece in pieces[1:]:
        body = piece[:BODY_LENGTH]
        if _is_good(_values(body)):
            whole.append(PREFIX + body)
            between.append(piece[BODY_LENGTH:])
        else:
            between[-1] += PREFIX + piece
    exact = tuple(dict.fromkeys(whole))
    if signs == len(PREFIX) * len(whole):
        return FoundReferences(exact, ())
    return FoundReferences(exact, _corrected(between, exact))


def _corrected(pieces: list[str], exact: Container[str]) -> tuple[str, ...]:
    """Return the references one edit away in the pieces of a memo between its exact ones."""
    found: dict[str, None] = {}
    for piece in pieces:
        anchors = [hit.start() for hit in _ANCHOR.finditer(piece)]
        values = _values(piece) if anchors else b""
        for at in anchors:
            for body in _bodies_at(piece, values, at):
                if _is_good(body) and (code := PREFIX + _letters(body)) not in exact:
                    found[code] = None
    return tuple(islice(found, CORRECTED_AT_MOST))


def _bodies_at(text: str, values: bytes, at: int) -> list[bytes]:
    """Return what may be a body, by where its window starts, at the first letter of a prefix that is left."""
    if text[at] == "W":  # the F is wrong, lost or behind this W
        behind = values[at + 1 : at + 10]
        return [behind, values[at + 2 : at + 11]] if text.startswith("F", at + 1) else [behind]
    if text.startswith("W", at + 1):
        return _mistakes_in_body(values[at + 2 : at + 12])
    # The W, which does not follow this F, is lost, wrong, swapped or pushed back.
    windows = [values[at + 1 : at + 10], values[at + 2 : at + 11]]
    if text.startswith("W", at + 2):
        windows += [values[at + 1 : at + 2] + values[at + 3 : at + 11], values[at + 3 : at + 12]]
    return windows


def _mistakes_in_body(values: bytes) -> list[bytes]:
    """Return what may be the body behind a prefix, of which there are up to ten characters, with one mistake in it."""
    nine = values[:BODY_LENGTH]
    return [*_one_lost(values[: BODY_LENGTH - 1]), *_one_wrong(nine), *_one_swap(nine), *_one_added(values)]


def _one_lost(values: bytes) -> list[bytes]:
    if len(values) != BODY_LENGTH - 1 or _NO_CHARACTER in values:
        return []
    plain, weighted = _sums(values)
    lost = -plain % BASE
    # Put in at a place it weighs that place, and everything behind it one more: only where this comes to 0 it fits.
    weighted += plain + lost
    fitting = []
    for place in range(BODY_LENGTH):
        if weighted % BASE == 0:
            fitting.append(values[:place] + bytes([lost]) + values[place:])
        weighted += lost - (values[place] if place < BODY_LENGTH - 1 else 0)
    return fitting


def _one_wrong(values: bytes) -> list[bytes]:
    if len(values) != BODY_LENGTH:
        return []
    unread = values.count(_NO_CHARACTER)
    if unread == 1:
        place = values.index(_NO_CHARACTER)
        right = (_NO_CHARACTER - sum(values)) % BASE
        return [values[:place] + bytes([right]) + values[place + 1 :]]
    if unread == 0:
        plain, weighted = _sums(values)
        # One character off by `plain` at place i adds i * plain to the weighted sum.
        place = weighted * _INVERSES[plain] % BASE - 1
        if 0 <= place < BODY_LENGTH:
            return [values[:place] + bytes([(values[place] - plain) % BASE]) + values[place + 1 :]]
    return []


def _one_swap(values: bytes) -> list[bytes]:
    if len(values) != BODY_LENGTH or sum(values) % BASE:
        return []
    return [
        values[:place] + bytes([second, first]) + values[place + 2 :]
        for place, (first, second) in enumerate(pairwise(values))
    ]


def _one_added(values: bytes) -> list[bytes]:
    # Without its last character the window would be exact, so only the first nine can be the added one.
    if len(values) != BODY_LENGTH + 1 or values.count(_NO_CHARACTER) > 1:
        return []
    plain = sum(values) % BASE
    return [
        values[:place] + values[place + 1 :]
        for place, value in enumerate(values[:BODY_LENGTH])
        if (plain - value) % BASE == 0
    ]


def _is_body(text: str) -> bool:
    return _is_good(_values(text))


def _is_good(values: bytes) -> bool:
    return (
        len(values) == BODY_LENGTH
        and sum(values) % BASE == 0
        and _NO_CHARACTER not in values
        and sum(map(mul, values, _WEIGHTS)) % BASE == 0
    )


def _sums(values: bytes) -> tuple[int, int]:
    return sum(values) % BASE, sum(map(mul, values, _WEIGHTS)) % BASE


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
