"""Whose account it is: only a person's own may be remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.payers import PayerKind, kind_of_payer

PERSONS = [
    "NGUYEN VAN AN", "Trương Thị Hoa", "PHAM QUY", "Hoàng Văn Hội", "DIEU K RE", "Y THI", "TRAN THI THU TRANG",
]  # fmt: skip
COMPANIES = [
    "CONG TY TNHH HOA SEN", "Cty CP Minh Khoi", "CT TNHH VINH PHONG", "HO KINH DOANH NGUYEN VAN AN", "DNTN LAN ANH",
    "Trường THCS Tân Phú", "TRUONG TIEU HOC AN BINH", "HTX RAU SACH", "NGUYEN VAN AN 99", "LOTUS CO LTD",
]  # fmt: skip
WALLETS = ["CONG TY CO PHAN DICH VU DI DONG TRUC TUYEN MOMO", "ZALOPAY", "VNPAY", "ZION JSC", "VIETTEL MONEY"]


@pytest.mark.parametrize("name", PERSONS)
def test_a_persons_own_account(name: str) -> None:
    assert kind_of_payer(name, "0161000879000", "hoc phi") == "person"


@pytest.mark.parametrize("name", COMPANIES)
def test_a_company_or_body(name: str) -> None:
    assert kind_of_payer(name, "0161000879000", "hoc phi") == "company"


def test_a_fund_is_told_from_a_given_name_and_a_doubtful_name_is_not_remembered() -> None:
    assert kind_of_payer("QUY HO TRO HOC SINH", "0161000879000", "") == "company"
    assert kind_of_payer("LE CONG TY", "0161000879000", "") == "company", "a forgotten person costs less than a firm"


@pytest.mark.parametrize("name", WALLETS)
def test_a_wallet(name: str) -> None:
    assert kind_of_payer(name, "0161000879000", "hoc phi") == "wallet"


@pytest.mark.parametrize("name", ["WESTERN UNION", "Wise", "SACOMREX", "CTY KIEU HOI DONG A"])
def test_a_remittance_firm(name: str) -> None:
    assert kind_of_payer(name, "0161000879000", "hoc phi") == "remittance"


@pytest.mark.parametrize(
    "memo",
    [
        "103968932085-HP-CHUYEN TIEN-OQCH0002sFyH-MOMO103968932085MOMO",
        "MoMoT0900000605T28994691053T970416Thoc phi GD 252995-091922 15:46:22",
        "PARTNER.DIRECT_DEBITS_VCB.ZLP.ZP6R34H953F5.20240901.hoc phi",
        "PARTNER.DIRECT_DEBITS_VCB.MSE.12345678.20250910.12345678-0900000605-hoc phi",
    ],
)
def test_a_wallets_trace_in_the_memo_outweighs_a_persons_name(memo: str) -> None:
    assert kind_of_payer("NGUYEN VAN AN", "0161000879000", memo) == "wallet"


@pytest.mark.parametrize(
    ("name", "account"),
    [
        (None, "0161000879000"),
        ("NGUYEN VAN AN", None),
        ("NGUYEN", "0161000879000"),
        ("JOHN SMITH", "0161000879000"),
        ("HOA SEN", "1"),
    ],
)
def test_what_cannot_be_told_is_not_remembered_either(name: str | None, account: str | None) -> None:
    assert kind_of_payer(name, account, "hoc phi") == "unknown"


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from([*COMPANIES, *WALLETS]))
def test_nothing_written_around_it_makes_a_company_a_person(before: str, memo: str, company: str) -> None:
    assert kind_of_payer(f"{before} {company}", "0161000879000", memo) in {"company", "wallet", "remittance"}


@given(st.one_of(st.none(), st.text(max_size=60)), st.one_of(st.none(), st.text(max_size=20)), st.text(max_size=150))
def test_every_payer_is_of_one_kind(name: str | None, account: str | None, memo: str) -> None:
    assert kind_of_payer(name, account, memo) in set(PayerKind)
