"""The tables of an HTML page that a bank calls .xls (pure): text only, nothing is run, fetched or reckoned."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from reconciliation.errors import StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.grid import Sheet, SheetRow

_CELLS = frozenset({"td", "th"})
_SILENT = frozenset({"script", "style", "title"})
_BLANKS = frozenset({"br", "p", "div", "li"})
_LONG_NUMBER = 6
_MOST_TAGS = 1_500_000
_REMARK = re.compile(r"<!--|<[!?]")
_CUT = "Tệp bị cắt: bảng trong tệp không có phần kết thúc. Hãy tải lại từ ngân hàng"


class _Reader(HTMLParser):
    """Collects rows in the order of the page; a table within a cell gives its own rows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[SheetRow] = []
        self.downward: dict[tuple[int, int], object] = {}
        self.depth = 0
        self._row: list[object] = []
        self._cell: list[str] | None = None
        self._spans = (1, 1)
        self._silent = 0
        self._taken: dict[int, int] = {}
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._end_row()
            self.depth += 1
            self._taken = {}
        elif tag == "tr":
            self._end_row()
        elif tag in _CELLS:
            self._end_cell()
            told = dict(attrs)
            self._cell, self._spans = [], (_span(told.get("colspan")), _span(told.get("rowspan")))
        elif tag in _SILENT:
            self._silent += 1
        elif tag in _BLANKS and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._end_row()
            self.depth -= 1
        elif tag == "tr":
            self._end_row()
        elif tag in _CELLS:
            self._end_cell()
        elif tag in _SILENT:
            self._silent = max(0, self._silent - 1)

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._silent:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        text = grid.plain("".join(self._cell).replace("\xa0", " ").strip())
        self._cell = None
        self._skip_taken()
        place, row = len(self._row), len(self.rows)
        if place >= grid.MAX_COLUMNS:
            return
        wide, high = min(self._spans[0], grid.MAX_COLUMNS - place), self._spans[1]
        self._row += [text, *[None] * (wide - 1)]
        if high > 1:
            # Counted before they are made: a small page may say of each cell that it reaches over many.
            grid.demand_merged(len(self.downward) + high - 1)
            self.downward |= {(row + below, place): text for below in range(1, high)}
            self._taken |= dict.fromkeys(range(place, place + wide), row + high - 1)

    def _end_row(self) -> None:
        self._end_cell()
        if self._row:
            self._skip_taken()
            self.rows.append(self._row[: grid.MAX_COLUMNS])
            self._cells += len(self.rows[-1])
            grid.demand_cells(self._cells)
            grid.demand_rows(len(self.rows))
            self._row = []

    def _skip_taken(self) -> None:
        """Leave empty what a cell of an earlier row reaches down into."""
        while self._taken.get(len(self._row), -1) >= len(self.rows):
            self._row.append(None)


def read_html(text: str) -> list[Sheet]:
    """Return all tables of the page as one sheet; a page that was cut off is refused (``StatementUnreadable``)."""
    reader = _Reader()
    if text.count("<") > _MOST_TAGS:
        raise StatementUnreadable("Trang có quá nhiều ô, không mở: hãy tải sao kê theo từng tháng")
    plain = _without_remarks(text)
    # The library's parser looks for the end of each open tag anew, which may take hours.
    if plain.rfind("<") > plain.rfind(">"):
        raise StatementUnreadable(_CUT)
    reader.feed(plain)
    reader.close()
    if reader.depth > 0:
        raise StatementUnreadable(_CUT)
    return [Sheet("", reader.rows, reader.downward)]


def _without_remarks(text: str) -> str:
    """Leave out comments and declarations in one walk; raises ``StatementUnreadable`` for an open one."""
    kept, at = [], 0
    while found := _REMARK.search(text, at):
        kept.append(text[at : found.start()])
        end = "-->" if found[0] == "<!--" else ">"
        after = text.find(end, found.end())
        if after < 0:
            raise StatementUnreadable(_CUT)
        at = after + len(end)
    return "".join([*kept, text[at:]])


def _span(told: str | None) -> int:
    if not (told and len(told) < _LONG_NUMBER and told.isascii() and told.isdigit()):
        return 1
    return max(1, min(int(told), grid.MAX_COLUMNS))
