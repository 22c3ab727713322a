"""QR codes as pictures: black squares on white with a quiet zone of four, error correction M (15 %)."""

from __future__ import annotations

import html
import io
import re

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4
PIXELS_AT_LEAST = 600
"""Smaller pictures are hard to read when a family opens a saved one in the bank's app."""

_SVG_SCALE = 6
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def qr_matrix(text: str, *, mask: int | None = None) -> list[list[bool]]:
    """Return the modules of a code, row by row, dark ones true, without the quiet zone.

    ``mask`` (0 to 7) takes one pattern instead of trying all eight: eight times faster, readers know it from the code
    itself; the best one is sought where a family pays. Raises ``ValueError`` when the text is empty or longer than a QR
    code holds (2331 bytes).
    """
    if not text:
        raise ValueError("a QR code needs a text")
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=mask)
    code.add_data(text.encode(), optimize=0)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.modules]


def qr_svg(text: str, title: str) -> str:
    """Return the code as an SVG element: white ground in every colour scheme, sharp edges, named for screen readers."""
    rows = qr_matrix(text)
    side = len(rows) + 2 * QUIET_ZONE
    name = html.escape(_NOT_IN_XML.sub("", title))
    path = "".join(
        f"M{start + QUIET_ZONE} {y + QUIET_ZONE}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _runs(row)
    )
    size = side * _SVG_SCALE  # where a style sheet says nothing; viewers would draw one pixel for a module
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {side} {side}" '
        f'role="img" shape-rendering="crispEdges"><title>{name}</title>'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{path}"/></svg>'
    )


def qr_png(text: str, pixels: int = PIXELS_AT_LEAST) -> bytes:
    """Return the code as a PNG of at least ``pixels`` a side, each module a whole number of pixels.

    Raises ``ValueError`` below 600 pixels.
    """
    if pixels < PIXELS_AT_LEAST:
        raise ValueError(f"a QR picture has at least {PIXELS_AT_LEAST} pixels a side, not {pixels}")
    rows = qr_matrix(text)
    side = len(rows) + 2 * QUIET_ZONE
    picture = Image.new("1", (side, side), color=1)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                picture.putpixel((x + QUIET_ZONE, y + QUIET_ZONE), 0)
    scale = -(-pixels // side)
    large = picture.resize((side * scale, side * scale), Image.Resampling.NEAREST)
    file = io.BytesIO()
    large.save(file, "PNG", optimize=True)
    return file.getvalue()


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of dark modules."""
    line = "".join("1" if dark else "0" for dark in row)
    return [(run.start(), len(run.group())) for run in re.finditer("1+", line)]
