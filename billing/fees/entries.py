"""Reading one entry of a catalogue file, field by field, with an error that names file, entry and reason (pure)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from billing.errors import Refused
from billing.fees.errors import BadCatalogue
from billing.fees.items import Span
from billing.money import Money

_Choice = TypeVar("_Choice", bound=StrEnum)
_Made = TypeVar("_Made")
COMMENT = "comment"


class Entry:
    """One object of a catalogue file. Fields are taken one by one; what nobody took is an error at the end."""

    def __init__(self, file: str, name: str, content: object) -> None:
        self.file = file
        self.name = name
        if not isinstance(content, dict):
            raise self.bad("phải là một đối tượng {…}")
        self._fields: dict[str, Any] = dict(content)
        self.comment = self.text(COMMENT, "")

    def bad(self, reason: str) -> BadCatalogue:
        """Return the error for this entry."""
        return BadCatalogue(self.file, self.name, reason)

    def text(self, field: str, default: str | None = None) -> str:
        """Take a text, in NFC and without blanks around it; must not be empty unless a default is given."""
        value = self._take(field, default)
        if not isinstance(value, str):
            raise self.bad(f"“{field}” phải là chữ")
        clean = unicodedata.normalize("NFC", value).strip()
        if not clean and default is None:
            raise self.bad(f"“{field}” không được để trống")
        return clean

    def whole(self, field: str, default: int | None = None) -> int:
        """Take a whole number; 1.0, true and "1" are refused."""
        value = self._take(field, default)
        if type(value) is not int:
            raise self.bad(f"“{field}” phải là số nguyên, không phải {value!r}")
        return value

    def optional_whole(self, field: str) -> int | None:
        """Take a whole number, or None if the field is missing."""
        return self.whole(field) if field in self._fields else None

    def money(self, field: str) -> Money:
        """Take đồng, zero or more."""
        value = self.whole(field)
        if value < 0:
            raise self.bad(f"“{field}” không được âm")
        return Money(value)

    def flag(self, field: str) -> bool:
        """Take true or false; missing means false."""
        value = self._take(field, default=False)
        if not isinstance(value, bool):
            raise self.bad(f"“{field}” phải là true hoặc false")
        return value

    def choice(self, field: str, kind: type[_Choice], default: _Choice | None = None) -> _Choice:
        """Take one of a closed list of words."""
        return self._chosen(field, self.text(field, default), kind)

    def choices(self, field: str, kind: type[_Choice]) -> frozenset[_Choice]:
        """Take several of a closed list of words; missing means none."""
        return frozenset(self._chosen(field, text, kind) for text in self.texts(field))

    def texts(self, field: str) -> tuple[str, ...]:
        """Take a list of texts without repeats; missing means none."""
        return tuple(unicodedata.normalize("NFC", text) for text in self._list(field, str))

    def wholes(self, field: str) -> tuple[int, ...]:
        """Take a list of whole numbers without repeats; missing means none."""
        return tuple(self._list(field, int))

    def span(self) -> Span:
        """Take ``valid_from`` and, if there, ``valid_to``."""
        end = self._day("valid_to") if "valid_to" in self._fields else None
        start = self._day("valid_from")
        return self.made(lambda: Span(start, end))

    def made(self, make: Callable[[], _Made]) -> _Made:
        """Build something from taken fields; what the rules refuse becomes this entry's error."""
        try:
            return make()
        except Refused as refusal:
            raise self.bad(refusal.message.rstrip(".")) from refusal

    def done(self) -> None:
        """Refuse fields that nobody took: a misspelt field must not be a silent default."""
        if self._fields:
            raise self.bad(f"có trường lạ: {', '.join(sorted(self._fields))}")

    def entries(self, section: str) -> list[Entry]:
        """Take a list of entries; each is named by its section and place, counted from 1."""
        value = self._take(section, [])
        if not isinstance(value, list):
            raise self.bad(f"“{section}” phải là một danh sách")
        return [Entry(self.file, f"{section}[{place}]", each) for place, each in enumerate(value, 1)]

    def _take(self, field: str, default: object) -> object:
        if field not in self._fields:
            if default is None:
                raise self.bad(f"thiếu “{field}”")
            return default
        return self._fields.pop(field)

    def _chosen(self, field: str, text: str, kind: type[_Choice]) -> _Choice:
        try:
            return kind(text)
        except ValueError as error:
            known = ", ".join(kind)
            raise self.bad(f"“{field}” là {text!r}, phải là một trong: {known}") from error

    def _list(self, field: str, kind: type[_Made]) -> list[_Made]:
        value = self._take(field, [])
        if not isinstance(value, list) or any(type(each) is not kind for each in value):
            raise self.bad(f"“{field}” phải là một danh sách {'chữ' if kind is str else 'số nguyên'}")
        if len(set(value)) != len(value):
            raise self.bad(f"“{field}” có giá trị lặp lại")
        return value

    def _day(self, field: str) -> date:
        text = self.text(field)
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.bad(f"“{field}” phải là ngày dạng 2025-09-01, không phải {text!r}") from error
