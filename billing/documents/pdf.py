"""What all printed documents share: fonts, A5 pages, safe text, tables, QR codes, reproducible bytes (pure).

A document is a *story* (a list of flowables) laid out on A5 pages. Text from outside is never read as
reportlab's paragraph markup: a pupil called ``<img src="http://…">`` is printed as those characters and
fetches nothing.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, wraps
from importlib import resources
from io import BytesIO
from itertools import groupby
from math import ceil
from typing import Any, Literal, ParamSpec

from reportlab.lib.colors import Color, black, white
from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4, A5, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Table
from reportlab.platypus.paraparser import ParaFrag

WIDTH, HEIGHT = int(A5[0]), int(A5[1])  # points: 419 x 595
MARGIN = 28
FOOTER = 18
INNER_WIDTH = WIDTH - 2 * MARGIN
INNER_HEIGHT = HEIGHT - 2 * MARGIN - FOOTER
REGULAR, BOLD = "Hocphi", "Hocphi-Bold"
GREY = Color(0.35, 0.35, 0.35)
Align = Literal["left", "center", "right"]
_ALIGN: dict[Align, Literal[0, 1, 2]] = {"left": TA_LEFT, "center": TA_CENTER, "right": TA_RIGHT}
LONGEST = 240  # characters of one cell or field; more is cut with "…" so that a row always fits on a page
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}  # controls, direction marks, lone surrogates, private, unassigned
_UNKNOWN = "\ufffd"

_Asked = ParamSpec("_Asked")
_Placed = tuple[Flowable, int]  # with its height on the page in points
_PRESS = threading.RLock()


def one_at_a_time(printing: Callable[_Asked, bytes]) -> Callable[_Asked, bytes]:
    """Let one thread print at a time: reportlab keeps fonts, subsets and its parser in shared state.

    Without this, receipts printed in parallel came out with foreign letters, or not at all.
    """

    @wraps(printing)
    def alone(*args: _Asked.args, **kwargs: _Asked.kwargs) -> bytes:
        with _PRESS:
            return printing(*args, **kwargs)

    return alone


@cache
def _known_characters() -> frozenset[int]:
    """Register Roboto (all Vietnamese letters) once and return the code points it can draw."""
    folder = resources.files("font_roboto") / "files"
    fonts = [
        TTFont(REGULAR, str(folder / "Roboto-Regular.ttf")),
        TTFont(BOLD, str(folder / "Roboto-Bold.ttf")),
    ]
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return frozenset(fonts[0].face.charToGlyph)


def drawable(text: str, limit: int = LONGEST) -> str:
    """Return ``text`` fit for print: NFC, one line, nothing invisible, unknown signs as U+FFFD, not too long."""
    known = _known_characters()
    seen = "".join(sign for sign in text if sign.isspace() or unicodedata.category(sign) not in _INVISIBLE)
    one_line = " ".join(unicodedata.normalize("NFC", seen).split())
    printed = "".join(sign if ord(sign) in known else _UNKNOWN for sign in one_line)
    return printed if len(printed) <= limit else printed[: limit - 1].rstrip() + "…"


@cache
def _style(size: int, align: Align, *, bold: bool, grey: bool) -> ParagraphStyle:
    _known_characters()
    return ParagraphStyle(
        name=f"{size}{align}{bold}{grey}",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size + 3,
        alignment=_ALIGN[align],
        textColor=GREY if grey else black,
        splitLongWords=1,
    )


@cache
def _ink(style: ParagraphStyle) -> tuple[ParaFrag, ParaFrag]:
    """Return a plain and a bold fragment of a style, as reportlab's own parser makes them."""
    plain, bold = Paragraph("x<b>x</b>", style).frags
    return plain, bold


class _Text(Paragraph):
    """Text that was never markup, broken into lines once for each width: tables ask for its height again and again."""

    _broken: tuple[float, tuple[float, float]] | None = None

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: N803  names of reportlab
        """Return width and height for the width there is."""
        if self._broken is None or self._broken[0] != availWidth or not hasattr(self, "blPara"):
            self._broken = availWidth, super().wrap(availWidth, availHeight)
        return self._broken[1]


def line(  # noqa: PLR0913  each is one visible trait of a printed line
    text: str,
    *,
    size: int = 9,
    align: Align = "left",
    bold: bool = False,
    grey: bool = False,
    limit: int = LONGEST,
) -> Paragraph:
    """Return one paragraph of plain text that wraps; markup in ``text`` is printed, never obeyed."""
    style = _style(size, align, bold=bold, grey=grey)
    plain, _ = _ink(style)
    return _Text("", style, frags=_fragments((plain, drawable(text, limit))))


def field(label: str, value: str, *, size: int = 9, limit: int = LONGEST) -> Paragraph:
    """Return ``label: value`` with the value in bold, wrapping over the whole width."""
    style = _style(size, "left", bold=False, grey=False)
    plain, bold = _ink(style)
    return _Text("", style, frags=_fragments((plain, f"{drawable(label)}: "), (bold, drawable(value, limit))))


def _fragments(*parts: tuple[ParaFrag, str]) -> list[ParaFrag]:
    return [ink.clone(text=text) for ink, text in parts if text]


def grid(rows: Sequence[Sequence[Any]], widths: Sequence[int], commands: Sequence[tuple[Any, ...]] = ()) -> Table:
    """Return a table of ruled rows whose first row is repeated on every page it runs over."""
    ruled: list[Any] = [
        ("FONTNAME", (0, 0), (-1, -1), REGULAR),
        ("GRID", (0, 0), (-1, -1), 0.5, black),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    return Table([list(row) for row in rows], colWidths=list(widths), style=[*ruled, *commands], repeatRows=1)


def columns(cells: Sequence[Any], widths: Sequence[int], *, valign: str = "TOP") -> Table:
    """Return cells side by side without rules or padding; they stay together on one page."""
    plain: list[Any] = [
        ("FONTNAME", (0, 0), (-1, -1), REGULAR),
        ("VALIGN", (0, 0), (-1, -1), valign),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]
    return Table([list(cells)], colWidths=list(widths), style=plain)


class QrCode(Flowable):
    """A QR code as vector rectangles, black on white, with the quiet zone of four modules scanners want."""

    def __init__(self, matrix: Sequence[Sequence[bool]], side: int) -> None:
        super().__init__()
        self.matrix = matrix
        self.width = self.height = side

    def draw(self) -> None:
        """Draw each horizontal run of dark modules as one rectangle, so that no hairline splits them."""
        quiet = 4
        module = self.width / (len(self.matrix) + 2 * quiet)
        self.canv.setFillColor(white)
        self.canv.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        path = self.canv.beginPath()
        for row_number, row in enumerate(self.matrix):
            bottom = self.height - (quiet + row_number + 1) * module
            column = quiet
            for dark, run in groupby(row):
                length = len(list(run))
                if dark:
                    path.rect(column * module, bottom, length * module, module)
                column += length
        self.canv.setFillColor(black)
        self.canv.drawPath(path, stroke=0, fill=1)


@dataclass(frozen=True, slots=True)
class Printout:
    """One document of a file: what flows over its pages, its footer, and what is drawn under each page."""

    story: Sequence[Flowable]
    footer: str
    under: Callable[[Canvas], None] | None = None


def render(printouts: Iterable[Printout], *, title: str, author: str, two_up: bool = False) -> bytes:
    """Return one PDF with every printout starting on a page of its own; equal input gives equal bytes.

    ``two_up``: two A5 pages side by side on A4, to be cut along the dashed line. ``title`` shows in viewers and file
    lists, so it holds no person's name. Printouts are drawn one after the other, so an iterator of thousands of them
    never lies in memory at once.
    """
    _known_characters()
    buffer = BytesIO()
    canvas = Canvas(
        buffer,
        pagesize=landscape(A4) if two_up else (WIDTH, HEIGHT),
        invariant=1,
        initialFontName=REGULAR,  # type: ignore[arg-type]  # the stub says float; else Helvetica is named too
        lang="vi-VN",
    )
    canvas.setTitle(drawable(title))
    canvas.setAuthor(drawable(author))
    canvas.setSubject(drawable(title))
    canvas.setCreator("Hocphi")
    drawn = 0
    for printout in printouts:
        pages = _paginate(canvas, printout.story)
        for number, page in enumerate(pages, start=1):
            with _half(canvas, drawn % 2) if two_up else nullcontext():
                _draw_page(canvas, printout, page, f"Trang {number}/{len(pages)}")
            drawn += 1
            if not two_up or drawn % 2 == 0:
                canvas.showPage()
    if two_up and drawn % 2:
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@contextmanager
def _half(canvas: Canvas, right: int) -> Iterator[None]:
    """Draw on the left or right half of an A4 sheet; the line to cut along is drawn with the left one."""
    whole, height = landscape(A4)
    canvas.saveState()
    if not right:
        canvas.setDash(3, 3)
        canvas.setStrokeColor(GREY)
        canvas.line(whole / 2, 0, whole / 2, height)
        canvas.setDash()
    canvas.translate(right * whole / 2 + (whole / 2 - WIDTH) / 2, (height - HEIGHT) / 2)
    yield
    canvas.restoreState()


def _paginate(canvas: Canvas, story: Sequence[Flowable]) -> list[list[_Placed]]:
    """Deal the flowables out to pages; what is too tall for the rest of a page is split or moved on."""
    pages: list[list[_Placed]] = [[]]
    waiting, room = list(story), INNER_HEIGHT
    while waiting:
        flowable = waiting.pop(0)
        _, height = flowable.wrapOn(canvas, INNER_WIDTH, room)
        if height <= room:
            pages[-1].append((flowable, ceil(height)))
            room -= ceil(height)
            continue
        parts = flowable.splitOn(canvas, INNER_WIDTH, room)
        if len(parts) > 1:
            _, height = parts[0].wrapOn(canvas, INNER_WIDTH, INNER_HEIGHT)
            pages[-1].append((parts[0], ceil(height)))
            waiting[:0] = parts[1:]
        elif pages[-1]:
            waiting.insert(0, flowable)
        else:
            raise ValueError(f"a {type(flowable).__name__} of {height} points is taller than a page")
        pages.append([])
        room = INNER_HEIGHT
    return pages


def _draw_page(canvas: Canvas, printout: Printout, page: Sequence[_Placed], number: str) -> None:
    """Draw one page: what lies under it, the flowables from the top down, the footer."""
    if printout.under is not None:
        canvas.saveState()
        printout.under(canvas)
        canvas.restoreState()
    top = HEIGHT - MARGIN
    for flowable, height in page:
        top -= height
        flowable.drawOn(canvas, MARGIN, top)
    canvas.setFont(REGULAR, 7)
    canvas.setFillColor(GREY)
    canvas.drawString(MARGIN, MARGIN, drawable(printout.footer, 90))
    canvas.drawRightString(WIDTH - MARGIN, MARGIN, number)
