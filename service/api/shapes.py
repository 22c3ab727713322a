"""What all requests and answers of the API have in common (pure).

Money is a whole number of đồng (``*_dong`` or ``amount``), moments are UTC in ISO 8601, days are school days of Viet
Nam (``2025-10-06``), ids are UUIDs except those of lines, prices and registrations, which are numbers within their
owner. A request with a field that is not known is refused.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from billing.visible import is_blank

T = TypeVar("T")

MOST_DONG = 1_000_000_000_000
# Control characters, and halves of letters that no UTF-8 can hold.
_UNSTORABLE = frozenset({"Cc", "Cs"})


class Body(BaseModel):
    """A request; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _clean(text: str) -> str:
    clean = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(letter) in _UNSTORABLE and letter not in "\n\t" for letter in clean):
        raise ValueError("no control characters")
    return "" if is_blank(clean) else clean


def _said(text: str) -> str:
    if not (clean := _clean(text)):
        raise ValueError("nothing that can be read")
    return clean


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_clean)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_said)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(_said)]
# What stands in an address or a query and is looked for as it is.
Sought = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]
# A day of these times; anything else is a typing mistake, and days are counted on from it.
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
Grade = Annotated[int, Field(strict=True, ge=-3, le=12)]  # -3 to 0: nhà trẻ, mầm, chồi, lá
Dong = Annotated[int, Field(strict=True, ge=0, le=MOST_DONG, description="whole đồng")]
PositiveDong = Annotated[int, Field(strict=True, gt=0, le=MOST_DONG, description="whole đồng, above 0")]
Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
Number = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
Yes = Annotated[bool, Field(strict=True)]


class Reason(Body):
    """Why something is done; stands in the audit."""

    reason: Text = ""


class ErrorDetail(Answer):
    """What went wrong: a stable code, a sentence, and the field or the rows at fault where there are any."""

    code: str
    message: str
    field: str | None = None
    advice: str | None = None
    request_id: str | None = None
    rows: list[RowFault] | None = None


class RowFault(Answer):
    """One thing wrong in a workbook."""

    line: int
    column: str
    reason: str
    remedy: str


class ErrorAnswer(Answer):
    """Every answer from 400 on."""

    error: ErrorDetail


class Page(Answer, Generic[T]):
    """One page of a list; ``next_cursor`` is empty on the last one."""

    data: list[T]
    next_cursor: str | None = None


class Counted(Answer):
    """How many rows were new, changed an earlier one, or said what was known."""

    new: int
    changed: int
    unchanged: int
