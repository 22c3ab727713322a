"""Errors become pages (or JSON): what happened, what to do, and a number to quote."""

from __future__ import annotations

import logging
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import errors as postgres
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from billing.errors import BadRows, Conflict, HocphiError, NotAllowed, OwnFamily
from service.access.errors import BeingWritten, ForgedRequest, PasswordChangeNeeded, SignInNeeded, TooManyTries
from service.access.kin_refusals import kin_refusal_of
from service.access.staff import Noted
from service.api import faults as api_faults
from service.database import waited_too_long
from service.errors import Answer, answer_for, answer_for_status
from service.pages import rendering
from service.pages.guards import PLACE_PARAMETER, caller_of, parts_of, session_digest
from service.pages.menu import choices_of, section_of

_log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Give every kind of error its answer."""
    app.add_exception_handler(HocphiError, _ours)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(IntegrityError, _overtaken)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(PoolTimeout, _database_away)
    app.add_exception_handler(Exception, _broken)


def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, HocphiError):
        raise TypeError("registered for errors of ours only") from error
    if isinstance(error, SignInNeeded) and request.method == "GET" and not wants_json(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/dang-nhap?tiep={quote(target, safe='')}", status_code=303)
    if isinstance(error, PasswordChangeNeeded) and request.method == "GET" and not wants_json(request):
        return RedirectResponse("/doi-mat-khau", status_code=303)
    if isinstance(error, (NotAllowed, ForgedRequest)):
        _note_refusal(request, answer_for(error).code, error)
    answer = answer_for(error)
    response = _answer(request, answer, (error.message, error.message), error)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.wait_seconds)
    return response


def _note_refusal(request: Request, code: str, error: HocphiError) -> None:
    """Write down who was refused, in a transaction of its own: the request's own is rolled back."""
    if api_faults.is_api(request):
        api_faults.note_api_refusal(request, code, error)
        return
    parts = parts_of(request)
    digest = session_digest(request)
    if digest is None:
        return
    caller, now = caller_of(request), parts.clock()
    with parts.open_desk(caller) as desk:
        who = desk.signed_in(digest, now)
        if who is not None:
            desk.note(Noted(code, "refused", who.user_id, None, caller.address, caller.request_id), now)
            if isinstance(error, OwnFamily):
                desk.note_own_family(who, error, request.url.path, now)


def _framework(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    answer, sentence = answer_for_status(status)
    response = _answer(request, answer, sentence)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _invalid(request: Request, error: Exception) -> Response:
    answer, sentence = answer_for_status(422)
    if api_faults.is_api(request) and isinstance(error, RequestValidationError):
        # Where and what kind, never the value: it is nobody's business.
        field, fault = api_faults.field_fault(error.errors())
        return api_faults.api_answer(request, answer, fault, field=field)
    return _answer(request, answer, sentence)


def _database_away(request: Request, error: Exception) -> Response:
    if waited_too_long(error):
        _log.warning("being written, request %s", _request_id(request))
        return _ours(request, BeingWritten())
    _log.error("database away: %s, request %s", type(error).__name__, _request_id(request))
    return _answer(request, *answer_for_status(503))


def _overtaken(request: Request, error: Exception) -> Response:
    """Answer who lost a race: a button pressed twice, or by two people. The rules look first, the database last."""
    if isinstance(error, IntegrityError) and (kin := kin_refusal_of(error.orig)) is not None:
        return _ours(request, kin)
    if not (isinstance(error, IntegrityError) and _was_faster(error.orig)):
        raise error
    _log.warning("overtaken: %s, request %s", type(error.orig).__name__, _request_id(request))
    return _ours(request, Conflict("Việc này vừa được làm xong, có thể do bấm hai lần hoặc do người khác."))


def _unstorable(request: Request, error: Exception) -> Response:
    """Answer who sent a character that no text can hold (U+0000), in a field or an address; no browser does."""
    if not (isinstance(error, DataError) and "NUL (0x00)" in str(error.orig)):
        raise error
    return _invalid(request, error)


def _was_faster(cause: BaseException | None) -> bool:
    """Say whether the database refused since the row is there already, or has gone its step already."""
    if isinstance(cause, postgres.CheckViolation):
        return "allowed_step()" in (cause.diag.context or "")
    return isinstance(cause, (postgres.UniqueViolation, postgres.ExclusionViolation))


def _broken(request: Request, error: Exception) -> Response:
    _log.error("unexpected %s, request %s", type(error).__name__, _request_id(request))
    return _answer(request, *answer_for_status(500))


def wants_json(request: Request) -> bool:
    """Say whether the caller asked for JSON rather than a page; a program of the API always does."""
    if api_faults.is_api(request):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _answer(request: Request, answer: Answer, sentence: tuple[str, str], error: HocphiError | None = None) -> Response:
    if api_faults.is_api(request):
        return api_faults.api_answer(request, answer, sentence, error)
    problems = error.problems if isinstance(error, BadRows) else []
    if wants_json(request):
        english = rendering.language_of(request) == "en"
        body: dict[str, object] = {
            "code": answer.code,
            "message": sentence[english],
            "advice": answer.advice[english],
            "request_id": _request_id(request),
        }
        if problems:
            body["rows"] = [
                {"line": row.line, "column": row.column, "reason": row.reason, "remedy": row.remedy} for row in problems
            ]
        return JSONResponse(body, status_code=answer.status)
    return rendering.page(
        request,
        "error.html",
        status=answer.status,
        answer=answer,
        sentence=sentence,
        problems=problems,
        back=section_of(request.url.path) or choices_of(request.url.path),
        place=request.query_params.get(PLACE_PARAMETER, ""),
        signed_in=session_digest(request) is not None,
        request_id=_request_id(request),
    )
