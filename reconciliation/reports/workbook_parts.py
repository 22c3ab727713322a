"""The parts of a workbook file that hold no rows: types, relations, list of sheets, styles, properties (pure).

Ids and order follow ECMA-376; the styles' positions are the constants that ``workbook.py`` writes into cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from reconciliation.reports.cells import safe_text

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PACKAGE_TYPE = "application/vnd.openxmlformats-package"

# Styles: 0 is the default, then these six plain, the same six bold (each + BOLD), then the heading.
TEXT, QUOTED, COUNT, MONEY, DAY, MOMENT = range(1, 7)
BOLD = 6
HEADING = 13


def sheet_path(number: int) -> str:
    """Return where the sheet counted from 1 lies in the file."""
    return f"xl/worksheets/sheet{number}.xml"


def parts(titles: Sequence[str], name: str, created: datetime) -> dict[str, str]:
    """Return every part but the sheets, by its path; ``created`` (UTC) is the moment the figures are of."""
    return {
        "[Content_Types].xml": _content_types(len(titles)),
        "_rels/.rels": _relations({"xl/workbook.xml": f"{_OFFICE}/officeDocument", "docProps/core.xml": _CORE}),
        "xl/workbook.xml": _sheets(titles),
        "xl/_rels/workbook.xml.rels": _sheet_relations(len(titles)),
        "xl/styles.xml": _styles(),
        "docProps/core.xml": _properties(name, created),
    }


_CORE = f"{_PACKAGE}/relationships/metadata/core-properties"


def _content_types(sheets: int) -> str:
    kinds = {
        "xl/workbook.xml": f"{_SHEET_TYPE}.sheet.main+xml",
        "xl/styles.xml": f"{_SHEET_TYPE}.styles+xml",
        "docProps/core.xml": f"{_PACKAGE_TYPE}.core-properties+xml",
        **{sheet_path(number): f"{_SHEET_TYPE}.worksheet+xml" for number in range(1, sheets + 1)},
    }
    overrides = "".join(f'<Override PartName="/{path}" ContentType="{kind}"/>' for path, kind in kinds.items())
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{_PACKAGE_TYPE}.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(targets: dict[str, str]) -> str:
    """Return a relations part; ids are rId1, rId2, … in the order given."""
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets.items(), start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'


def _sheet_relations(sheets: int) -> str:
    targets = {f"worksheets/sheet{number}.xml": f"{_OFFICE}/worksheet" for number in range(1, sheets + 1)}
    return _relations({**targets, "styles.xml": f"{_OFFICE}/styles"})


def _sheets(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(title)} sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(titles, start=1)
    )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView activeTab="0"/></bookViews>'
        f"<sheets>{sheets}</sheets></workbook>"
    )


def _properties(name: str, created: datetime) -> str:
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(safe_text(name))}</dc:title><dc:creator>Hocphi</dc:creator>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{created:%Y-%m-%dT%H:%M:%SZ}</dcterms:created>'
        "</cp:coreProperties>"
    )


def _styles() -> str:
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>'
        '<numFmt numFmtId="165" formatCode="dd/mm/yyyy\\ hh:mm:ss"/></numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EEF4"/><bgColor indexed="64"/></patternFill>'
        '</fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="14">{_cell_styles()}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _cell_styles() -> str:
    """Return the styles in the order of the constants; 49 is "text", 1 is "0", 3 is "#,##0"."""
    kinds = ((49, ""), (49, ' quotePrefix="1"'), (1, ""), (3, ""), (164, ""), (165, ""))
    kept = 'borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"'
    styles = "".join(
        f'<xf numFmtId="{number_format}" fontId="{font}" fillId="0" {kept}{quoted}/>'
        for font in (0, 1)
        for number_format, quoted in kinds
    )
    return (
        f'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>{styles}'
        f'<xf numFmtId="49" fontId="1" fillId="2" {kept} applyFill="1" applyAlignment="1">'
        '<alignment vertical="top" wrapText="1"/></xf>'
    )
