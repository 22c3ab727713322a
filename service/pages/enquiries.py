"""The doors of enquiry: a bank asks for a bill, or what became of an order. They read and store nothing.

They stand beside the door of callbacks, with the same unguessable part in the address; what is asked is believed by the
secret of that feed alone. No session, no form: another program calls here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from reconciliation.feeds import bidv_getbill, vietqrvn_check_order
from reconciliation.feeds.base import MAX_BODY_BYTES, Answer
from service.access.errors import TooManyTries
from service.access.limits import ENQUIRIES, WRONG_ENQUIRIES
from service.pages.desk import Desk
from service.pages.guards import address_of, caller_of, parts_of

_log = logging.getLogger(__name__)
_TOO_MANY = 429
router = APIRouter(prefix="/enquiries", max_body_size=MAX_BODY_BYTES)


async def raw_body(request: Request) -> bytes:
    """Return the bytes as they came: what is signed is signed over them."""
    return await request.body()


Body = Annotated[bytes, Depends(raw_body)]


@router.post("/{feed}/getbill")
def getbill(request: Request, feed: str, body: Body) -> Response:
    """BIDV asks which bill a customer has to pay."""
    now = parts_of(request).clock()
    nowhere, away = bidv_getbill.answer(bidv_getbill.NOT_LOGGED_IN), bidv_getbill.answer(bidv_getbill.SYSTEM)
    return _answered(request, feed, lambda desk: desk.bidv_getbill(feed, body, now), nowhere, away)


@router.post("/{feed}/api/transactions/check-order")
def check_order(request: Request, feed: str, body: Body) -> Response:
    """VietQR.vn asks what became of an order."""
    now = parts_of(request).clock()
    # One that is given twice is joined, so that no check accepts it.
    headers = {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
    nowhere = vietqrvn_check_order.failed(vietqrvn_check_order.NOT_FOUND)
    away = vietqrvn_check_order.failed(vietqrvn_check_order.UNKNOWN)
    return _answered(request, feed, lambda desk: desk.vietqrvn_check_order(feed, body, headers, now), nowhere, away)


def _answered(
    request: Request, feed: str, ask: Callable[[Desk], Answer | None], nowhere: Answer, away: Answer
) -> Response:
    """Ask within the limits; an address that is none counts against whoever guessed it."""
    limiter, here = parts_of(request).limiter, address_of(request)
    try:
        limiter.refuse_spent(WRONG_ENQUIRIES, here)
        limiter.spend(ENQUIRIES, feed)
        with parts_of(request).open_desk(caller_of(request)) as desk:
            found = ask(desk)
        if found is None:
            limiter.spend(WRONG_ENQUIRIES, here)
        return _response(found or nowhere)
    except TooManyTries as refused:
        answer = _response(away, _TOO_MANY)
        answer.headers["Retry-After"] = str(refused.wait_seconds)
        return answer
    except SQLAlchemyError:
        _log.exception("an enquiry could not be answered")
        return _response(away)


def _response(answer: Answer, status: int | None = None) -> Response:
    return Response(answer.body, status or answer.status, media_type=answer.content_type)
