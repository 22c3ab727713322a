"""Who stands behind a paying account, by name and memo: only a person's own account may be remembered (pure).

Wallets, remittance firms and companies pay for many families from one account. What is neither known to be such nor
clearly a person's name is *unknown* and is not remembered either: a forgotten sign costs a look, a false one misleads.
"""

from __future__ import annotations

import re
from enum import StrEnum

from billing.payments.reference import drop_marks

_SPACES = re.compile(r"[^A-Z0-9]+")
_ACCOUNT = re.compile(r"[0-9]{6,19}")


class PayerKind(StrEnum):
    """What an account's owner is."""

    PERSON = "person"
    COMPANY = "company"
    WALLET = "wallet"
    REMITTANCE = "remittance"
    UNKNOWN = "unknown"


# Words of a name, whole.
_WALLETS = (
    "MOMO", "MSERVICE", "M SERVICE", "ONLINE MOBILE SERVICE", "ZALOPAY", "ZION", "VNPAY", "VIETTELPAY",
    "VIETTEL MONEY", "SHOPEEPAY", "AIRPAY", "VNPTPAY", "VNPT PAY", "VNPT MONEY", "MOBIFONE MONEY", "PAYOO",
    "VIETUNION", "SMARTPAY", "SMARTNET", "FOXPAY", "ONEPAY", "NGAN LUONG", "NGANLUONG", "MOCA", "GRABPAY",
    "APPOTAPAY", "TRUEMONEY", "VI DIEN TU",
)  # fmt: skip
_REMITTANCE = (
    "WESTERN UNION", "MONEYGRAM", "MONEY GRAM", "WISE", "TRANSFERWISE", "RIA", "REMITLY", "XOOM", "WORLDREMIT",
    "PAYPAL", "INSTAREM", "SACOMREX", "SBR", "KIEU HOI", "REMITTANCE", "REMIT", "CHUYEN TIEN QUOC TE", "SWIFT",
)  # fmt: skip
_COMPANIES = (
    "CONG TY", "CTY", "CT TNHH", "TNHH", "CO PHAN", "CP", "DNTN", "DOANH NGHIEP", "XI NGHIEP", "TAP DOAN",
    "TONG CONG TY", "CHI NHANH", "CN", "VPDD", "VAN PHONG", "HTX", "HOP TAC XA", "HO KINH DOANH", "HKD", "CUA HANG",
    "NHA MAY", "NGAN HANG", "BANK", "UBND", "UY BAN", "PHONG GIAO DUC", "SO GIAO DUC", "KHO BAC", "BENH VIEN",
    "TRUNG TAM", "BAN QUAN LY", "CHUNG TU", "LTD", "CO LTD", "COMPANY", "CORP", "CORPORATION", "JSC", "INC", "LLC",
    "GROUP", "TM", "DV", "TMDV", "SX", "XNK", "DTXD", "FOUNDATION", "SCHOOL",
)  # fmt: skip
# A fund or union stands first in its name: elsewhere Quỹ and Hội are given names. A school is told by its level.
_BODY = re.compile(
    "^ (?:QUY|HOI) | TRUONG (?:TH|THCS|THPT|PTDT|MN|MAM NON|MAU GIAO|TIEU HOC|TRUNG HOC|TRUNG CAP|DAI HOC|CAO DANG) "
)
# Marks that wallets leave in a memo, wherever the name was lost.
_WALLET_MEMO = re.compile(
    r"MOMO[0-9]{6,}|MOMOT0[0-9]{9}T|DIRECT.?DEBITS|\.ZLP\.|OQCH[0-9A-Z]{6,}|ZALOPAY|CHUYEN TIEN QUA MOMO"
)
# Family names of Vietnam's peoples, as banks write them.
_FAMILY_NAMES = """
    AN ANG AU BA BACH BAN BE BI BO BUI CA CAM CAN CAO CHAU CHE CHU CHUNG CHUONG CO CON CU CUNG DAM DAN DANG DAO
    DAU DI DIEN DIEP DIEU DINH DO DOAN DONG DU DUONG GIANG GIAP H HA HAN HAU HO HOA HOANG HONG HUA HUYNH K KA
    KHA KHONG KHUC KHUAT KIEU KIM KSOR KPA LA LAC LAI LAM LANG LE LO LONG LU LUC LUONG LUU LUYEN LY LI MA MAC
    MAI MAN MANG MAU MINH MONG NGAN NGHIEM NGO NGUY NGUYEN NHAN NHU NIE NINH NONG ONG PHAM PHAN PHI PHO PHU
    PHUNG PHUONG QUACH QUAN QUANG QUYEN RAH RO ROC SIU SON SUNG SY TA TANG TAO THACH THAI THAM THAN THANG THI
    THIEU THO TO TON TONG TRA TRAN TRANG TRIEU TRINH TRUONG TU TUONG UNG UONG VAN VI VIEN VO VONG VU VUONG VY XA
    XIN Y YEN
"""
_SURNAMES = frozenset(_FAMILY_NAMES.split())
# Two words could be anything (Hoa Sen); with one of these in front they are a name.
_COMMON = frozenset({
    "NGUYEN", "TRAN", "LE", "PHAM", "HOANG", "HUYNH", "VU", "VO", "PHAN", "TRUONG", "BUI", "DANG", "DO", "NGO", "HO",
    "DUONG", "DINH", "DOAN", "TRINH", "LAM", "LUONG", "MAI", "TO", "Y", "DIEU", "THI", "LY", "DAO", "DAM", "CAO", "TA",
})  # fmt: skip
_FEWEST_WORDS, _MOST_WORDS = 2, 6


def kind_of_payer(name: str | None, account: str | None, memo: str) -> PayerKind:
    """Tell what kind of payer a name, account and memo speak of; the worst sign decides."""
    words = f" {_SPACES.sub(' ', drop_marks(name or '').upper()).strip()} "
    if _names(words, _WALLETS) or _WALLET_MEMO.search(memo.upper()):
        return PayerKind.WALLET
    if _names(words, _REMITTANCE):
        return PayerKind.REMITTANCE
    if _is_company(words):
        return PayerKind.COMPANY
    return PayerKind.PERSON if _is_person(words, account) else PayerKind.UNKNOWN


def _names(words: str, known: tuple[str, ...]) -> bool:
    return any(f" {each} " in words for each in known)


def _is_company(words: str) -> bool:
    """Tell by a word of companies, or by a digit, which no person's name has."""
    return bool(_names(words, _COMPANIES) or _BODY.search(words)) or any(letter.isdigit() for letter in words)


def _is_person(words: str, account: str | None) -> bool:
    parts = words.split()
    if not _FEWEST_WORDS <= len(parts) <= _MOST_WORDS or _ACCOUNT.fullmatch(account or "") is None:
        return False
    return parts[0] in (_COMMON if len(parts) == _FEWEST_WORDS else _SURNAMES)
