"""Tests of billing.documents.qr_image: what a phone reads from the pictures."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from billing.documents.qr_image import qr_matrix, qr_png, qr_svg
from billing.documents.vietqr import VietQr, encode
from billing.money import Money

PAYLOAD = encode(VietQr("970436", "0011004001234", amount=Money(1_250_000), memo="FW2345678CY"))


def scanned(picture: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))]


def drawn(svg: str, scale: int = 8) -> Image.Image:
    """Draw the runs of the SVG path, as a browser would."""
    side = int(re.findall(r'viewBox="0 0 (\d+) \1"', svg)[0])
    picture = Image.new("L", (side * scale, side * scale), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        left, top = int(x) * scale, int(y) * scale
        picture.paste(0, (left, top, left + int(width) * scale, top + scale))
    return picture


def test_the_png_is_read_back_and_large_enough() -> None:
    picture = Image.open(io.BytesIO(qr_png(PAYLOAD)))
    assert picture.format == "PNG"
    assert picture.width == picture.height >= 600
    assert scanned(picture) == [PAYLOAD]
    large = Image.open(io.BytesIO(qr_png(PAYLOAD, pixels=1500)))
    assert large.width >= 1500
    assert scanned(large) == [PAYLOAD]


def test_the_png_has_a_quiet_zone_of_four_modules_and_sharp_edges() -> None:
    picture = Image.open(io.BytesIO(qr_png(PAYLOAD))).convert("L")
    side = len(qr_matrix(PAYLOAD)) + 8
    assert picture.width % side == 0
    assert {value for _, value in picture.getcolors() or []} == {0, 255}
    box = picture.point(lambda value: 255 - value).getbbox()
    edge = 4 * picture.width // side
    assert box == (edge, edge, picture.width - edge, picture.width - edge)


def test_a_small_png_is_refused() -> None:
    with pytest.raises(ValueError, match="600"):
        qr_png(PAYLOAD, pixels=599)


def test_the_svg_is_read_back_and_tells_its_name() -> None:
    svg = qr_svg(PAYLOAD, 'Mã của <An> & "Bình"\x00')
    root = ET.fromstring(svg)  # noqa: S314  our own text
    assert root.attrib["role"] == "img"
    assert int(root.attrib["width"]) == int(root.attrib["height"]) >= 200
    assert root.attrib["shape-rendering"] == "crispEdges"
    assert root[0].text == 'Mã của <An> & "Bình"'
    side = len(qr_matrix(PAYLOAD)) + 8
    # White ground first: a dark page must not swallow the code.
    assert root[1].attrib == {"fill": "#fff", "d": f"M0 0h{side}v{side}h-{side}z"}
    assert scanned(drawn(svg)) == [PAYLOAD]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=200).map(lambda t: f"x{t}x"))
@settings(max_examples=20, deadline=None)
def test_any_text_is_read_back_from_the_matrix(text: str) -> None:
    rows = qr_matrix(text)
    picture = Image.new("L", (len(rows) + 8, len(rows) + 8), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            picture.putpixel((x + 4, y + 4), 0 if dark else 255)
    scale = picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST)
    assert scanned(scale) == [text]


def test_error_correction_is_m() -> None:
    # Format information beside the upper left finder, mask taken off: 00 means M.
    row = qr_matrix(PAYLOAD)[8]
    assert (row[0] ^ True, row[1] ^ False) == (False, False)


@pytest.mark.parametrize("text", ["", "x" * 2332, "\ud800"])
def test_what_no_code_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  three different messages
        qr_matrix(text)


def test_the_largest_code_is_drawn() -> None:
    assert len(qr_matrix("x" * 2331)) == 177
