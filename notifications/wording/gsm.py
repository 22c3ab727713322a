"""The letters of one SMS (pure): Vietnamese without marks, only what the GSM alphabet has, at most 160 of them.

The GSM 7-bit default alphabet is 3GPP TS 23.038 §6.2.1. One letter outside of it turns the whole text into UCS-2, of
which only 70 fit into one SMS, and the school pays for two or three. Of the alphabet only the signs are used that are
the same on every phone and in every carrier's filter: no @, $, £, no escape for brackets.
"""

from __future__ import annotations

import re
import unicodedata

from billing.people.names import clean_text

ONE_SMS = 160
_SIGNS = " .,:;!?()/-+&'\"%#*=_"
ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + _SIGNS)
"""What our texts may hold: a part of the GSM alphabet, each letter of which counts as one."""

# Letters that are no Latin letter with a mark, and signs of a word processor, as they are written without.
_PLAIN = {ord(sign): bare for sign, bare in zip("đĐðÐøØłŁß₫–—‘’“”…", "dDdDoOlLsd--''\"\".", strict=True)}
# As Vietnamese schools are named in short; a longer name stands before the shorter one that it begins with.
_SHORT_SCHOOLS = (
    (re.compile(r"\bTruong Trung hoc pho thong\b", re.IGNORECASE), "THPT"),
    (re.compile(r"\bTruong Trung hoc co so\b", re.IGNORECASE), "THCS"),
    (re.compile(r"\bTruong Tieu hoc\b", re.IGNORECASE), "TH"),
    (re.compile(r"\bTruong Mau giao\b", re.IGNORECASE), "MG"),
    (re.compile(r"\bTruong Mam non\b", re.IGNORECASE), "MN"),
)
_KINDS = frozenset(letters for _, letters in _SHORT_SCHOOLS)


def plain(text: str) -> str:
    """Return one line in our alphabet: no marks, đ as d; what has no plain letter is left out."""
    bare = "".join(
        sign
        for sign in unicodedata.normalize("NFKD", clean_text(text).translate(_PLAIN))
        if not unicodedata.combining(sign)
    )
    return " ".join("".join(sign if sign in ALPHABET else " " for sign in bare.translate(_PLAIN)).split())


def is_one_sms(text: str) -> bool:
    """Tell whether a text is paid for once: only our letters, and no more than 160 of them."""
    return 0 < len(text) <= ONE_SMS and set(text) <= ALPHABET


def cut(text: str, limit: int) -> str:
    """Return a plain text of at most ``limit`` letters: whole words where half of it can stay, a dot for the rest."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    words = kept if text[limit - 1] == " " else kept.rpartition(" ")[0]
    return (words if len(words) * 2 >= limit else kept).rstrip(" ,;:-(.") + "."


def cut_name(name: str, limit: int) -> str:
    """Return a plain name of at most ``limit`` letters; a Vietnamese name loses its front, never its given name."""
    words = name.split(" ")
    while len(words) > 1 and len(" ".join(words)) > limit:
        words.pop(0)
    return cut(" ".join(words), limit)


def cut_school(name: str, limit: int) -> str:
    """Return a school's short name of at most ``limit`` letters: its kind stays, and the end of its own name."""
    kind, _, own = name.partition(" ")
    if kind not in _KINDS or len(name) <= limit or len(kind) + 2 > limit:
        return cut_name(name, limit)
    return f"{kind} {cut_name(own, limit - len(kind) - 1)}"


def short_school(name: str) -> str:
    """Return a school's plain name as it is said in short: ``Trường Tiểu học Đồng Tâm`` gives ``TH Dong Tam``."""
    short = plain(name)
    for long_form, letters in _SHORT_SCHOOLS:
        short = long_form.sub(letters, short)
    return short
