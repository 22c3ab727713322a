"""What stands against an act, told on the page where it was tried, with all that was typed, not on a page of its own.

A refusal for the own family, or of one person's second word, is written down all the same.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Request

from billing.errors import Conflict, HocphiError, NotAllowed, OwnFamily, Refused, SamePerson
from reconciliation.errors import EachTold, Overtaken
from service.access.errors import BeingWritten
from service.access.staff import Noted
from service.errors import answer_for
from service.pages.desk import Desk
from service.pages.guards import Visit, caller_of, parts_of
from service.pages.rendering import moment

TOLD = (Refused, Conflict, BeingWritten, OwnFamily, SamePerson)


def told(request: Request, visit: Visit, desk: Desk, error: HocphiError | None) -> dict[str, Any]:
    """Return ``status``, ``error`` and ``each`` of a page that tells what stood against an act, if anything did.

    Of an act that was rolled back (``_whole`` of the bindings): what is to be recorded of the refusal is written here.
    """
    if error is not None:
        _note(request, visit, desk, error)
    each = error.each if isinstance(error, EachTold) else ()
    return {"status": answer_for(error).status if error else 200, "error": _sentence(desk, error), "each": each}


def _sentence(desk: Desk, error: HocphiError | None) -> str:
    """Return what stands against an act; who was faster is named, with the time."""
    if isinstance(error, EachTold):
        return error.said
    if not isinstance(error, Overtaken):
        return error.message if error else ""
    by, at = error.facts["by"], error.facts["at"]
    who = desk.user_name(by if isinstance(by, UUID) else None)
    return f"{error.message} Người làm: {who}, lúc {moment(at) if at else '?'}."  # type: ignore[arg-type]  # a moment


def _note(request: Request, visit: Visit, desk: Desk, error: HocphiError) -> None:
    """Write down who was refused what nobody may, where the act itself is rolled back and the page is answered."""
    if not isinstance(error, NotAllowed):
        return
    caller, now = caller_of(request), parts_of(request).clock()
    refused = Noted(answer_for(error).code, "refused", visit.who.user_id, None, caller.address, caller.request_id)
    desk.note(refused, now)
    if isinstance(error, OwnFamily):
        desk.note_own_family(visit.who, error, request.url.path, now)
