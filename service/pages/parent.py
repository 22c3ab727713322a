"""The family's pages behind a payment link: the bill, its state, the QR as a picture, the receipt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from billing.errors import NotFound
from reconciliation.cards.outcomes import Returned
from service.access import limits, links
from service.access.errors import LinkUnknown
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, address_of, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer
from service.pages.views import CHANGING, BillPage, BillState, BillStatus

router = APIRouter(max_body_size=MAX_FORM_BYTES)


def link_digest(request: Request, token: str) -> bytes:
    """Return the digest of a token that may be looked up; guessing is slowed down by address.

    Views are counted by address and link together: whole towns share one address of a mobile network.
    """
    parts = parts_of(request)
    address = address_of(request)
    parts.limiter.refuse_spent(limits.WRONG_LINKS, address)
    if not links.looks_like_token(token):
        parts.limiter.spend(limits.WRONG_LINKS, address)
        raise LinkUnknown
    digest = links.digest(token)
    parts.limiter.spend(limits.PUBLIC_PAGES, f"{address} {digest.hex()}")
    return digest


LinkDigest = Annotated[bytes, Depends(link_digest, scope="function")]


def _unknown(request: Request) -> LinkUnknown:
    parts_of(request).limiter.spend(limits.WRONG_LINKS, address_of(request))
    return LinkUnknown()


def _asks_again(view: BillPage | BillStatus, told: Returned | None) -> bool:
    """Say whether the page asks for its state by itself; ``told`` to whoever comes from the card provider, else None.

    A card that nobody is about to tell of lets nobody wait; one that is booked is waited for until its receipt.
    """
    by_card = told is not None and (told is Returned.WAITING or view.state is BillState.RECEIVED)
    return (view.instant or by_card) and view.state in CHANGING


@router.get("/t/{token}")
def bill(
    request: Request,
    token: str,
    digest: LinkDigest,
    desk: OpenDesk,
    the: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show one payment request in the plain view; ``the`` tells that the browser comes from the card provider."""
    view = desk.bill(digest, token, parts_of(request).clock())
    if view is None:
        raise _unknown(request)
    told = desk.card_returned(digest, parts_of(request).clock()) if the == "xong" else Returned.NOTHING
    again = _asks_again(view, told if the == "xong" else None)
    return page(request, "bill.html", bill=view, from_card=the, card_told=told.value, again=again)


@router.get("/t/{token}/status")  # noqa: FAST003  link_digest reads the token
def status(request: Request, digest: LinkDigest, desk: OpenDesk) -> Response:
    """Say whether the page would look different now, and whether asking again makes sense."""
    view = desk.bill_status(digest, parts_of(request).clock())
    if view is None:
        raise _unknown(request)
    told = desk.card_returned(digest, parts_of(request).clock()) if "the" in request.query_params else None
    again = _asks_again(view, told)
    return JSONResponse({"state": view.state.value, "version": view.version, "again": again})


@router.get("/t/{token}/qr.png")  # noqa: FAST003  as above
def qr_png(request: Request, digest: LinkDigest, desk: OpenDesk) -> Response:
    """Hand out the QR of what is still to be paid as a picture to save."""
    picture = desk.qr_png(digest, parts_of(request).clock())
    if picture is None:
        raise NotFound("Không còn mã QR cho đường dẫn này.")
    return file_answer(picture)


@router.get("/t/{token}/bien-lai/{number}.pdf")  # noqa: FAST003  as above
def receipt_pdf(request: Request, number: str, digest: LinkDigest, desk: OpenDesk) -> Response:
    """Hand out one receipt of this payment request."""
    receipt = desk.receipt_pdf(digest, number, parts_of(request).clock())
    if receipt is None:
        raise NotFound("Không có biên lai này.")
    return file_answer(receipt, inline=True)
