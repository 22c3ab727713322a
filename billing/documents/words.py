"""An amount in Vietnamese words (pure), as a cash document must carry it.

Groups of three; a group behind another always says its hundreds ("không trăm"); an empty group is left out. Behind
"mươi" 1 is "mốt" and 4 is "tư", behind "mười" and "mươi" 5 is "lăm".
"""

from __future__ import annotations

from dataclasses import dataclass

from billing.money import Money

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_AFTER_TENS = {1: "mốt", 4: "tư", 5: "lăm"}
_MILLIARD = 10**9


@dataclass(frozen=True, slots=True)
class Wording:
    """The words that differ by region: for an empty ten ("linh", "lẻ") and for a thousand ("nghìn", "ngàn")."""

    empty_ten: str = "linh"
    thousand: str = "nghìn"


OFFICIAL = Wording()
SOUTHERN = Wording(empty_ten="lẻ", thousand="ngàn")


def amount_in_words(amount: Money, wording: Wording = OFFICIAL) -> str:
    """Return ``Một trăm linh năm nghìn đồng`` for 105.000 đ; raises ``ValueError`` below 0 đ."""
    words = f"{number_in_words(amount.dong, wording)} đồng"
    return words[0].upper() + words[1:]


def number_in_words(number: int, wording: Wording = OFFICIAL) -> str:
    """Return a whole number in words, lower case; raises ``ValueError`` below zero."""
    if number < 0:
        raise ValueError(f"only amounts from 0 are written in words, not {number}")
    return " ".join(_number(number, wording)) if number else _DIGITS[0]


def _number(number: int, wording: Wording) -> list[str]:
    """Return the words of a number; none for zero."""
    milliards, rest = divmod(number, _MILLIARD)
    words = [*_number(milliards, wording), "tỷ"] if milliards else []
    for size, name in ((10**6, "triệu"), (10**3, wording.thousand), (1, "")):
        group = rest // size % 1000
        if group:
            words += _group(group, wording, inner=bool(words))
            words += [name] if name else []
    return words


def _group(group: int, wording: Wording, *, inner: bool) -> list[str]:
    """Return the words of 1 to 999; an inner group says its hundreds even when there are none."""
    hundreds, rest = divmod(group, 100)
    words = [_DIGITS[hundreds], "trăm"] if hundreds or inner else []
    tens, units = divmod(rest, 10)
    if tens == 0:
        if units:
            words += [wording.empty_ten, _DIGITS[units]] if words else [_DIGITS[units]]
    elif tens == 1:
        words += ["mười"] + ([_AFTER_TENS[5] if units == 5 else _DIGITS[units]] if units else [])  # noqa: PLR2004  "mười lăm"
    else:
        words += [_DIGITS[tens], "mươi"] + ([_AFTER_TENS.get(units, _DIGITS[units])] if units else [])
    return words
