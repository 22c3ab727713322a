"""How a bill is worked out, for a guardian who proves a contact with a code; the plain view for anybody else."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from service.access import guardian_codes, guardian_sessions, limits, sessions
from service.access.errors import LinkUnknown
from service.access.guardian_codes import Outcome
from service.pages.guardian_views import SentCode
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, address_of, parts_of
from service.pages.parent import LinkDigest
from service.pages.rendering import language_of
from service.pages.visitor_forms import OwnForm, visitor_page

router = APIRouter(prefix="/t/{token}", max_body_size=MAX_FORM_BYTES)

TypedCode = Annotated[str, Form(max_length=40)]
# The page for which a code was asked; anything else means the explanation.
CHOICES = "dang-ky"
ACCOUNT = "nhan-tien"
_PAGES = (CHOICES, ACCOUNT)
AskedOn = Annotated[str, Query(max_length=20)]
AskedFor = Annotated[str, Form(max_length=20)]
SAID = {
    "thoi-nhan": (
        "Đã rút lại sự đồng ý. Nhà trường không gửi thông báo của em tới liên lạc này nữa.",
        "Your consent is withdrawn. The school sends nothing more about this child to this contact.",
    ),
    "dong": ("Đã đóng phần giải thích đầy đủ.", "The full explanation is closed."),
}
WRONG = ("Mã chưa đúng. Xin xem lại tin nhắn mới nhất rồi nhập lại.", "Wrong code. Please look at the latest message.")
ENDED = (
    "Mã này không dùng được nữa. Xin lấy mã mới.",
    "This code is no use any more. Please ask for a new one.",
)


def guardian_digest(request: Request) -> bytes | None:
    """Return the digest of the guardian's cookie, if there is one that could be ours."""
    cookie = sessions.guardian_cookie(production=parts_of(request).production)
    return sessions.digest_of_cookie(request.cookies.get(cookie.name))


def unknown(request: Request) -> LinkUnknown:
    """Count a link that nobody has, and return what to raise."""
    parts_of(request).limiter.spend(limits.WRONG_LINKS, address_of(request))
    return LinkUnknown()


def spend_code(request: Request, digest: bytes) -> None:
    """Count one code asked for from this address on this link; raises ``TooManyTries``."""
    limiter = parts_of(request).limiter
    limiter.spend(guardian_codes.BY_ADDRESS, address_of(request))
    limiter.spend(guardian_codes.BY_LINK, digest.hex())


def refuse_spent_codes(request: Request, digest: bytes) -> None:
    """Raise ``TooManyTries`` where no further code may be asked for, without counting."""
    limiter = parts_of(request).limiter
    limiter.refuse_spent(guardian_codes.BY_ADDRESS, address_of(request))
    limiter.refuse_spent(guardian_codes.BY_LINK, digest.hex())


def spend_try(request: Request) -> None:
    """Count one typed code from this address; raises ``TooManyTries``."""
    parts_of(request).limiter.spend(guardian_codes.TRIES_BY_ADDRESS, address_of(request))


def _base(token: str, asked_for: str) -> str:
    """Return the page to which a code leads back."""
    return f"/t/{token}/{asked_for if asked_for in _PAGES else 'chi-tiet'}"


def code_page(
    request: Request, base: str, sent: SentCode, outcome: Outcome | None = None, asked_for: str = ""
) -> Response:
    """Show the form for a code; ``base`` is the address of the page that sends another one."""
    fault = {None: None, Outcome.WRONG: WRONG, Outcome.ENDED: ENDED}[outcome]
    if not sent.open:
        fault = ENDED
    status = 200 if outcome is None else 422
    return visitor_page(
        request, "guardian_code.html", status=status, sent=sent, base=base, fault=fault, asked_for=asked_for
    )


def _end_older(request: Request, desk: OpenDesk) -> None:
    """End the session that this browser had before: whoever proved it last is the only one (ASVS 7.2.4)."""
    before = guardian_digest(request)
    if before is not None:
        desk.end_guardian(before, parts_of(request).clock())


@router.get("/chi-tiet")
def explained(request: Request, token: str, digest: LinkDigest, desk: OpenDesk, xong: str = "") -> Response:
    """Show how the bill is worked out: in full with a session of the child's guardian, plain without."""
    now = parts_of(request).clock()
    view = desk.explained(digest, token, guardian_digest(request), language_of(request), now)
    if view is None:
        raise unknown(request)
    return visitor_page(request, "guardian_explained.html", view=view, bill=view.bill, said=SAID.get(xong))


@router.post("/ma")
def send_code(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    lien_lac: Annotated[int, Form(ge=1, le=2**62)],
    ve: AskedFor = "",
) -> Response:
    """Send a code to the chosen contact."""
    del form
    spend_code(request, digest)
    code_id = desk.send_code(digest, lien_lac, language_of(request), parts_of(request).clock())
    if code_id is None:
        raise unknown(request)
    query = f"?ve={ve}" if ve in _PAGES else ""
    return RedirectResponse(f"/t/{token}/ma/{code_id}{query}", status_code=303)


@router.get("/ma/{code_id}")
def code_form(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, token: str, digest: LinkDigest, desk: OpenDesk, code_id: uuid.UUID, ve: AskedOn = ""
) -> Response:
    """Show the form for the code; it can be opened again after a look into the messages."""
    sent = desk.sent_code(digest, code_id, parts_of(request).clock())
    if sent is None:
        raise unknown(request)
    return code_page(request, _base(token, ve), sent, asked_for=ve)


@router.post("/ma/{code_id}")
def use_code(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    code_id: uuid.UUID,
    ma: TypedCode = "",
    ve: AskedFor = "",
) -> Response:
    """Try the code; a right one opens the full explanation and the family's choices for half an hour."""
    del form
    spend_try(request)
    now, fresh = parts_of(request).clock(), sessions.new_session()
    outcome = desk.use_code(digest, code_id, ma, fresh.digest, now)
    if outcome is Outcome.RIGHT:
        _end_older(request, desk)
        answer = RedirectResponse(_base(token, ve), status_code=303)
        cookie = sessions.guardian_cookie(production=parts_of(request).production)
        answer.headers.append("set-cookie", cookie.header(fresh.token, max_age=guardian_sessions.LIFETIME))
        return answer
    sent = None if outcome is None else desk.sent_code(digest, code_id, now)
    if sent is None:
        raise unknown(request)
    # Not raised: the try must be committed with this request.
    return code_page(request, _base(token, ve), sent, outcome, asked_for=ve)


@router.post("/dong-phien")
def close(request: Request, token: str, digest: LinkDigest, form: OwnForm, desk: OpenDesk) -> Response:
    """End the guardian's session, here and in the database."""
    del digest, form
    parts, session_digest = parts_of(request), guardian_digest(request)
    if session_digest is not None:
        desk.end_guardian(session_digest, parts.clock())
    answer = RedirectResponse(f"/t/{token}/chi-tiet?xong=dong", status_code=303)
    answer.headers.append("set-cookie", sessions.guardian_cookie(production=parts.production).removal())
    return answer


@router.post("/thoi-nhan")
def stop_notices(request: Request, token: str, digest: LinkDigest, form: OwnForm, desk: OpenDesk) -> Response:
    """Take back the consent to notices about this child."""
    del form
    session_digest = guardian_digest(request)
    done = session_digest is not None and desk.stop_notices(digest, session_digest, parts_of(request).clock())
    if done is None:
        raise unknown(request)
    return RedirectResponse(f"/t/{token}/chi-tiet{'?xong=thoi-nhan' if done else ''}", status_code=303)
