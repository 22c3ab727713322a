"""The stand-ins' pages: escaped, without scripts, under a policy that lets nothing else in."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

_FOLDER = Path(__file__).parent / "pages"
_PAGES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
)
GUARDS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page(name: str, status: int = 200, **values: object) -> Response:
    """Return a page from its template."""
    return HTMLResponse(_PAGES.get_template(name).render(values), status, GUARDS)


async def style(request: Request) -> Response:
    """Answer with the style sheet."""
    del request
    return FileResponse(_FOLDER / "style.css", headers={"X-Content-Type-Options": "nosniff"})
