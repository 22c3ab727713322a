"""Finding the table in a sheet: the heading by scoring, on one line or two, and what each column tells (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciliation.statements.cells import fold, is_empty
from reconciliation.statements.grid import Sheet, SheetRow
from reconciliation.statements.layouts import Column, Layout

_COLUMN_NUMBER = re.compile(r"\(?[0-9]{1,2}\)?|\(?[A-Za-z]\)?")
_MONEY = (Column.DEBIT, Column.CREDIT, Column.AMOUNT)


@dataclass(frozen=True, slots=True)
class Table:
    """Where the table stands: its layout, sheet, first heading row and first row below (from 0), and columns.

    A column reaches over the places without a heading at its right: a heading merged over two columns may have its
    value in either.
    """

    layout: Layout
    sheet: Sheet
    header: int
    body: int
    columns: Mapping[Column, range]

    def cell(self, row: SheetRow, column: Column) -> object:
        """Return what a row says in a column, None when nothing."""
        return next((row[place] for place in self._places(row, column) if not is_empty(row[place])), None)

    def place(self, row: SheetRow, column: Column) -> int:
        """Return where in the row the column's cell is."""
        places = self.columns[column]
        return next((place for place in self._places(row, column) if not is_empty(row[place])), places.start)

    def is_heading(self, row: SheetRow) -> bool:
        """Tell whether the headings are printed again, as on each page of a print."""
        first = self.sheet.rows[self.header]
        places = [places.start for column, places in self.columns.items() if column is not Column.MOMENT]
        same = [_same(first, row, place) for place in places]
        return any(same) and sum(same) * 2 > len(same)

    def _places(self, row: SheetRow, column: Column) -> Iterable[int]:
        places = self.columns.get(column)
        return () if places is None else range(places.start, min(places.stop, len(row)))


def find_table(sheet: Sheet, layouts: Iterable[Layout], *, named: bool) -> Table | None:
    """Score the first rows against each layout; the row with most headings of a layout wins.

    Unless the bank is ``named``, one of a layout's words must stand in the name of the sheet or above the table.
    """
    best: tuple[int, Table] | None = None
    for layout in layouts:
        for table in _tables(sheet, layout):
            score = len(table.columns)
            if (best is None or score > best[0]) and (named or _is_marked(table)):
                best = score, table
    return None if best is None else best[1]


def find_same_heading(
    sheet: Sheet, heading: tuple[str, ...], layout: Layout, columns: Mapping[Column, int]
) -> Table | None:
    """Return the table under a row that is exactly this heading, folded, with what a person said of its columns."""
    for place, row in enumerate(sheet.rows[: layout.within]):
        if heading_of(row) == heading:
            filled = [at for at, cell in enumerate(row) if not is_empty(cell)]
            body = place + 1
            while body < len(sheet.rows) and not any(map(_has_digit, sheet.rows[body])):
                body += 1
            return Table(layout, sheet, place, body, _reaches(columns, filled))
    return None


def heading_of(row: SheetRow) -> tuple[str, ...]:
    """Return a row's folded cells, by which a heading is known again."""
    cells = [fold(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def columns_of(row: SheetRow, layout: Layout) -> dict[Column, int]:
    """Return which columns the headings of one row name, by a layout's words."""
    return _columns([_parts(cell) for cell in row], layout)


def _tables(sheet: Sheet, layout: Layout) -> Iterator[Table]:
    rows = sheet.rows
    for place, row in enumerate(rows[: layout.within]):
        parts = [_parts(cell) for cell in row]
        columns, body = _columns(parts, layout), place + 1
        if body < len(rows) and _is_words(row, layout) and _is_words(rows[body], layout):
            both = _joined(parts, [_parts(cell) for cell in rows[body]])
            more = _columns(both, layout)
            body += 1
            if len(more) > len(columns):
                parts, columns = both, more
        if layout.needed <= columns.keys():
            while body < len(rows) and _numbers_columns(rows[body]):
                body += 1
            filled = [at for at, cell in enumerate(parts) if cell]
            yield Table(layout, sheet, place, body, _reaches(columns, filled))


def _parts(cell: object) -> list[str]:
    """Return the headings in a cell: often "Vietnamese/English", or one above the other; either may fit."""
    if is_empty(cell):
        return []
    return [folded for part in re.split(r"[/\n]", str(cell)) if (folded := fold(part).strip(" .:()*"))]


def _joined(upper: list[list[str]], lower: list[list[str]]) -> list[list[str]]:
    """Join two lines of headings; what is merged over columns above is divided below, so the lower one counts too."""
    wide = max(len(upper), len(lower))
    padded = [[*rows, *([[]] * (wide - len(rows)))] for rows in (upper, lower)]
    return [[*above, *below] for above, below in zip(*padded, strict=True)]


def _columns(parts: list[list[str]], layout: Layout) -> dict[Column, int]:
    known = tuple(heading.removeprefix("=") for headings in layout.headings.values() for heading in headings)
    parts = [[part for part in cell if part.startswith(known)] for cell in parts]  # of most rows nothing is left
    found: dict[Column, int] = {}
    if not any(parts):
        return found
    for column, headings in layout.headings.items():
        taken = {place for other, place in found.items() if {other, column} != {Column.DAY, Column.MOMENT}}
        place = next((at for heading in headings for at in _fitting(parts, heading) if at not in taken), None)
        if place is not None:
            found[column] = place
    return found


def _fitting(parts: list[list[str]], heading: str) -> list[int]:
    if heading.startswith("="):
        return [at for at, cell in enumerate(parts) if heading[1:] in cell]
    return [at for at, cell in enumerate(parts) if any(part.startswith(heading) for part in cell)]


def _is_words(row: SheetRow, layout: Layout) -> bool:
    """Tell whether a row is a line of headings: words without a digit, two of which we know."""
    filled = [cell for cell in row if not is_empty(cell)]
    if not filled or any(map(_has_digit, filled)):
        return False
    return len(columns_of(row, layout)) > 1


def _has_digit(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or any(map(str.isdigit, cell)))


def _numbers_columns(row: SheetRow) -> bool:
    """Tell whether a row only counts the columns: (1) (2) (3), or A B C."""
    filled = [str(cell).strip() for cell in row if not is_empty(cell)]
    return len(set(filled)) == len(filled) > 2 and all(map(_COLUMN_NUMBER.fullmatch, filled))  # noqa: PLR2004  a table has more


def _reaches(columns: Mapping[Column, int], filled: list[int]) -> dict[Column, range]:
    ends = dict(zip(filled, [*filled[1:], None], strict=True))
    return {column: range(place, ends.get(place) or place + 1) for column, place in columns.items()}


def _is_marked(table: Table) -> bool:
    above = [
        table.sheet.name,
        *(cell for row in table.sheet.rows[: table.body] for cell in row if isinstance(cell, str)),
    ]
    words = " ".join(fold(cell) for cell in above)
    return any(re.search(rf"(?<![a-z0-9]){re.escape(mark)}(?![a-z])", words) for mark in table.layout.marks)


def _same(first: SheetRow, row: SheetRow, place: int) -> bool:
    return place < min(len(first), len(row)) and not is_empty(first[place]) and fold(first[place]) == fold(row[place])
