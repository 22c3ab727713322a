"""Vietnamese names (pure): clean text, the order of a class list, what a public page shows, what a search compares."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

NO_CLASS = "(chưa xếp)"
"""What stands in place of a class on the deposit of a child that is not enrolled yet."""

# The order of Vietnamese dictionaries; f, j, w and z stand where Latin has them, for the names of other peoples.
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER = {letter: weight for weight, letter in enumerate(_ALPHABET, start=1)}
# Ngang, huyền, hỏi, ngã, sắc, nặng.
_TONE = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_OTHER_MARK = 6
_FOREIGN_LETTER = 1000

_WordKey = tuple[tuple[int, ...], tuple[int, ...]]
SortKey = tuple[tuple[_WordKey, ...], str]


def clean_text(text: str) -> str:
    """Return NFC text without invisible characters, each run of spaces and line breaks one space."""
    composed = unicodedata.normalize("NFC", text)
    if composed.isprintable():  # of spaces only the plain one, and nothing invisible
        return " ".join(composed.split())
    kept = "".join(" " if _breaks(char) else char for char in composed if unicodedata.category(char) != "Cf")
    # A zero-width character may have stood between a letter and its mark.
    return " ".join(unicodedata.normalize("NFC", kept).split())


def sort_key(name: str) -> SortKey:
    """Return the key of a class list: given name, then family name, then what stands between.

    Word by word; letters first (a ă â b c d đ e ê …, tones ignored), then the tones.
    """
    clean = clean_text(name)
    words = clean.split(" ")
    return tuple(_word_key(word) for word in words[-1:] + words[:-1]), clean


def masked(name: str) -> str:
    """Return the given name and the initials of the others, for a page without login: ``N. T. M. Anh``."""
    *others, given = clean_text(name).split(" ")
    return " ".join([*(f"{_initial(word)}." for word in others), given])


def search_key(name: str) -> str:
    """Return lower-case ASCII words for comparing and searching: ``Điểu K'Rể`` gives ``dieu k re``."""
    plain = unicodedata.normalize("NFD", clean_text(name).casefold().replace("đ", "d"))
    kept = (char for char in plain if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in kept).split())


def _breaks(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Cc"


def _initial(word: str) -> str:
    start = next((place for place, char in enumerate(word) if char.isalpha()), 0)
    end = start + 1
    while end < len(word) and unicodedata.combining(word[end]):
        end += 1
    return word[start:end].upper()


@lru_cache(maxsize=8192)
def _word_key(word: str) -> _WordKey:
    letters: list[str] = []
    marks: list[int] = []
    for char in unicodedata.normalize("NFD", word.lower()):
        if not unicodedata.combining(char):
            letters.append(char)
            marks.append(0)
        elif letters:
            _put_mark(char, letters, marks)
    return tuple(_LETTER.get(char, _FOREIGN_LETTER + ord(char)) for char in letters if char.isalnum()), tuple(marks)


def _put_mark(mark: str, letters: list[str], marks: list[int]) -> None:
    shaped = unicodedata.normalize("NFC", letters[-1] + mark)
    if shaped in _LETTER:
        letters[-1] = shaped
    else:
        marks[-1] = max(marks[-1], _TONE.get(mark, _OTHER_MARK))
