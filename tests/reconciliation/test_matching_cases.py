"""Situations that ticket sellers and schools met in the field, each with the outcome our families get.

Most are situations that pretix, the strongest open peer, tests for its own bank import; some end differently here,
because our references correct themselves and because a family keeps a credit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from reconciliation.deciding import decide
from reconciliation.matching import OpenRequest
from reconciliation.memory_book import MemoryBook
from tests.reconciliation.matching_builders import ACCOUNT, OTHER_ACCOUNT, entry, paying, reference

ONE, TWO = reference(1), reference(2)


@dataclass
class Situation:
    memo: str
    outcome: str
    amount: int = 650_000
    account: str = ACCOUNT
    virtual_account: str | None = None
    paid: dict[str, int] = field(default_factory=dict)
    credit: int = 0
    entries: list[OpenRequest] = field(default_factory=lambda: [entry(1), entry(2, 300_000)])


FULL = {ONE: 650_000}
SITUATIONS = {
    "reference glued to the word before it": Situation(f"Hocphi{ONE}", "matched", paid=FULL),
    "reference behind a hyphen": Situation(f"HOC PHI-{ONE}", "matched", paid=FULL),
    "reference with a hyphen typed into it": Situation(f"{ONE[:2]}-{ONE[2:6]}-{ONE[6:]}", "matched", paid=FULL),
    "line breaks and blanks inside the reference": Situation(
        f"hoc phi {ONE[:3]}\n{ONE[3:7]}\r\n {ONE[7:]}THANG9", "matched", paid=FULL
    ),
    "the same reference twice is one": Situation(f"{ONE} {ONE}", "matched", paid=FULL),
    "the same reference twice, small and large letters": Situation(f"{ONE.lower()} {ONE}", "matched", paid=FULL),
    "a look-alike typed for a digit is corrected and waits": Situation(
        ONE.replace(ONE[5], "O", 1) if ONE.count(ONE[5]) == 1 else ONE[:5] + "O" + ONE[6:], "suggested"
    ),
    "a code of nobody": Situation(f"hoc phi {reference(77)}", "unmatched"),
    "a code of nobody beside the right one": Situation(f"{reference(77)} {ONE}", "matched", paid=FULL),
    "a phone number and traces as noise": Situation(
        f"MBVCB.3278907687.0905123456.{ONE}.CT tu 0161000879000", "matched", paid=FULL
    ),
    "half a dong short does not exist, one dong short is partial": Situation(
        ONE, "partial", amount=649_999, paid={ONE: 649_999}
    ),
    "one dong over is credit": Situation(ONE, "overpaid", amount=650_001, paid=FULL, credit=1),
    "two children, the exact sum": Situation(
        f"{ONE} va {TWO}", "split", amount=950_000, paid={ONE: 650_000, TWO: 300_000}
    ),
    "two children, one dong missing": Situation(f"{ONE} va {TWO}", "suggested", amount=949_999),
    "paid already, paid again": Situation(
        ONE, "credited", credit=650_000, entries=[entry(1, status="paid"), entry(2, 300_000)]
    ),
    "paid already, the next month is open for the same amount": Situation(
        ONE,
        "matched",
        paid={TWO: 650_000},
        entries=[entry(1, pupil="An", status="paid"), entry(2, pupil="An")],
    ),
    "cancelled bill, nothing else open": Situation(ONE, "credited", credit=650_000, entries=[entry(1, status="void")]),
    "several references, one of them paid": Situation(
        f"{ONE} {TWO}", "suggested", entries=[entry(1), entry(2, 0, status="paid")]
    ),
    "right reference, the other school's account": Situation(ONE, "suggested", account=OTHER_ACCOUNT),
    "no code but the amount of an open bill": Situation("NGUYEN VAN AN chuyen tien", "unmatched"),
    "an empty memo": Situation("", "unmatched"),
    "an empty memo to the child's own virtual account": Situation(
        "",
        "matched",
        virtual_account="V3CASLRPR13MT76",
        paid=FULL,
        entries=[entry(1, virtual_account="V3CASLRPR13MT76")],
    ),
    "the tail of the code cut off by one": Situation(ONE[:-1], "suggested"),
    "the tail of the code cut off by more": Situation(ONE[:-3], "unmatched"),
    "marks, full-width and other letters around it": Situation(f"Học phí «{ONE}» 学费 ưƯ", "matched", paid=FULL),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(name: str) -> None:
    case = SITUATIONS[name]
    transfer = paying(case.memo, case.amount, account=case.account, virtual_account=case.virtual_account)
    made = decide(transfer, MemoryBook(case.entries))

    assert made.outcome == case.outcome
    assert {bill.reference: bill.amount.dong for bill in made.bills if bill.amount} == case.paid
    assert made.credit.dong == case.credit
