"""What a reader gets from a PDF: its words, its pictures, and the QR codes a phone would find in them."""

from __future__ import annotations

from ctypes import c_float

import pypdfium2  # type: ignore[import-untyped]  # ships no types
import zxingcpp
from PIL import Image


def words(pdf: bytes) -> list[str]:
    """Return the text of each page with all white space made single spaces."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    finally:
        document.close()


def pictures(pdf: bytes, dots_per_inch: int = 150) -> list[Image.Image]:
    """Return each page as a printer would draw it."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dots_per_inch / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()


def codes(picture: Image.Image) -> list[str]:
    """Return the texts of all QR codes in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(picture)]


def sizes(pdf: bytes) -> list[int]:
    """Return the size in points of the letters of each piece of text on the first page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for piece in document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT]):
            size = c_float()
            assert pypdfium2.raw.FPDFTextObj_GetFontSize(piece, size)
            found.append(round(size.value))
        return found
    finally:
        document.close()
