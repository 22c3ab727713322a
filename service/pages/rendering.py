"""Templates become pages: autoescaped, Vietnamese first, with a switch to English."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from billing.fees.grades import grade_name

Language = Literal["vi", "en"]

_HERE = Path(__file__).parent
_LANGUAGE_COOKIE = "hocphi_lang"
_YEAR_SECONDS = 365 * 24 * 3600
# Viet Nam has no summer time, so a fixed offset is exact.
_LOCAL = timezone(timedelta(hours=7))

_UNSAFE_SVG = re.compile(
    r"<\s*(script|foreignobject|a|use|image|style|iframe)\b|\son\w+\s*=|\sstyle\s*=|href\s*=|<!", re.IGNORECASE
)

_DAYS = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of our own for the browser, plain and packed, with a short digest for its address."""

    content: bytes
    packed: bytes
    media_type: str
    version: str


def _load(name: str, media_type: str) -> Asset:
    content = (_HERE / "static" / name).read_bytes()
    version = hashlib.sha256(content).hexdigest()[:12]
    return Asset(content, gzip.compress(content, mtime=0), media_type, version)


ASSETS = {
    "hocphi.css": _load("hocphi.css", "text/css; charset=utf-8"),
    "hocphi.js": _load("hocphi.js", "text/javascript; charset=utf-8"),
    "queue.js": _load("queue.js", "text/javascript; charset=utf-8"),
    "favicon.svg": _load("favicon.svg", "image/svg+xml"),
}


def asset(name: str) -> str:
    """Return the address of one of our files; it changes with the content."""
    return f"/static/{name}?v={ASSETS[name].version}"


def day(value: date) -> str:
    """Return a school day as ``15/09/2025``."""
    return f"{value:%d/%m/%Y}"


def moment(value: datetime) -> str:
    """Return a moment in Viet Nam's time as ``07:05 15/09/2025``."""
    return f"{value.astimezone(_LOCAL):%H:%M %d/%m/%Y}"


def weekday(value: date, language: Language) -> str:
    """Return weekday and day: ``Thứ Hai, 15/09/2025``."""
    return f"{_DAYS[language][value.weekday()]}, {day(value)}"


def age(since: datetime, now: datetime, language: Language) -> str:
    """Return how long ago something was, in the largest fitting unit."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    steps = ((24 * 60, "ngày", "d"), (60, "giờ", "h"), (1, "phút", "min"))
    for size, vi, en in steps:
        if minutes >= size or size == 1:
            count = minutes // size
            return f"{count} {en if language == 'en' else vi}"
    raise AssertionError("the last step always fits")


def plain_svg(text: str) -> str:
    """Return an SVG that we made ourselves, without XML declaration; raises ``ValueError`` if it could do anything."""
    body = re.sub(r"^\s*<\?xml[^>]*\?>\s*", "", text).strip()
    if not body.startswith("<svg") or not body.endswith("</svg>") or _UNSAFE_SVG.search(body):
        raise ValueError("not a plain SVG picture")
    return body


def picture(svg: str) -> Markup:
    """Return an SVG made by us for use inside a page; raises ``ValueError`` if it is more than a picture."""
    return Markup(plain_svg(svg))  # noqa: S704  plain_svg has refused everything that is more than a drawing


def digits_grouped(text: str) -> str:
    """Return an account number in groups of four, for reading aloud; the copied value stays whole."""
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset)
    made.filters.update(day=day, moment=moment, picture=picture, digits_grouped=digits_grouped, grade=grade_name)
    return made


_environment_once = _environment()


def language_of(request: Request) -> Language:
    """Return the language asked for now, or remembered, or Vietnamese."""
    asked = request.query_params.get("lang") or request.cookies.get(_LANGUAGE_COOKIE)
    return "en" if asked == "en" else "vi"


def render(template: str, language: Language, **context: object) -> str:
    """Fill a template; ``tr`` chooses between the Vietnamese and the English wording."""

    def choose(vietnamese: str, english: str) -> str:
        return english if language == "en" else vietnamese

    return _environment_once.get_template(template).render(
        lang=language,
        tr=choose,
        weekday=lambda value: weekday(value, language),
        age=lambda since, now: age(since, now, language),
        **context,
    )


def page(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """Answer with a page in the visitor's language, and remember a language just chosen."""
    language = language_of(request)
    other = "vi" if language == "en" else "en"
    switch = request.url.include_query_params(lang=other).query
    html = render(template, language, path=request.url.path, switch=f"?{switch}", place_parameter="truong", **context)
    answer = HTMLResponse(html, status_code=status)
    answer.headers["Content-Language"] = language
    if request.query_params.get("lang") in ("vi", "en"):
        answer.set_cookie(_LANGUAGE_COOKIE, language, max_age=_YEAR_SECONDS, samesite="lax", httponly=True)
    return answer
