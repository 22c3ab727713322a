"""Tests of the matcher: each row of its table, and what must never happen."""

from __future__ import annotations

from billing.money import ZERO, Money
from reconciliation.deciding import decide
from reconciliation.match_case import MAX_CANDIDATES
from reconciliation.matching import Decision, Direction, IncomingTransfer, OpenRequest, Outcome
from reconciliation.memory_book import MemoryBook
from tests.reconciliation.matching_builders import (
    ACCOUNT,
    OTHER_ACCOUNT,
    entry,
    paying,
    reference,
)


def decision(transfer: IncomingTransfer, *entries: OpenRequest) -> Decision:
    return decide(transfer, MemoryBook(entries))


def shares(made: Decision) -> list[tuple[str, int]]:
    return [(share.reference, share.amount.dong) for share in made.bills]


def test_the_exact_amount_is_matched() -> None:
    made = decision(paying(f"HP thang 9 {reference(1)}"), entry(1), entry(2))

    assert made.outcome == "matched"
    assert shares(made) == [(reference(1), 650_000)]
    assert (made.credit, made.credit_to) == (ZERO, None)


def test_less_is_partial_and_more_becomes_credit() -> None:
    less = decision(paying(reference(1), 600_000), entry(1))
    more = decision(paying(reference(1), 700_000), entry(1))

    assert (less.outcome, shares(less), less.credit) == ("partial", [(reference(1), 600_000)], ZERO)
    assert (more.outcome, shares(more), more.credit) == ("overpaid", [(reference(1), 650_000)], Money(50_000))
    assert more.credit_to == "pupil 1"


def test_several_bills_under_one_reference_are_paid_in_the_listed_order() -> None:
    bills = [entry(1, 100_000, key="August"), entry(1, 50_000, key="September"), entry(1, 70_000, key="October")]
    made = decision(paying(reference(1), 130_000), *bills)

    assert made.outcome == "partial"
    assert [(share.key, share.amount.dong) for share in made.bills] == [("August", 100_000), ("September", 30_000)]


def test_a_closed_bill_beside_an_open_one_of_the_same_reference_gets_nothing() -> None:
    made = decision(paying(reference(1), 90_000), entry(1, 100_000, status="paid"), entry(1, 90_000, key="open"))

    assert made.outcome == "matched"
    assert [share.key for share in made.bills] == ["open"]


def test_a_closed_request_pays_the_only_open_one_of_the_same_amount() -> None:
    for status in ("paid", "void"):
        old = entry(1, 650_000, pupil="An", status=status)
        made = decision(paying(reference(1)), old, entry(2, pupil="An"), entry(3, 80_000, pupil="An"))

        assert made.outcome == "matched"
        assert shares(made) == [(reference(2), 650_000)]
        assert made.evidence[0] == "closed_request_same_amount_open"


def test_a_closed_request_without_a_twin_becomes_the_pupils_credit() -> None:
    old = entry(1, pupil="An", status="paid")
    none = decision(paying(reference(1)), old, entry(2, 80_000, pupil="An"), entry(3, pupil="Bình"))
    two = decision(paying(reference(1)), old, entry(2, pupil="An"), entry(3, pupil="An"))
    elsewhere = decision(paying(reference(1)), old, entry(2, pupil="An", account=OTHER_ACCOUNT))

    for made in (none, two, elsewhere):
        assert (made.outcome, made.bills, made.credit, made.credit_to) == ("credited", (), Money(650_000), "An")


def test_an_open_request_with_nothing_due_is_like_a_closed_one() -> None:
    made = decision(paying(reference(1)), entry(1, 0))

    assert (made.outcome, made.credit) == ("credited", Money(650_000))


def test_two_references_with_the_exact_sum_are_split() -> None:
    memo = f"{reference(1)} {reference(2)}"
    made = decision(paying(memo, 950_000), entry(1), entry(2, 300_000))

    assert made.outcome == "split"
    assert shares(made) == [(reference(1), 650_000), (reference(2), 300_000)]


def test_two_references_with_another_sum_are_only_suggested() -> None:
    memo = f"{reference(1)} {reference(2)}"
    for amount in (949_999, 950_001, 650_000):
        made = decision(paying(memo, amount), entry(1), entry(2, 300_000))

        assert made.outcome == "suggested"
        assert sorted(shares(made)) == sorted([(reference(1), 0), (reference(2), 0)])
    assert shares(made)[0] == (reference(1), 0), "the one whose due equals the amount comes first"


def test_a_split_needs_all_requests_open_on_this_account_and_in_one_school() -> None:
    memo = f"{reference(1)} {reference(2)}"
    closed = decision(paying(memo, 950_000), entry(1), entry(2, 300_000, status="paid"))
    elsewhere = decision(paying(memo, 950_000), entry(1), entry(2, 300_000, account=OTHER_ACCOUNT))
    two_schools = decision(paying(memo, 950_000), entry(1), entry(2, 300_000, school="THCS Tân Phú"))

    for made in (closed, elsewhere, two_schools):
        assert (made.outcome, made.evidence[0]) == ("suggested", "several_references")


def test_money_on_another_account_or_school_is_only_suggested() -> None:
    account = decision(paying(reference(1), account=OTHER_ACCOUNT), entry(1))
    school = decision(paying(reference(1), school="THCS Tân Phú"), entry(1))
    closed = decision(paying(reference(1), account=OTHER_ACCOUNT), entry(1, status="paid"))

    assert (account.outcome, account.evidence[0]) == ("suggested", "another_account")
    assert (school.outcome, school.evidence[0]) == ("suggested", "another_school")
    assert closed.outcome == "suggested"
    assert shares(account) == shares(school) == [(reference(1), 0)]


def test_the_collecting_account_never_identifies() -> None:
    assert decision(paying("hoc phi thang 9"), entry(1)).outcome == "unmatched"


def test_a_virtual_account_identifies_without_any_memo() -> None:
    made = decision(paying("", virtual_account="V3CAS1"), entry(1, virtual_account="V3CAS1"), entry(2))

    assert (made.outcome, made.evidence[0]) == ("matched", "virtual_account")
    assert shares(made) == [(reference(1), 650_000)]


def test_a_virtual_account_of_a_pupil_pays_the_oldest_first() -> None:
    old, new = entry(1, pupil="An", virtual_account="V3"), entry(2, pupil="An", virtual_account="V3")
    made = decision(paying("", 700_000, virtual_account="V3"), old, new)

    assert shares(made) == [(reference(1), 650_000), (reference(2), 50_000)]
    assert made.outcome == "partial"


def test_a_reference_decides_among_the_requests_of_a_virtual_account() -> None:
    old, new = entry(1, pupil="An", virtual_account="V3"), entry(2, pupil="An", virtual_account="V3")
    made = decision(paying(reference(2), virtual_account="V3"), old, new)

    assert shares(made) == [(reference(2), 650_000)]


def test_a_virtual_account_against_the_reference_of_another_pupil_is_suggested() -> None:
    made = decision(paying(reference(2), virtual_account="V3"), entry(1, virtual_account="V3"), entry(2))

    assert (made.outcome, made.evidence[0]) == ("suggested", "virtual_account_disagrees")
    assert {name for name, _ in shares(made)} == {reference(1), reference(2)}


def test_a_virtual_account_shared_by_two_pupils_is_suggested() -> None:
    both = [entry(1, virtual_account="V3"), entry(2, virtual_account="V3")]

    assert decision(paying("", virtual_account="V3"), *both).evidence[0] == "several_pupils"


def test_an_unknown_virtual_account_leaves_the_memo_to_decide() -> None:
    made = decision(paying(reference(1), virtual_account="V9"), entry(1))

    assert made.outcome == "matched"
    assert {"virtual_account": "V9", "known": False} in made.evidence


def test_a_virtual_account_on_another_collecting_account_is_suggested() -> None:
    made = decision(paying("", account=OTHER_ACCOUNT, virtual_account="V3"), entry(1, virtual_account="V3"))

    assert made.outcome == "suggested"


def test_codes_never_issued_are_dropped_before_one_is_demanded() -> None:
    made = decision(paying(f"{reference(7)} {reference(1)} {reference(8)}"), entry(1))

    assert made.outcome == "matched"
    assert {"never_issued": [reference(7), reference(8)]} in made.evidence
    assert decision(paying(reference(7)), entry(1)).outcome == "unmatched"


def test_a_corrected_reference_is_suggested_with_what_was_changed() -> None:
    code = reference(1)
    wrong = code[:5] + ("2" if code[5] != "2" else "3") + code[6:]
    made = decision(paying(f"hoc phi {wrong.lower()}"), entry(1))

    assert (made.outcome, shares(made)) == ("suggested", [(code, 0)])
    near = made.evidence[1]
    assert isinstance(near, dict)
    assert near["corrected"] == [
        {
            "reference": code,
            "written": wrong.lower(),
            "at": [8, 19],
            "change": "wrong",
            "position": 6,
            "read": wrong[5],
            "meant": code[5],
        }
    ]


def test_a_correctable_code_beside_an_exact_one_is_told_and_moves_nothing() -> None:
    code = reference(2)
    lost = code[:7] + code[8:]
    made = decision(paying(f"{reference(1)}, {lost}"), entry(1), entry(2))

    assert shares(made) == [(reference(1), 650_000)]
    assert [note for note in made.evidence if isinstance(note, dict) and "also_fits" in note]


def test_the_same_reference_under_two_pupils_is_nobodys() -> None:
    made = decision(paying(reference(1)), entry(1, pupil="An"), entry(1, pupil="Bình"))

    assert (made.outcome, made.evidence[0]) == ("suggested", "several_pupils")


def test_money_out_and_no_money_are_refused() -> None:
    out = decision(paying(reference(1), direction=Direction.OUT), entry(1))
    nothing = decision(paying(reference(1), 0), entry(1))
    negative = decision(paying(reference(1), -650_000), entry(1))

    assert (out.outcome, out.evidence) == ("refused", ("direction_out",))
    assert nothing.outcome == negative.outcome == "refused"


def test_evidence_tells_where_and_how_the_reference_was_written() -> None:
    code = reference(1)
    memo = f"MBVCB.3278907687.123456.{code[:4].lower()} {code[4:]}.CT tu {ACCOUNT}"
    made = decision(paying(memo), entry(1))

    assert made.evidence[2] == {
        "reference": code,
        "written": f"{code[:4].lower()} {code[4:]}",
        "at": [24, 36],
    }


def test_candidates_are_ranked_and_bounded() -> None:
    memo = " ".join(reference(number) for number in range(30))
    entries = [entry(number, 10_000, account=OTHER_ACCOUNT) for number in range(29)]
    made = decision(paying(memo, 123_000), *entries, entry(29, 123_000))

    assert len(made.bills) == MAX_CANDIDATES
    assert shares(made)[0] == (reference(29), 0), "open on this account and of this amount"


def test_a_bill_in_two_named_requests_is_owed_once() -> None:
    """The newer request asks for the older month again; a parent who sends both codes owes each bill once."""
    book = MemoryBook(
        [
            entry(1, 300_000, pupil="an", key="September"),
            entry(2, 300_000, pupil="an", key="September"),
            entry(2, 650_000, pupil="an", key="October"),
        ]
    )
    memo = f"{reference(1)} {reference(2)}"
    exact = decide(paying(memo, 950_000), book)
    assert exact.outcome is Outcome.SPLIT
    assert [(share.key, share.amount) for share in exact.bills] == [
        ("September", Money(300_000)),
        ("October", Money(650_000)),
    ]
    assert decide(paying(memo, 1_250_000), book).outcome is Outcome.SUGGESTED
