"""The codes and names of a school's items, as every door takes them (pure).

A code stands in addresses, files and programs of others, so it is plain; a legal name stands in one line of a notice.
"""

from __future__ import annotations

import re
import unicodedata

from billing.errors import Refused

_LONGEST_CODE = 40
ITEM_CODE = re.compile(r"[0-9A-ZĐ][0-9A-ZĐ._\-]{0,39}")  # the database refuses others too (0075)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def item_code(text: str) -> str:
    """Return a code in capitals; raises ``Refused`` for anything but letters, digits and ``-``, ``.``, ``_`` within."""
    code = unicodedata.normalize("NFC", text).strip().upper()
    if len(code) > _LONGEST_CODE:
        raise Refused(f"Mã khoản thu dài quá {_LONGEST_CODE} ký tự.", code=code)
    if ITEM_CODE.fullmatch(code) is None:
        raise Refused(
            f"Mã khoản thu “{code}” không dùng được. Chỉ dùng chữ in không dấu và số, sau đó có thể có dấu"
            " gạch nối, chấm hay gạch dưới, ví dụ NGOAIKHOA hay BHYT-3T.",
            code=code,
        )
    return code


def one_line(text: str) -> str:
    """Return a name or basis in NFC with single blanks; raises ``Refused`` for signs that nobody can see."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(sign) in _UNSEEN for sign in line):
        raise Refused("Tên hoặc căn cứ có ký tự không nhìn thấy được. Hãy gõ lại, đừng dán từ nơi khác.")
    return line
