"""The code of a line of a refund: what stands in the memo of the transfer out, so that the bank's line is known (pure).

``HT``, seven data and two check characters, made as a payment reference is (``billing.payments.reference``) with
another beginning, so neither is ever read as the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from billing.payments import reference

PREFIX = "HT"
LENGTH = len(PREFIX) + reference.BODY_LENGTH
_ANYWHERE = re.compile(f"(?=({PREFIX}[{reference.ALPHABET}]{{{reference.BODY_LENGTH}}}))")


def new_code(below: Callable[[int], int]) -> str:
    """Return a code drawn with ``below(n)``, a number from 0 to n - 1 such as ``secrets.randbelow``."""
    return PREFIX + reference.random_reference(below)[len(reference.PREFIX) :]


def codes_in(memo: str) -> tuple[str, ...]:
    """Return the codes that stand in a memo as they are, each once, whatever is glued around them."""
    found = (hit.group(1) for hit in _ANYWHERE.finditer(reference.fold_memo(memo)))
    return tuple(dict.fromkeys(hit for hit in found if reference.is_valid(reference.PREFIX + hit[len(PREFIX) :])))
