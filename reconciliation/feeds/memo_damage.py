"""What banks do to a memo on its way, as seen on real statements, for the stand-in bank and for tests (pure).

Every transfer between banks is cut into pieces of 35 characters joined again by one space, and at 140 in all;
sender and receiver put their own words around it. Measured on a company's Techcombank exports and on published
statements of seven other banks.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from billing.payments.reference import drop_marks

PIECE = 35
LONGEST = 140
_VIETNAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A memo as it left the payer's hand, and the parties whose names banks write around it. ``at`` is UTC."""

    memo: str
    payer_name: str
    payer_account: str
    to_name: str
    to_account: str
    at: datetime

    @property
    def local(self) -> datetime:
        """The bank's wall clock."""
        return self.at + _VIETNAM


Damage = Callable[[Sent, Random], str]


def between_banks(memo: str) -> str:
    """Cut into pieces of 35 joined by a space (none is added where one stands), then at 140."""
    pieces = [memo[start : start + PIECE] for start in range(0, len(memo), PIECE)]
    joined = pieces[0] if pieces else ""
    for piece in pieces[1:]:
        joined += piece if joined.endswith(" ") else " " + piece
    return joined[:LONGEST]


def without_hyphens(memo: str) -> str:
    """Drop hyphens, as several mobile apps do."""
    return memo.replace("-", "")


def punctuation_to_spaces(memo: str) -> str:
    """Turn every sign into a space, as MB does on some routes."""
    return re.sub(r"[^0-9A-Za-z ]", " ", memo)


def damage(sent: Sent, route: str, random: Random) -> str:
    """Return the memo as the receiving bank shows it, after one of ``ROUTES``; marks never arrive."""
    return ROUTES[route](sent, random)


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def _mixed(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits + string.ascii_uppercase, k=count))


def _plain(sent: Sent, random: Random) -> str:
    del random
    return drop_marks(sent.memo)[:LONGEST]


def _napas(sent: Sent, random: Random) -> str:
    return between_banks(_plain(sent, random))


def _from_vietcombank(sent: Sent, random: Random) -> str:
    """Send by the old Vietcombank app towards MB: 24 characters in front, so the first break falls 11 characters in."""
    trace = _digits(random, 6)
    head = f"MBVCB.{_digits(random, 10)}.{trace}.{drop_marks(sent.memo)}"
    parties = (
        f".CT tu {sent.payer_account} {drop_marks(sent.payer_name).upper()}"
        f" toi {sent.to_account} {drop_marks(sent.to_name).upper()} tai MB"
    )
    letters = "".join(random.choices(string.ascii_lowercase, k=2))
    return between_banks(f"{head}{parties}- Ma GD ACSP/ {letters}{trace}")


def _from_new_vietcombank(sent: Sent, random: Random) -> str:
    """Put the new Vietcombank app's prefix in front: it is exactly one piece long."""
    head = f"MBVCB.{_digits(random, 11)}.{_mixed(random, 16)}.{drop_marks(sent.memo)}"
    return between_banks(f"{head}.CT tu {sent.payer_account} {drop_marks(sent.payer_name).upper()}")


def _to_mb(sent: Sent, random: Random) -> str:
    return between_banks(f"{drop_marks(sent.memo)}- Ma giao dich/ Trace {_digits(random, 6)}")


def _to_mb_without_signs(sent: Sent, random: Random) -> str:
    trace = _digits(random, 6)
    text = f"CUSTOMER MBVCB.{_digits(random, 10)}.{trace}.{drop_marks(sent.memo)}.CT tu {sent.payer_account}"
    return punctuation_to_spaces(between_banks(f"{text} {drop_marks(sent.payer_name).upper()} Trace {trace}"))


def _to_mb_merchant(sent: Sent, random: Random) -> str:
    return between_banks(f"Q{_mixed(random, 9)}  HOCPHI{_digits(random, 2)} 1  {drop_marks(sent.memo)}")


def _from_momo(sent: Sent, random: Random) -> str:
    wallet = _digits(random, 12)
    order = f"OQCH{_mixed(random, 8)}"
    return between_banks(f"{wallet}-{drop_marks(sent.memo)}-CHUYEN TIEN-{order}-MOMO{wallet}MOMO")


def _from_momo_to_acb(sent: Sent, random: Random) -> str:
    head = f"MoMoT09{_digits(random, 8)}T{_digits(random, 11)}T970416T"
    return f"{head}{drop_marks(sent.memo)} GD {_digits(random, 6)}-{sent.local:%m%d%y %H:%M:%S}"[:LONGEST]


def _from_zalopay(sent: Sent, random: Random) -> str:
    head = f"PARTNER.DIRECT_DEBITS_VCB.ZLP.ZP{_mixed(random, 12)}.{sent.local:%Y%m%d}"
    return between_banks(f"{head}.{drop_marks(sent.memo)}")


def _to_vietcombank(sent: Sent, random: Random) -> str:
    return between_banks(f"{_digits(random, 6)}.{sent.local:%d%m%y.%H%M%S}.{drop_marks(sent.memo)}")


def _to_bidv(sent: Sent, random: Random) -> str:
    memo = drop_marks(sent.memo)
    return f"TKThe :{sent.payer_account}, tai MB. {memo} -CTLNHIDI{_digits(random, 15)}-1/1-CRE-002"


def _inside_bidv(sent: Sent, random: Random) -> str:
    numbers = f"{_digits(random, 6)}_{_digits(random, 6)}_0_0_{_digits(random, 9)}_{_digits(random, 11)}"
    return f"REM Tfr Ac:{sent.payer_account} O@L_{numbers} {drop_marks(sent.memo)}"[:LONGEST]


def _to_acb(sent: Sent, random: Random) -> str:
    return f"{drop_marks(sent.memo)} GD {_digits(random, 6)}-{sent.local:%m%d%y %H:%M:%S}"


def _from_acb(sent: Sent, random: Random) -> str:
    return between_banks(f"{drop_marks(sent.memo)}-{sent.local:%d%m%y-%H:%M:%S} {_mixed(random, 16)}")


def _to_vietinbank(sent: Sent, random: Random) -> str:
    return f"CT DEN:{_mixed(random, 16)} {drop_marks(sent.memo)}"


def _to_agribank(sent: Sent, random: Random) -> str:
    return f"MB({_digits(random, 12)})({drop_marks(sent.memo)})"


def _to_sacombank(sent: Sent, random: Random) -> str:
    name = drop_marks(sent.payer_name).upper()
    return f"{drop_marks(sent.memo)} CKN {_digits(random, 3)} {_digits(random, 6)} - {name}"


def _clearing(sent: Sent, random: Random) -> str:
    """Send through inter-bank clearing: the ordering party in front, no breaks."""
    del random
    return f"(B/O {drop_marks(sent.payer_name).upper()}) {drop_marks(sent.memo)}"[:LONGEST]


ROUTES: Mapping[str, Damage] = {
    "plain": _plain,
    "napas": _napas,
    "from Vietcombank": _from_vietcombank,
    "from Vietcombank (new app)": _from_new_vietcombank,
    "to MB": _to_mb,
    "to MB without signs": _to_mb_without_signs,
    "to an MB merchant": _to_mb_merchant,
    "from MoMo": _from_momo,
    "from MoMo to ACB": _from_momo_to_acb,
    "from ZaloPay": _from_zalopay,
    "to Vietcombank": _to_vietcombank,
    "to BIDV": _to_bidv,
    "inside BIDV": _inside_bidv,
    "to ACB": _to_acb,
    "from ACB": _from_acb,
    "to VietinBank": _to_vietinbank,
    "to Agribank": _to_agribank,
    "to Sacombank": _to_sacombank,
    "clearing": _clearing,
}
