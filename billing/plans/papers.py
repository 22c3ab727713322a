"""What a file that stands behind a plan may be: PDF, JPEG or PNG by its first bytes, within a size (pure)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from billing.errors import Refused

MOST_BYTES = 5 * 1024 * 1024
_LONGEST_NAME = 100
_MAGIC = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A file as it came: a name to show, what it is by its bytes, and the bytes."""

    name: str
    media_type: str
    content: bytes


def read_paper(name: str, content: bytes) -> Paper:
    """Return the file with the type that its bytes have, whatever its name says.

    Raises ``Refused`` for an empty file, one above 5 MB, and for anything but PDF, JPEG and PNG.
    """
    shown = _plain(name)
    if not content:
        raise Refused(f"Tệp {shown} trống. Hãy chọn lại tệp.")
    if len(content) > MOST_BYTES:
        raise Refused(f"Tệp {shown} lớn hơn 5 MB. Hãy quét lại ở độ phân giải thấp hơn, hoặc chia nhỏ.")
    for magic, media_type, ending in _MAGIC:
        if content.startswith(magic):
            bare = shown.rsplit(".", 1)[0] or "tep"
            return Paper(f"{bare}{ending}", media_type, content)
    raise Refused(f"Tệp {shown} không phải PDF, JPEG hay PNG (xét theo nội dung tệp). Hãy lưu thành PDF rồi tải lên.")


def _plain(name: str) -> str:
    """Return a file's name without folders and signs that do not print."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in last if sign.isprintable()).strip()
    return shown[-_LONGEST_NAME:] or "tep"
