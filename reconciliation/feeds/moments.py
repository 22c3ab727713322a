"""Moments as providers write them, read strictly (pure): one of the named forms, of a plausible year, into UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.base import PLAUSIBLE_YEARS
from reconciliation.feeds.json_body import JsonObject, text

_BANK_TIME = timezone(timedelta(hours=7))
_MAX_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a moment: its exact look, how ``strptime`` reads it, and how it is told to people."""

    look: re.Pattern[str]
    layout: str
    told: str


def _form(look: str, layout: str, told: str) -> Form:
    return Form(re.compile(look, re.ASCII), layout, told)


SPACED = _form(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S", "YYYY-MM-DD HH:MM:SS")
PACKED = _form(r"\d{14}", "%Y%m%d%H%M%S", "YYYYMMDDHHMMSS")
DAY_FIRST = _form(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", "%d/%m/%Y %H:%M:%S", "DD/MM/YYYY HH:MM:SS")
TO_THE_MINUTE = _form(r"\d{4}-\d\d-\d\d\d\d:\d\d", "%Y-%m-%d%H:%M", "YYYY-MM-DDHH:MM")
WITH_T = _form(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "%Y-%m-%dT%H:%M:%S", "YYYY-MM-DDTHH:MM:SS")
DAY = _form(r"\d{4}-\d\d-\d\d", "%Y-%m-%d", "YYYY-MM-DD")
ZONED = _form(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:[0-5]\d)", "%Y-%m-%dT%H:%M:%S%z", "ISO 8601")


def moment(fields: JsonObject, name: str, *forms: Form) -> datetime:
    """Return the moment in UTC; without a zone it is the bank's (UTC+7). Raises ``CallbackUnreadable``."""
    value = text(fields, name, _MAX_LENGTH)
    for form in forms:
        if form.look.fullmatch(value):
            return _plausible(_parsed(value, form, name), name)
    told = " hoặc ".join(form.told for form in forms)
    raise CallbackUnreadable(f"Trường {name} phải có dạng {told}", field=name)


def moment_of_milliseconds(fields: JsonObject, name: str) -> datetime:
    """Return the moment of a Unix time in milliseconds, a whole number."""
    value = fields.get(name)
    if type(value) is not int:
        raise CallbackUnreadable(f"Trường {name} phải là số mili giây", field=name)
    try:
        found = datetime.fromtimestamp(value // 1000, tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CallbackUnreadable(f"Trường {name}: không có thời điểm {value}"[:200], field=name) from error
    return _plausible(found, name)


def _parsed(value: str, form: Form, name: str) -> datetime:
    try:
        found = datetime.strptime(value, form.layout)  # noqa: DTZ007  the zone is given in the next line
    except ValueError as error:
        raise CallbackUnreadable(f"Trường {name}: không có thời điểm {value}", field=name) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=_BANK_TIME)


def _plausible(found: datetime, name: str) -> datetime:
    if found.year not in PLAUSIBLE_YEARS:
        raise CallbackUnreadable(f"Trường {name}: năm {found.year} không hợp lý", field=name)
    return found.astimezone(UTC)
