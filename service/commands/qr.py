"""``qr``: write, read and draw VietQR codes."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import NoReturn

from billing.documents.errors import PayloadRefused
from billing.documents.vietqr import Initiation, Service, VietQr, as_dict, decode, encode, from_dict
from billing.errors import Refused
from billing.money import Money
from service.commands.answers import YES, no, unusable

_DIGITS = re.compile("[0-9]{1,13}")
_FIELDS = ("bin", "account", "amount", "memo", "service")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``encode``, ``decode`` and ``image``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="encode|decode|image")
    write = actions.add_parser("encode", help="tạo nội dung mã", allow_abbrev=False)
    write.add_argument("--bin", metavar="B", help="mã BIN ngân hàng, 6 chữ số")
    write.add_argument("--account", metavar="A", help="số tài khoản hoặc số thẻ")
    write.add_argument("--amount", metavar="N", help="số đồng; có số tiền thì mã là động")
    write.add_argument("--memo", metavar="M", help="nội dung chuyển khoản, tối đa 25 ký tự, bỏ dấu")
    write.add_argument("--service", choices=[service.value for service in Service], help="mặc định QRIBFTTA")
    write.add_argument("--static", action="store_true", help="mã tĩnh, trả được nhiều lần")
    write.add_argument("--json", metavar="-", help="đọc từ đầu vào chuẩn đúng những gì `qr decode` in ra")
    read = actions.add_parser("decode", help="đọc nội dung mã thành JSON", allow_abbrev=False)
    read.add_argument("payload", metavar="PAYLOAD")
    draw = actions.add_parser("image", help="vẽ mã thành ảnh", allow_abbrev=False)
    draw.add_argument("payload", metavar="PAYLOAD")
    draw.add_argument("--out", metavar="FILE", required=True, help="tệp .png hoặc .svg")


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three."""
    action = {"encode": _encode, "decode": _decode, "image": _image}[arguments.action]
    return action(arguments)


def _encode(arguments: argparse.Namespace) -> int:
    try:
        print(encode(_from_json(arguments) if arguments.json is not None else _from_flags(arguments)))
    except Refused as refused:
        return unusable(refused.message)
    return YES


def _decode(arguments: argparse.Namespace) -> int:
    try:
        qr = decode(arguments.payload)
    except PayloadRefused as refused:
        return no(refused.message)
    print(json.dumps(as_dict(qr), ensure_ascii=False))
    return YES


def _image(arguments: argparse.Namespace) -> int:
    # Pillow and the QR library are slow to load, and only a picture needs them.
    from billing.documents.qr_image import qr_png, qr_svg  # noqa: PLC0415  as said

    out = Path(arguments.out)
    try:
        qr = decode(arguments.payload)
    except PayloadRefused as refused:
        return no(refused.message)
    if out.suffix.lower() == ".png":
        picture = qr_png(arguments.payload)
    elif out.suffix.lower() == ".svg":
        picture = qr_svg(arguments.payload, f"Mã VietQR: tài khoản {qr.account}, BIN {qr.bin}").encode()
    else:
        return unusable(f"Tệp phải có đuôi .png hoặc .svg: {out}")
    try:
        out.write_bytes(picture)
    except (OSError, ValueError) as problem:
        return unusable(f"Không ghi được {out}: {problem}")
    return YES


def _from_flags(arguments: argparse.Namespace) -> VietQr:
    """Return the code that the flags describe; raises ``Refused``."""
    if arguments.bin is None or arguments.account is None:
        raise Refused("Cần --bin và --account (hoặc --json -).")
    amount = None if arguments.amount is None else _money(arguments.amount)
    static = arguments.static or amount is None
    return VietQr(
        bin=arguments.bin,
        account=arguments.account,
        amount=amount,
        memo=arguments.memo,
        service=Service(arguments.service or Service.TO_ACCOUNT),
        initiation=Initiation.STATIC if static else Initiation.DYNAMIC,
    )


def _money(text: str) -> Money:
    if not _DIGITS.fullmatch(text):
        raise Refused(f"Số tiền chỉ gồm 1 đến 13 chữ số, không phải {text[:40]!r}.")
    return Money(int(text))


def _from_json(arguments: argparse.Namespace) -> VietQr:
    """Return the code that standard input describes; raises ``Refused``."""
    if arguments.json != "-":
        raise Refused("Chỉ đọc được JSON từ đầu vào chuẩn: --json -")
    if arguments.static or any(getattr(arguments, name) is not None for name in _FIELDS):
        raise Refused("Với --json thì mọi giá trị nằm trong JSON, không dùng thêm cờ nào.")
    try:
        document = json.loads(sys.stdin.read(), object_pairs_hook=_once_each, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise Refused(f"JSON không đọc được: {problem}") from problem
    if not isinstance(document, dict):
        raise Refused("JSON phải là một đối tượng như `qr decode` in ra.")
    return from_dict(document)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("một tên xuất hiện hai lần")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} không phải là số")
