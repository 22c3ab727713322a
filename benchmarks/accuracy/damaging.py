"""What hands do to a reference: characters wrong, lost or swapped, and how a memo is typed around it."""

from __future__ import annotations

import string
from random import Random

from billing.payments.reference import LENGTH

EDITS = ("wrong", "lost", "swapped")
_KEYS = string.ascii_uppercase + string.digits


def one_damaged(code: str, place: int, edit: str, random: Random) -> str | None:
    """Return the code with one mistake at ``place`` (0 to 10); None when swapping would change nothing."""
    if edit == "wrong":
        return code[:place] + random.choice(_KEYS.replace(code[place], "")) + code[place + 1 :]
    if edit == "lost":
        return code[:place] + code[place + 1 :]
    first = min(place, len(code) - 2)
    if code[first] == code[first + 1]:
        return None
    return code[:first] + code[first + 1] + code[first] + code[first + 2 :]


def two_damaged(code: str, random: Random) -> str:
    """Return the code with two wrong or lost characters, not the same place twice."""
    one, two = sorted(random.sample(range(LENGTH), k=2), reverse=True)
    for place in (one, two):
        code = one_damaged(code, place, random.choice(("wrong", "lost")), random) or code
    return code


def towards(code: str, other: str, steps: int, random: Random) -> str:
    """Return the code with so many of the characters in which two references differ taken from the other."""
    differing = [place for place in range(LENGTH) if code[place] != other[place]]
    letters = list(code)
    for place in random.sample(differing, k=steps):
        letters[place] = other[place]
    return "".join(letters)
