"""The shape of an EMV QR payload (pure): objects of tag, length and value, and the check sum behind them.

An object is a two-digit tag, a two-digit length (01 to 99, in characters) and its value; the value of a template
is objects again. Source: NAPAS, VietQR format, v1.0 (2021), section 5.1.
"""

from __future__ import annotations

import binascii
import re

from billing.documents.errors import PayloadRefused

_HEADER = re.compile("[0-9]{4}")
_LONGEST = 99
_CRC_START = 0xFFFF


def crc(text: str) -> str:
    """Return the CRC-16/CCITT-FALSE of a text in UTF-8 as four upper-case hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(), _CRC_START):04X}"


def read(text: str, where: str) -> dict[str, str]:
    """Return the values by tag, in the order they stand; raises ``PayloadRefused``.

    ``where`` names the template for the message.
    """
    objects: dict[str, str] = {}
    at = 0
    while at < len(text):
        header = text[at : at + 4]
        if not _HEADER.fullmatch(header):
            raise PayloadRefused("structure", f"{where}: tại vị trí {at + 1} không phải mã thẻ và độ dài.")
        tag, length = header[:2], int(header[2:])
        if length == 0:
            raise PayloadRefused("structure", f"{where}: thẻ {tag} có độ dài 0.")
        if at + 4 + length > len(text):
            raise PayloadRefused("structure", f"{where}: thẻ {tag} ghi độ dài {length} vượt quá phần còn lại.")
        if tag in objects:
            raise PayloadRefused("duplicate", f"{where}: thẻ {tag} lặp lại.")
        objects[tag] = text[at + 4 : at + 4 + length]
        at += 4 + length
    return objects


def write(tag: str, value: str) -> str:
    """Return one object; raises ``PayloadRefused`` when the value has no character or more than 99."""
    if not 0 < len(value) <= _LONGEST:
        raise PayloadRefused("length", f"Thẻ {tag} dài {len(value)} ký tự, cho phép 1 đến {_LONGEST}.")
    return f"{tag}{len(value):02d}{value}"
