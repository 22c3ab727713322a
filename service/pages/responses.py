"""Files leave the house under names made by us, encoded as RFC 6266 asks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote, urlencode

from starlette.responses import RedirectResponse, Response, StreamingResponse

from service.access.roles import Place
from service.pages.views import Download

_PIECE_BYTES = 64 * 1024


def file_answer(download: Download, *, inline: bool = False) -> Response:
    """Answer with a file to save, or to look at when ``inline``."""
    kind = "inline" if inline else "attachment"
    return Response(
        download.content,
        media_type=download.media_type,
        headers={"Content-Disposition": f"{kind}; {disposition(download.file_name)}"},
    )


def stream_answer(name: str, stream: IO[bytes], media_type: str) -> Response:
    """Answer with a temporary file to save, sent piece by piece and closed at the end."""
    headers = {"Content-Disposition": f"attachment; {disposition(name)}"}
    return StreamingResponse(_pieces(stream), media_type=media_type, headers=headers)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece


def disposition(name: str) -> str:
    """Return both forms of a file name: plain letters for old readers, UTF-8 for the others."""
    folded = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", folded.encode("ascii", "ignore").decode()).strip("-.") or "hocphi"
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def go_to(place: Place, path: str, **query: str) -> Response:
    """Send the browser on to a page of the same school after a deed."""
    return RedirectResponse(f"{path}?{urlencode({'truong': place.code, **query})}", status_code=303)
