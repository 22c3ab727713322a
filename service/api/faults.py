"""Errors of the API: always ``{"error": {"code", "message", "field"?, …}}``; never what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing.audit.recording import Actor as DeedActor
from billing.errors import BadRows, HocphiError, OwnFamily
from service.access.errors import TokenNeeded
from service.access.kin_refusals import record_kin_refusal
from service.access.staff import Noted, note
from service.api.calling import bearer_of
from service.api.shapes import ErrorAnswer, ErrorDetail, RowFault
from service.database import NOTHING, use_scope
from service.errors import Answer, answer_for_status
from service.pages.guards import caller_of, parts_of

PREFIX = "/api/"
MOST_ROWS = 500

# What is wrong with one field, by the kind of fault (Vietnamese, English); anything else is the last one.
_FIELD_FAULTS = {
    "missing": ("Thiếu trường này.", "This field is missing."),
    "extra_forbidden": ("API không có trường này.", "There is no such field."),
    "json_invalid": ("Nội dung không phải JSON đọc được.", "The body is no JSON that can be read."),
    "string_too_long": ("Chữ quá dài.", "The text is too long."),
    "string_too_short": ("Chữ quá ngắn.", "The text is too short."),
    "uuid_parsing": ("Không phải mã định danh (UUID).", "This is no UUID."),
    "date_from_datetime_parsing": ("Không phải ngày, ví dụ 2025-10-06.", "This is no day, such as 2025-10-06."),
    "int_type": ("Phải là số nguyên, không để trong ngoặc kép.", "This must be a whole number, not a text."),
    "enum": ("Giá trị không có trong danh sách cho phép.", "The value is not among those allowed."),
    "literal_error": ("Giá trị không có trong danh sách cho phép.", "The value is not among those allowed."),
    "": ("Giá trị chưa đúng.", "The value is not right."),
}


def is_api(request: Request) -> bool:
    """Say whether a request was for the API."""
    return request.url.path.startswith(PREFIX)


def api_answer(
    request: Request, answer: Answer, sentence: tuple[str, str], error: HocphiError | None = None, field: str = ""
) -> Response:
    """Return an error; sentences of our rules are in Vietnamese, others also in English."""
    english = request.headers.get("accept-language", "").lower().startswith("en")
    named = error.facts.get("field") if error else None
    rows = error.problems[:MOST_ROWS] if isinstance(error, BadRows) else []
    detail = ErrorDetail(
        code=answer.code,
        message=sentence[english],
        field=str(named) if named else field or None,
        advice=answer.advice[english],
        request_id=caller_of(request).request_id or None,
        rows=[RowFault(line=row.line, column=row.column, reason=row.reason, remedy=row.remedy) for row in rows] or None,
    )
    content = ErrorAnswer(error=detail).model_dump(exclude_none=True)
    response = JSONResponse(content, status_code=answer.status)
    if isinstance(error, TokenNeeded):
        response.headers["WWW-Authenticate"] = 'Bearer realm="hocphi"'
    return response


def field_fault(errors: Sequence[Any]) -> tuple[str, tuple[str, str]]:
    """Return the first field at fault (``body.lines.0.amount`` without its ``body``), and a sentence about it."""
    if not errors:
        return "", _FIELD_FAULTS[""]
    first = errors[0]
    path = [str(part) for part in first["loc"] if part not in {"body", "path", "query", "header"}]
    field = ".".join(path)
    wrong = _FIELD_FAULTS.get(first["type"], _FIELD_FAULTS[""])
    named = (f"{field}: {wrong[0]}", f"{field}: {wrong[1]}") if field and first["type"] != "json_invalid" else wrong
    return field, named


def note_api_refusal(request: Request, code: str, error: HocphiError) -> None:
    """Write down who was refused, in a transaction of its own."""
    now, caller = parts_of(request).clock(), caller_of(request)
    with parts_of(request).open_api() as opened:
        bearer = bearer_of(opened.session, request.headers.get("authorization", ""), now)
        if bearer is not None:
            use_scope(opened.session, NOTHING)
            noted = Noted(code, "refused", bearer.who.user_id, bearer.place.id, caller.address, caller.request_id)
            note(opened.session, noted, now)
            if isinstance(error, OwnFamily):
                role = min(bearer.who.roles_in(bearer.place)).value
                actor = DeedActor(bearer.who.user_id, role, caller.request_id, f"api:{bearer.token_id}")
                record_kin_refusal(opened.session, actor, error, request.url.path, now)


class TooLargeAsJson:
    """Gives the framework's bare 413, which comes before any of our handlers, the shape of the API's errors (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; only a 413 in plain text below ``/api/`` is said otherwise."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_json(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_bare(message):
                replaced = True
                await _too_large()(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_json)


def _is_bare(message: Message) -> bool:
    kinds = [value for name, value in message.get("headers", []) if name == b"content-type"]
    return message["status"] == 413 and any(kind.startswith(b"text/plain") for kind in kinds)  # noqa: PLR2004  the status


def _too_large() -> Response:
    answer, sentence = answer_for_status(413)
    detail = ErrorDetail(code=answer.code, message=sentence[0], advice=answer.advice[0])
    return JSONResponse(ErrorAnswer(error=detail).model_dump(exclude_none=True), status_code=answer.status)
