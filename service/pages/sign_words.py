"""The matcher's weaker signs in words, as the office reads them beside a candidate (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.weak_signs import Sign

_CHANGES = {
    "wrong": "ký tự thứ {position} ghi {read}, đúng là {meant}",
    "lost": "thiếu {meant} ở ký tự thứ {position}",
    "extra": "thừa {read} ở ký tự thứ {position}",
    "swapped": "hai ký tự {read} viết đảo, từ ký tự thứ {position}",
}
AMOUNT_FITS = "Số tiền đúng"
_WORDS = {
    Sign.PHONE: "Nội dung có số điện thoại của gia đình: {written}",
    Sign.PAYER: "Tài khoản chuyển tiền đã từng nộp cho em này",
    Sign.NAME: "Nội dung có tên của em: {written}",
    Sign.AMOUNT: AMOUNT_FITS,
    Sign.CLASS: "Nội dung có lớp của em: {written}",
}


def in_words(signs: object) -> tuple[str, ...]:
    """Return the signs of a candidate as kept in the evidence, one sentence each; what is not known is left out."""
    if not isinstance(signs, list):
        return ()
    return tuple(filter(None, (_one(sign) for sign in signs if isinstance(sign, Mapping))))


def _one(sign: Mapping[str, object]) -> str:
    kind = str(sign.get("sign", ""))
    if kind == Sign.CORRECTED:
        told = {key: str(sign.get(key, "")) for key in ("position", "read", "meant")}
        change = _CHANGES.get(str(sign.get("change", "")), "").format(**told)
        return f"Mã gần giống {sign.get('reference', '')}: {change}" if change else ""
    if kind not in _WORDS:
        return ""
    return _WORDS[Sign(kind)].format(written=str(sign.get("written", "")))
