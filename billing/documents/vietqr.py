"""VietQR transfer payloads (pure): write one that every bank reads, read one and refuse what is not right.

Both ways go through the same rules (``vietqr_rules``): a structure is checked as strictly as a check sum, since
a wrong code with a right check sum sends a family's money elsewhere. That a single transfer stays below
500,000,000 đ is the business of whoever asks for the money, not of the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from billing.documents import tlv
from billing.documents.errors import PayloadRefused
from billing.documents.vietqr_rules import NAPAS, PLACES, PRINTABLE, TEMPLATES, Path, check, place_of, rule_for
from billing.money import Money
from billing.payments.reference import drop_marks


class Initiation(StrEnum):
    """How often a code may be paid."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class Service(StrEnum):
    """What the money goes to."""

    TO_ACCOUNT = "QRIBFTTA"
    TO_CARD = "QRIBFTTC"


@dataclass(frozen=True, slots=True)
class VietQr:
    """One transfer code.

    ``account`` keeps its case. ``others`` holds every further field by its name (``merchant_name``,
    ``bill_number`` …, or ``tag_80`` and ``tag_62_50`` for tags that other parties define).
    """

    bin: str
    account: str
    amount: Money | None = None
    memo: str | None = None
    service: Service = Service.TO_ACCOUNT
    initiation: Initiation = Initiation.DYNAMIC
    others: Mapping[str, str] = field(default_factory=dict, hash=False)


_Choice = TypeVar("_Choice", bound=StrEnum)

_CRC_MARK = "6304"
_CRC_TAIL = re.compile(f"{_CRC_MARK}[0-9A-Fa-f]{{4}}")
_INITIATIONS = {Initiation.STATIC: "11", Initiation.DYNAMIC: "12"}
_INITIATION_OF = {code: initiation for initiation, code in _INITIATIONS.items()}
_OWN = frozenset({"format", "currency", "country", "scheme"})
_TYPED = frozenset({"initiation", "service", "bin", "account", "amount", "memo"})


def encode(qr: VietQr) -> str:
    """Return the payload, tags in ascending order; raises ``PayloadRefused`` naming what is wrong.

    Marks in the memo are dropped (``Học phí`` becomes ``Hoc phi``); what is left must be 1 to 25 ASCII characters.
    """
    values: dict[Path, str] = {
        PLACES["format"]: "01",
        PLACES["initiation"]: _INITIATIONS[qr.initiation],
        PLACES["scheme"]: NAPAS,
        PLACES["bin"]: qr.bin,
        PLACES["account"]: qr.account,
        PLACES["service"]: qr.service.value,
        PLACES["currency"]: "704",
        PLACES["country"]: "VN",
    }
    if qr.amount is not None:
        values[PLACES["amount"]] = str(qr.amount.dong)
    if qr.memo is not None:
        values[PLACES["memo"]] = drop_marks(qr.memo)
    for name, value in qr.others.items():
        if name in _OWN | _TYPED:
            raise PayloadRefused("unknown", f"Trường {name!r} không thuộc nhóm trường khác.")
        values[place_of(name)] = value
    check(values)
    body = _compose(values) + _CRC_MARK
    return body + tlv.crc(body)


def decode(payload: str) -> VietQr:
    """Return what a payload says; raises ``PayloadRefused`` naming the first thing that is wrong.

    Tags may stand in any order between 00 (first) and 63 (last); the check sum may be in lower case.
    """
    if not PRINTABLE.fullmatch(payload):
        raise PayloadRefused("characters", "Nội dung mã có ký tự ngoài bảng ASCII in được.")
    _check_sum(payload)
    root = tlv.read(payload, "Mã QR")
    tags = list(root)
    if tags[0] != "00" or tags[-1] != "63" or len(root["63"]) != len(_CRC_MARK):
        raise PayloadRefused("structure", "Thẻ 00 phải đứng đầu và thẻ 63 phải đứng cuối.")
    del root["63"]
    values = _flatten(root, ())
    check(values)
    return _as_vietqr({rule_for(path).name: value for path, value in values.items()})


def as_dict(qr: VietQr) -> dict[str, object]:
    """Return a code as JSON knows it: amount as a whole number, further fields by name beside the others."""
    return {
        "initiation": qr.initiation.value,
        "service": qr.service.value,
        "bin": qr.bin,
        "account": qr.account,
        "amount": None if qr.amount is None else qr.amount.dong,
        "memo": qr.memo,
        **qr.others,
    }


def from_dict(document: Mapping[str, object]) -> VietQr:
    """Return the code that ``as_dict`` would write so; what is missing is taken as null.

    Without ``initiation`` a code with an amount is dynamic, one without is static; without ``service`` the money
    goes to an account. Raises ``PayloadRefused`` for a value of the wrong type or a name we do not know.
    """
    given = {name: value for name, value in document.items() if value is not None}
    amount = given.pop("amount", None)
    if amount is not None and type(amount) is not int:
        raise PayloadRefused("amount", f"Số tiền phải là số nguyên, không phải {amount!r}.")
    texts: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(value, str):
            raise PayloadRefused(name, f"Trường {name!r} phải là chuỗi ký tự, không phải {value!r}.")
        texts[name] = value
    usual = Initiation.STATIC if amount is None else Initiation.DYNAMIC
    return VietQr(
        bin=texts.pop("bin", ""),
        account=texts.pop("account", ""),
        amount=None if amount is None else Money(amount),
        memo=texts.pop("memo", None),
        service=_one_of(Service, "service", texts.pop("service", Service.TO_ACCOUNT)),
        initiation=_one_of(Initiation, "initiation", texts.pop("initiation", usual)),
        others=texts,
    )


def _one_of(choices: type[_Choice], name: str, value: str) -> _Choice:
    try:
        return choices(value)
    except ValueError:
        allowed = ", ".join(choice.value for choice in choices)
        raise PayloadRefused(name, f"Trường {name!r} phải là một trong: {allowed}.") from None


def _check_sum(payload: str) -> None:
    if not _CRC_TAIL.fullmatch(payload[-8:]):
        raise PayloadRefused("crc", "Mã không kết thúc bằng tổng kiểm tra (thẻ 63).")
    right, stated = tlv.crc(payload[:-4]), payload[-4:].upper()
    if stated != right:
        raise PayloadRefused("crc", f"Sai tổng kiểm tra (CRC): ghi {stated}, tính ra {right}.")


def _flatten(objects: Mapping[str, str], parent: Path) -> dict[Path, str]:
    """Return the values by their place, templates opened."""
    values: dict[Path, str] = {}
    for tag, value in objects.items():
        path = (*parent, tag)
        if path in TEMPLATES:
            values |= _flatten(tlv.read(value, f"Thẻ {'-'.join(path)}"), path)
        else:
            values[path] = value
    return values


def _compose(values: Mapping[Path, str]) -> str:
    """Return the objects of the values, by ascending tag, templates closed again."""
    inside: dict[str, dict[Path, str]] = {}
    for path, value in values.items():
        inside.setdefault(path[0], {})[path[1:]] = value
    return "".join(
        tlv.write(tag, content[()] if () in content else _compose(content)) for tag, content in sorted(inside.items())
    )


def _as_vietqr(named: dict[str, str]) -> VietQr:
    amount = named.get("amount")
    return VietQr(
        bin=named["bin"],
        account=named["account"],
        amount=None if amount is None else Money(int(amount.rstrip("."))),
        memo=named.get("memo"),
        service=Service(named["service"]),
        initiation=_INITIATION_OF[named["initiation"]],
        others={name: value for name, value in named.items() if name not in _OWN | _TYPED},
    )
