"""What a school collects, for everybody to read: no log-in, nothing of a pupil, kept by caches for a few minutes."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from billing.money import Money
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, parts_of
from service.pages.plan_views import PublicFees
from service.pages.rendering import page

router = APIRouter(prefix="/cong-khai", max_body_size=MAX_FORM_BYTES)
_KEPT = "public, max-age=300"
Code = Annotated[str, Path(max_length=20)]


@router.get("/{school_code}.json")
def twin(request: Request, desk: OpenDesk, school_code: Code) -> Response:
    """Hand out the same for programs: whole đồng, days as ISO dates."""
    found = desk.public_fees(school_code, parts_of(request).clock())
    return JSONResponse(_plain(found), headers={"Cache-Control": _KEPT})


@router.get("/{school_code}")
def fees(request: Request, desk: OpenDesk, school_code: Code) -> Response:
    """Show the school's items, prices and the law's reductions; made to be printed, too."""
    found = desk.public_fees(school_code, parts_of(request).clock())
    answer = page(request, "public_fees.html", found=found, groups=_groups(found))
    answer.headers["Vary"] = "Cookie"  # the language is remembered there
    if "set-cookie" not in answer.headers:
        answer.headers["Cache-Control"] = _KEPT
    return answer


def _groups(found: PublicFees) -> dict[str, list[object]]:
    groups: dict[str, list[object]] = {}
    for item in found.items:
        groups.setdefault(item.group, []).append(item)
    return groups


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever a record holds
    """Return records as plain JSON values."""
    if isinstance(value, Money):
        return value.dong
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
