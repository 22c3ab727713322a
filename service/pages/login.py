"""Sign in, sign out, and the password."""

from __future__ import annotations

import asyncio
import unicodedata
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from billing.errors import HocphiError
from service.access import csrf, limits, passwords, sessions
from service.access.errors import Busy, ForgedRequest, TooManyTries, WeakPassword, WrongCredentials
from service.access.roles import Actor
from service.access.staff import Account, Noted
from service.errors import answer_for
from service.pages.desk import Desk
from service.pages.guards import (
    MAX_FORM_BYTES,
    FormToken,
    OpenDesk,
    StaffVisit,
    address_of,
    caller_of,
    own_origin,
    parts_of,
    session_digest,
    visitor,
)
from service.pages.rendering import page

router = APIRouter(max_body_size=MAX_FORM_BYTES)
_wait = asyncio.sleep  # takes no thread; tests put their own in its place

PasswordField = Annotated[str, Form(min_length=1, max_length=1000)]

# Where a role starts its day; the first that fits.
_STARTS = (
    ("/van-phong", frozenset({Actor.ACCOUNTANT, Actor.APPROVER})),
    ("/kiem-toan", frozenset({Actor.AUDITOR})),
    ("/tinh", frozenset({Actor.PROVINCE})),
    ("/lop-chu-nhiem", frozenset({Actor.CLASS_TEACHER})),
    ("/nguoi-dung", frozenset({Actor.ADMIN})),
)


def start_page(who_roles: frozenset[Actor]) -> str:
    """Return the page on which somebody with these roles starts."""
    return next((path for path, roles in _STARTS if roles & who_roles), "/toi")


def own_path(target: str) -> str | None:
    """Return a path of this site to go on to, or nothing: never an address elsewhere."""
    if not target.startswith("/") or target.startswith(("//", "/\\")) or any(c < " " for c in target):
        return None
    return target


@router.get("/")
def front(request: Request) -> Response:
    """Say what this is, and where to go."""
    return page(request, "front.html")


@router.get("/dang-nhap")
def form(request: Request, tiep: str = "") -> Response:
    """Show the sign-in form."""
    return _form(request, tiep)


async def slow_down(request: Request, login: Annotated[str, Form(max_length=200)] = "") -> None:
    """Let a try at a login wait that many wrong passwords were typed for, before any thread or transaction is taken.

    It delays and never refuses: the owner of the login still gets in, only later.
    """
    limiter = parts_of(request).limiter
    delay = await run_in_threadpool(limits.login_delay, limiter, fold_login(login))
    if delay:
        await _wait(delay)


@router.post("/dang-nhap", dependencies=[Depends(slow_down)])
def sign_in(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    desk: OpenDesk,
    token: FormToken,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    tiep: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Check login and password; on success begin a new session."""
    try:
        _refuse_foreign(request, token)
        return _sign_in(request, desk, fold_login(login), password, tiep)
    except (TooManyTries, ForgedRequest, Busy) as error:
        refused = _form(request, tiep, login, error)
        if isinstance(error, TooManyTries):
            refused.headers["Retry-After"] = str(error.wait_seconds)
        return refused


def fold_login(login: str) -> str:
    """Return a login as it is stored: NFC, lower case, no spaces around."""
    return unicodedata.normalize("NFC", login).strip().casefold()


def _sign_in(request: Request, desk: Desk, login: str, password: str, tiep: str) -> Response:
    parts = parts_of(request)
    here = limits.login_at(login, address_of(request))
    parts.limiter.spend(limits.LOGIN_BY_ADDRESS, address_of(request))
    parts.limiter.spend(limits.LOGIN_BY_ACCOUNT, here)
    account = desk.account(login)
    verdict = passwords.check_password(account.password_hash if account else None, password)
    now = parts.clock()
    if account is None or not verdict.ok:
        limits.count_wrong_password(parts.limiter, login)
        # Not raised: the note about the refusal must be committed with this request.
        desk.note(_noted(request, "sign_in", "refused", account.user_id if account else None), now)
        return _form(request, tiep, login, WrongCredentials())
    parts.limiter.forget(limits.LOGIN_BY_ACCOUNT, here)
    if verdict.new_hash is not None:
        desk.renew_hash(account.user_id, verdict.new_hash)
    old = session_digest(request)
    if old is not None:
        desk.end_session(old, now)
    fresh = sessions.new_session()
    desk.start_session(account.user_id, fresh.digest, now)
    desk.note(_noted(request, "sign_in", "done", account.user_id), now)
    who = desk.signed_in(fresh.digest, now)
    answer = RedirectResponse(own_path(tiep) or start_page(who.roles if who else frozenset()), status_code=303)
    cookie = sessions.session_cookie(production=parts.production)
    answer.headers.append("set-cookie", cookie.header(fresh.token))
    return answer


def _noted(request: Request, action: str, outcome: str, user_id: uuid.UUID | None) -> Noted:
    caller = caller_of(request)
    return Noted(action, outcome, user_id, None, caller.address, caller.request_id)


def _refuse_foreign(request: Request, token: str | None) -> None:
    value, new = visitor(request)
    binding = None if new else value.encode()
    csrf.refuse_forged(parts_of(request).secret, binding, token, request.headers, own_origin(request))


def _form(request: Request, tiep: str = "", login: str = "", error: HocphiError | None = None) -> Response:
    parts = parts_of(request)
    value, new = visitor(request)
    token = csrf.make_token(parts.secret, value.encode())
    fault = answer_for(error) if error else None
    answer = page(
        request,
        "login.html",
        status=fault.status if fault else 200,
        csrf=token,
        tiep=own_path(tiep) or "",
        login=login,
        error=error.message if error else "",
        advice=fault.advice if fault else ("", ""),
    )
    if new:
        cookie = sessions.visitor_cookie(production=parts.production)
        answer.headers.append("set-cookie", cookie.header(value))
    return answer


@router.post("/dang-xuat")
def sign_out(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """End this session, here and in the database."""
    parts = parts_of(request)
    desk.end_session(visit.who.session_digest, parts.clock())
    answer = RedirectResponse("/dang-nhap", status_code=303)
    answer.headers.append("set-cookie", sessions.session_cookie(production=parts.production).removal())
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/doi-mat-khau")
def password_form(request: Request, visit: StaffVisit) -> Response:
    """Show the form for a new password."""
    return page(request, "password.html", visit=visit, error="", least=passwords.MIN_LENGTH)


@router.post("/doi-mat-khau")
def new_password(
    request: Request, visit: StaffVisit, desk: OpenDesk, old: PasswordField, new: PasswordField
) -> Response:
    """Replace the password; the old one is asked for again, and all other sessions end."""
    parts = parts_of(request)
    here = limits.login_at(visit.who.login, address_of(request))
    parts.limiter.spend(limits.LOGIN_BY_ACCOUNT, here)
    account = desk.account(visit.who.login)
    try:
        _refuse_password(account, old, new, visit.who.login)
    except (WrongCredentials, WeakPassword) as error:
        status = answer_for(error).status
        return page(
            request, "password.html", status=status, visit=visit, error=error.message, least=passwords.MIN_LENGTH
        )
    now = parts.clock()
    desk.change_password(visit.who.user_id, passwords.hash_password(new), visit.who.session_digest, now)
    desk.note(_noted(request, "password_change", "done", visit.who.user_id), now)
    parts.limiter.forget(limits.LOGIN_BY_ACCOUNT, here)
    return RedirectResponse(start_page(visit.who.roles), status_code=303)


def _refuse_password(account: Account | None, old: str, new: str, login: str) -> None:
    if account is None or not passwords.check_password(account.password_hash, old).ok:
        raise WrongCredentials("Mật khẩu hiện tại không đúng.")
    if new == old:
        raise WeakPassword("Mật khẩu mới phải khác mật khẩu hiện tại.")
    passwords.refuse_weak(new, login)
