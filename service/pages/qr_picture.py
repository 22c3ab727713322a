"""The QR picture that a family saves: the code, and under it whose it is and how much."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import font_roboto
from PIL import Image, ImageDraw, ImageFont

from billing.documents.qr_image import qr_png

_PIXELS = 720
_LINE = 46
_MARGIN = 24


def labelled_qr(payload: str, lines: tuple[str, ...]) -> bytes:
    """Return a PNG with the code (at least 720 pixels a side) on white and lines of text centred under it."""
    code = Image.open(io.BytesIO(qr_png(payload, _PIXELS))).convert("L")
    picture = Image.new("L", (code.width, code.height + _LINE * len(lines) + _MARGIN), color=255)
    picture.paste(code, (0, 0))
    pen = ImageDraw.Draw(picture)
    for place, text in enumerate(lines):
        font = _fitting(text, code.width - 2 * _MARGIN)
        pen.text((code.width / 2, code.height + place * _LINE), text, fill=0, font=font, anchor="ma")
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _fitting(text: str, width: int) -> ImageFont.FreeTypeFont:
    """Return the largest letters in which a line fits."""
    for size in range(36, 15, -2):
        font = _letters(size)
        if font.getlength(text) <= width:
            return font
    return _letters(16)


@cache
def _letters(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(font_roboto.RobotoMedium)), size)
