"""The sheets of an uploaded file, within limits (pure): its bytes tell the format, not its name."""

from __future__ import annotations

from reconciliation.errors import StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.csv_sheets import read_csv, read_text
from reconciliation.statements.grid import Sheet
from reconciliation.statements.html_sheets import read_html
from reconciliation.statements.xls_sheets import read_xls
from reconciliation.statements.xlsx_sheets import read_xlsx

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKED = b"PK"
_PDF = b"%PDF"


def demand_size(content: bytes) -> None:
    """Refuse an empty or an endless file; raises ``StatementUnreadable``."""
    if not content.strip():
        raise StatementUnreadable("Tệp rỗng")
    if len(content) > grid.MAX_FILE_BYTES:
        raise StatementUnreadable(f"Tệp lớn hơn {grid.MAX_FILE_BYTES // 1024 // 1024} MB")


def is_binary(content: bytes) -> bool:
    """Tell whether the bytes are a workbook rather than a text."""
    return content.startswith((_PACKED, _OLD_OFFICE, _PDF))


def read_sheets(content: bytes) -> list[Sheet]:
    """Return the rows of each sheet; raises ``StatementUnreadable``."""
    demand_size(content)
    if content.startswith(_PDF):
        raise StatementUnreadable("Không đọc số tiền từ tệp PDF: hãy tải sao kê dạng Excel hoặc CSV")
    if content.startswith(_PACKED):
        return read_xlsx(content)
    if content.startswith(_OLD_OFFICE):
        return read_xls(content)
    text = read_text(content)
    return read_html(text) if text.lstrip().startswith("<") else read_csv(text)
