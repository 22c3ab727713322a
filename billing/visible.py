"""Whether a reader sees anything of a text (pure): a reason of blanks and invisible signs alone is none."""

from __future__ import annotations

import unicodedata

# Signs that count as letters or symbols and show nothing: the fillers of Hangul, the empty pattern of Braille.
_EMPTY = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_SEEN = frozenset("LNPS")  # letters, numbers, punctuation, symbols; a mark alone stands on nothing


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text can be read: it is empty, or blanks, invisible signs and lone marks."""
    return not any(unicodedata.category(sign)[0] in _SEEN and sign not in _EMPTY for sign in text)
