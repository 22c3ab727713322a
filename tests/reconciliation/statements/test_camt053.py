"""Tests of CAMT.053: every version, entries of several transactions, reversals, several statements."""

from __future__ import annotations

import pytest

from billing.money import Money
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements import bank_files
from tests.reconciliation.statements.bank_files import ACCOUNT, FIRST


def details(*parts: str) -> str:
    return f"<NtryDtls>{''.join(f'<TxDtls>{part}</TxDtls>' for part in parts)}</NtryDtls>"


def entry(amount: int, more: str, mark: str = "CRDT", status: str = "<Sts>BOOK</Sts>") -> str:
    return (
        f"<Ntry><Amt Ccy='VND'>{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>{status}"
        f"<BookgDt><DtTm>2025-09-08T23:30:00Z</DtTm></BookgDt>{more}</Ntry>"
    )


def balance(code: str, dong: int) -> str:
    mark = "CRDT" if dong >= 0 else "DBIT"
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}<Amt Ccy='VND'>{abs(dong)}</Amt><CdtDbtInd>{mark}</CdtDbtInd></Bal>"


def stmt(entries: str, opening: int, closing: int, account: str = ACCOUNT) -> str:
    told = f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>"
    return f"<Stmt>{told}{balance('OPBD', opening)}{balance('CLBD', closing)}{entries}</Stmt>"


def document(*statements: str) -> bytes:
    return f"<Document xmlns='urn:x'><BkToCstmrStmt>{''.join(statements)}</BkToCstmrStmt></Document>".encode()


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(1, 14)])
def test_every_version_of_the_namespace_is_read(version: str) -> None:
    assert len(read_statement(bank_files.camt053(version)).lines) == 3


def test_an_entry_of_several_transactions_is_a_line_for_each() -> None:
    parts = [
        f"<Amt Ccy='VND'>{dong}</Amt><Refs><TxId>T{dong}</TxId></Refs><RmtInf><Ustrd>FW {dong}</Ustrd></RmtInf>"
        for dong in (300, 200)
    ]
    read = read_statement(document(stmt(entry(500, details(*parts)), 0, 500)))

    assert [(line.amount.dong, line.memo, line.bank_reference) for line in read.lines] == [
        (300, "FW 300", "T300"),
        (200, "FW 200", "T200"),
    ]
    assert read.lines[0].day.day == 9  # 23:30 UTC is the next morning in Viet Nam


def test_transactions_without_sums_stay_one_line_with_all_memos() -> None:
    parts = [f"<RmtInf><Ustrd>FW {name}</Ustrd></RmtInf>" for name in "ab"]
    (line,) = read_statement(document(stmt(entry(500, details(*parts)), 0, 500))).lines

    assert (line.amount, line.memo) == (Money(500), "FW a FW b")


@pytest.mark.parametrize("second", ["<Amt Ccy='VND'>199</Amt>", ""])
def test_transactions_that_do_not_make_up_their_entry_are_refused(second: str) -> None:
    with pytest.raises(StatementTotalsDiffer):
        read_statement(document(stmt(entry(500, details("<Amt Ccy='VND'>300</Amt>", second)), 0, 500)))


def test_a_reversal_goes_as_its_mark_says_and_what_is_only_announced_is_no_movement() -> None:
    reversal = entry(200, "<RvslInd>true</RvslInd>", "DBIT")
    announced = entry(999, "", status="<Sts><Cd>PDNG</Cd></Sts>")
    read = read_statement(document(stmt(entry(500, "") + reversal + announced, 0, 300)))

    assert [line.signed.dong for line in read.lines] == [500, -200]


def test_several_statements_of_one_account_are_joined_and_of_two_the_asked_one_is_taken() -> None:
    first, second = stmt(entry(500, ""), 0, 500), stmt(entry(200, ""), 500, 700)
    other = stmt(entry(1, ""), 0, 1, account="9999999999")
    read = read_statement(document(first, other, second), account=ACCOUNT)

    assert (read.opening, read.closing, [line.line for line in read.lines]) == (Money(0), Money(700), [1, 3])
    with pytest.raises(StatementUnreadable, match="2 tài khoản"):
        read_statement(document(first, other))


@pytest.mark.parametrize(
    "content",
    [
        document(stmt(entry(500, ""), 0, 499)),
        document(stmt("", 0, 1)),
        document("<Stmt/>"),
        document(),
        document(stmt(entry(500, "").replace("'VND'", "'USD'"), 0, 500)),
        document(stmt(entry(500, "").replace(">500<", ">500.5<"), 0, 500)),
        document(stmt(entry(500, "").replace(">500<", ">5e2<"), 0, 500)),
        document(stmt(entry(500, "").replace("CRDT", "CR"), 0, 500)),
        document(stmt(entry(500, "").replace("2025-09-08T23:30:00Z", "08/09/2025"), 0, 500)),
        document(stmt(entry(0, ""), 0, 0)),
    ],
)
def test_what_does_not_add_up_or_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(StatementUnreadable):
        read_statement(content)


def test_the_memo_holds_each_text_once() -> None:
    text = f"<RmtInf><Ustrd>{FIRST}</Ustrd></RmtInf>"
    read = read_statement(document(stmt(entry(500, f"{details(text)}<AddtlNtryInf>{FIRST}</AddtlNtryInf>"), 0, 500)))

    assert read.lines[0].memo == FIRST
