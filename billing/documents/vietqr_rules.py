"""What each field of a VietQR payload may hold (pure).

Source: NAPAS, VietQR format, v1.0 (2021), and the length limits banks and providers publish. Text is printable
ASCII everywhere: libraries do not agree whether a length counts characters or bytes, so only ASCII reads alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from billing.documents.errors import PayloadRefused

Path = tuple[str, ...]
"""Where a value stands: the tags from the outside in."""

NAPAS = "A000000727"
OTHER_NAPAS_SERVICES = frozenset({"QRPUSH", "QRCASH"})
TEMPLATES: frozenset[Path] = frozenset({("38",), ("38", "01"), ("62",), ("64",)})

_ANY = r"[\x20-\x7E]"
PRINTABLE = re.compile(f"{_ANY}*")
_AMOUNT = r"(?=.{1,13}\Z)0*[1-9][0-9]*\.?"


@dataclass(frozen=True, slots=True)
class Rule:
    """One field: its name in Python and JSON, what people call it, and what it may hold."""

    name: str
    label: str
    pattern: re.Pattern[str]
    demand: str

    def check(self, value: str) -> None:
        """Raise ``PayloadRefused`` when the value is not allowed here."""
        if not self.pattern.fullmatch(value):
            shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
            raise PayloadRefused(self.name, f"{self.label} không hợp lệ: {shown!r}; phải là {self.demand}.")


_SHOWN = 40


def _rule(name: str, label: str, pattern: str, demand: str) -> Rule:
    return Rule(name, label, re.compile(pattern), demand)


def _text(name: str, label: str, longest: int) -> Rule:
    return _rule(name, label, f"{_ANY}{{1,{longest}}}", f"1 đến {longest} ký tự không dấu")


RULES: dict[Path, Rule] = {
    ("00",): _rule("format", "Phiên bản định dạng", "01", "01"),
    ("01",): _rule("initiation", "Kiểu khởi tạo", "1[12]", "11 (tĩnh) hoặc 12 (động)"),
    ("38", "00"): _rule("scheme", "Mã định danh NAPAS", NAPAS, NAPAS),
    ("38", "01", "00"): _rule("bin", "Mã BIN ngân hàng", "[0-9]{6}", "đúng 6 chữ số"),
    # A bank's own sample has four letters; upper and lower case differ in virtual accounts.
    ("38", "01", "01"): _rule("account", "Số tài khoản", "[0-9A-Za-z]{4,19}", "4 đến 19 chữ cái hoặc chữ số"),
    ("38", "02"): _rule("service", "Mã dịch vụ", "QRIBFTT[AC]", "QRIBFTTA (tài khoản) hoặc QRIBFTTC (thẻ)"),
    ("52",): _rule("mcc", "Mã ngành hàng", "[0-9]{4}", "4 chữ số"),
    ("53",): _rule("currency", "Mã tiền tệ", "704", "704 (VND)"),
    ("54",): _rule("amount", "Số tiền", _AMOUNT, "số nguyên dương, tối đa 13 chữ số"),
    ("55",): _rule("tip", "Chỉ báo phí thêm", "0[123]", "01, 02 hoặc 03"),
    ("56",): _rule("fee", "Phí cố định", _AMOUNT, "số nguyên dương, tối đa 13 chữ số"),
    ("57",): _rule(
        "fee_percent",
        "Phí phần trăm",
        r"(?=.*[1-9])[0-9]{1,2}(\.[0-9]{1,2})?",
        "từ 00.01 đến 99.99",
    ),
    ("58",): _rule("country", "Mã quốc gia", "VN", "VN"),
    ("59",): _text("merchant_name", "Tên đơn vị", 25),
    ("60",): _text("city", "Tỉnh, thành phố", 15),
    ("61",): _text("postal_code", "Mã bưu chính", 10),
    ("62", "01"): _text("bill_number", "Số hóa đơn", 25),
    ("62", "02"): _text("mobile_number", "Số điện thoại", 25),
    ("62", "03"): _text("store_label", "Mã cửa hàng", 25),
    ("62", "04"): _text("loyalty_number", "Mã khách hàng thân thiết", 25),
    ("62", "05"): _text("reference_label", "Mã tham chiếu", 25),
    ("62", "06"): _text("customer_label", "Mã khách hàng", 25),
    ("62", "07"): _text("terminal_label", "Mã điểm bán", 25),
    ("62", "08"): _text("memo", "Nội dung chuyển khoản", 25),
    ("62", "09"): _rule(
        "consumer_data", "Dữ liệu cần hỏi thêm", r"(?=[AME]{1,3}\Z)(?!.*(.).*\1).*", "các chữ A, M, E, mỗi chữ một lần"
    ),
    ("64", "00"): _rule("language", "Ngôn ngữ khác", "[A-Za-z]{2}", "2 chữ cái"),
    ("64", "01"): _text("alternate_name", "Tên đơn vị bằng ngôn ngữ khác", 25),
    ("64", "02"): _text("alternate_city", "Tỉnh, thành phố bằng ngôn ngữ khác", 15),
}
PLACES: dict[str, Path] = {rule.name: path for path, rule in RULES.items()}

_MANDATORY = tuple(PLACES[name] for name in ("format", "initiation", "currency", "country"))
_ACCOUNT_PARTS = tuple(PLACES[name] for name in ("bin", "account", "service"))

# Tags that others define: kept as they stand under the name of their place.
_OTHERS = (
    (("62",), range(10, 50), 25),
    (("62",), range(50, 100), 99),
    ((), range(2, 52), 99),
    ((), range(65, 100), 99),
)
_OTHER_NAME = re.compile("tag_(?:(62)_)?([0-9]{2})")


def rule_for(path: Path) -> Rule:
    """Return the rule of a place; raises ``PayloadRefused`` where the format knows no value."""
    known = RULES.get(path)
    if known:
        return known
    shown = "-".join(path)
    for parent, tags, longest in _OTHERS:
        if path[:-1] == parent and int(path[-1]) in tags and path not in TEMPLATES:
            return _text("_".join(("tag", *path)), f"Thẻ {shown}", longest)
    raise PayloadRefused("unknown", f"Thẻ {shown} không có trong định dạng VietQR.")


def place_of(name: str) -> Path:
    """Return where a named field stands; raises ``PayloadRefused`` for a name we do not know."""
    if name in PLACES:
        return PLACES[name]
    other = _OTHER_NAME.fullmatch(name)
    if other is None:
        raise PayloadRefused("unknown", f"Không có trường nào tên {name!r}.")
    path = tuple(part for part in other.groups() if part)
    if rule_for(path).name != name:
        raise PayloadRefused("unknown", f"Trường {name!r} phải ghi bằng tên {rule_for(path).name!r}.")
    return path


def check(values: dict[Path, str]) -> None:
    """Raise ``PayloadRefused`` naming the first rule that the values of a payload break."""
    _check_scheme(values)
    rules = {path: rule_for(path) for path in values}
    for path in (*_MANDATORY, *_ACCOUNT_PARTS):
        if path not in values:
            raise PayloadRefused("missing", f"Thiếu {RULES[path].label} (thẻ {'-'.join(path)}).")
    for path, rule in rules.items():
        rule.check(values[path])
    _check_fee(values)
    _check_language(values)


def _check_scheme(values: dict[Path, str]) -> None:
    """Tell a well-formed code of another scheme from a broken one of ours."""
    if values.get(("38", "00")) != NAPAS:
        raise PayloadRefused("scheme", "Không phải mã VietQR của NAPAS (thẻ 38-00 không phải A000000727).")
    service = values.get(("38", "02"))
    if service in OTHER_NAPAS_SERVICES:
        raise PayloadRefused("scheme", f"Mã {service} không phải chuyển tiền nhanh VietQR.")


def _check_fee(values: dict[Path, str]) -> None:
    tip = values.get(("55",))
    for path, wanted in ((("56",), "02"), (("57",), "03")):
        if (path in values) != (tip == wanted):
            raise PayloadRefused("tip", f"Thẻ {path[0]} phải có khi và chỉ khi thẻ 55 là {wanted}.")


def _check_language(values: dict[Path, str]) -> None:
    present = _under(values, "64")
    if present and not {("64", "00"), ("64", "01")} <= present:
        raise PayloadRefused("missing", "Thẻ 64 phải có cả ngôn ngữ (00) và tên đơn vị (01).")


def _under(values: Iterable[Path], tag: str) -> set[Path]:
    return {path for path in values if path[0] == tag}
