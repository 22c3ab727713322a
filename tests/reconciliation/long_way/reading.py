"""Reading a memo the long way: every window, every way to be one edit away, every stretch, one after the other."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from itertools import pairwise
from operator import mul

from billing.payments.reference import (
    ALPHABET,
    BASE,
    BODY_LENGTH,
    CORRECTED_AT_MOST,
    PREFIX,
    FoundReferences,
    fold_memo,
)

_NO_CHARACTER = 0xFF
_BODY = f"[{ALPHABET}]{{{BODY_LENGTH}}}"
_EXACT = re.compile(f"{PREFIX}{_BODY}")
_ANCHOR = re.compile(f"F(?=W.{{8}}|.?{_BODY}|.W[{ALPHABET}]{{8}})|W(?=F?{_BODY})")
_WEIGHTS = range(1, BODY_LENGTH + 1)


def find(memo: str) -> FoundReferences:
    """Return the references in a remittance memo, whatever a bank or a hand did to it.

    Exact ones are valid as they stand after folding. Corrected ones are one edit away (one character wrong,
    lost, added, or two neighbours swapped), with at least one letter of the prefix left and not overlapping an
    exact one.
    """
    text = fold_memo(memo)
    if "F" not in text and "W" not in text:
        return FoundReferences((), ())
    whole: dict[str, None] = {}
    between, behind = [], 0
    for hit in _EXACT.finditer(text):
        if _is_body(hit.group()[len(PREFIX) :]):
            whole[hit.group()] = None
            between.append(text[behind : hit.start()])
            behind = hit.end()
    between.append(text[behind:])
    if text.count("F") + text.count("W") == len(PREFIX) * (len(between) - 1):
        return FoundReferences(tuple(whole), ())
    return FoundReferences(tuple(whole), _corrected(between, whole))


def _corrected(pieces: list[str], exact: Container[str]) -> tuple[str, ...]:
    """Return the references one edit away in the pieces of a memo between its exact ones."""
    codes = (code for piece in pieces for code in _candidates(piece) if code not in exact)
    found: dict[str, None] = {}
    for code in codes:
        found[code] = None
        if len(found) == CORRECTED_AT_MOST:
            break
    return tuple(found)


def _candidates(text: str) -> Iterator[str]:
    """Give the reference of every window one edit away from one, by where the window starts."""
    for hit in _ANCHOR.finditer(text):
        at = hit.start()
        if text[at] == "W":
            yield from _around_w(text, at)
        elif text.startswith(PREFIX, at):
            yield from _mistakes_in_body(text, at)
        else:
            yield from _around_f(text, at)


def _around_w(text: str, at: int) -> Iterator[str]:
    """Give the references whose F is wrong, lost or behind this W."""
    yield from _if_body(text[at + 1 : at + 10])
    if text.startswith("F", at + 1):
        yield from _if_body(text[at + 2 : at + 11])


def _around_f(text: str, at: int) -> Iterator[str]:
    """Give the references whose W, which does not follow this F, is lost, wrong, swapped or pushed back."""
    yield from _if_body(text[at + 1 : at + 10])
    yield from _if_body(text[at + 2 : at + 11])
    if text.startswith("W", at + 2):
        yield from _if_body(text[at + 1] + text[at + 3 : at + 11])
        yield from _if_body(text[at + 3 : at + 12])


def _mistakes_in_body(text: str, at: int) -> Iterator[str]:
    """Give the references that begin with this prefix and have one mistake behind it."""
    values = _values(text[at + 2 : at + 12])
    for bodies in (
        _one_lost(values[: BODY_LENGTH - 1]),
        _one_wrong(values[:BODY_LENGTH]),
        _one_swap(values[:BODY_LENGTH]),
        _one_added(values),
    ):
        yield from (PREFIX + _letters(body) for body in bodies if _is_good(body))


def _one_lost(values: bytes) -> Iterator[bytes]:
    if len(values) != BODY_LENGTH - 1 or _NO_CHARACTER in values:
        return
    lost = bytes([-sum(values) % BASE])
    for place in range(BODY_LENGTH):
        yield values[:place] + lost + values[place:]


def _one_wrong(values: bytes) -> Iterator[bytes]:
    if len(values) != BODY_LENGTH:
        return
    unread = values.count(_NO_CHARACTER)
    if unread == 1:
        place = values.index(_NO_CHARACTER)
        right = (_NO_CHARACTER - sum(values)) % BASE
        yield values[:place] + bytes([right]) + values[place + 1 :]
    elif unread == 0:
        plain, weighted = _sums(values)
        # One character off by `plain` at place i adds i * plain to the weighted sum.
        place = weighted * pow(plain, -1, BASE) % BASE - 1 if plain else -1
        if 0 <= place < BODY_LENGTH:
            yield values[:place] + bytes([(values[place] - plain) % BASE]) + values[place + 1 :]


def _one_swap(values: bytes) -> Iterator[bytes]:
    if len(values) != BODY_LENGTH or sum(values) % BASE:
        return
    for place, (first, second) in enumerate(pairwise(values)):
        yield values[:place] + bytes([second, first]) + values[place + 2 :]


def _one_added(values: bytes) -> Iterator[bytes]:
    # Without its last character the window would be exact, so only the first nine can be the added one.
    if len(values) != BODY_LENGTH + 1 or values.count(_NO_CHARACTER) > 1:
        return
    for place in range(BODY_LENGTH):
        yield values[:place] + values[place + 1 :]


def _if_body(text: str) -> Iterator[str]:
    if _is_body(text):
        yield PREFIX + text


def _is_body(text: str) -> bool:
    return _is_good(_values(text))


def _is_good(values: bytes) -> bool:
    # The plain sum alone turns away nearly all noise.
    return (
        len(values) == BODY_LENGTH
        and sum(values) % BASE == 0
        and _NO_CHARACTER not in values
        and sum(map(mul, values, _WEIGHTS)) % BASE == 0
    )


def _sums(values: bytes) -> tuple[int, int]:
    return sum(values) % BASE, sum(map(mul, values, _WEIGHTS)) % BASE


def _values(text: str) -> bytes:
    return bytes(ALPHABET.index(letter) if letter in ALPHABET else _NO_CHARACTER for letter in text)


def _letters(values: bytes) -> str:
    return "".join(ALPHABET[value] for value in values)
