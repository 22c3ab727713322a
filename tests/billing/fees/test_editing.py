"""An accountant edits the catalogue: items and their prices, with the old ones kept and the caps asked first."""

from dataclasses import replace
from datetime import UTC, date, datetime

import psycopg
import pytest
from sqlalchemy import func, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM
from billing.audit.tables import AuditDetail, AuditEntry
from billing.errors import Conflict, NotFound, OverCap, Refused
from billing.fees import tables
from billing.fees.cap_rows import load_caps, take_caps
from billing.fees.caps import Cap, Standing
from billing.fees.catalogue import shipped_rules
from billing.fees.editing import ItemChange, NewItem, add_item, change_item, end_item
from billing.fees.errors import Prohibited
from billing.fees.item_rows import find_item, live_prices
from billing.fees.items import Group, Level, PartMonth, Quantity, Span, Unit
from billing.fees.pricing import NewPrice, Priced, add_price, withdraw_price
from billing.fees.schedule import judge_schedule, read_schedule
from billing.money import Money
from billing.vault import Vault
from service.database import EVERYTHING, Database, libpq_url
from service.preparing import Addresses
from tests.factories.claims import PUBLIC_RATE, load_invented
from tests.factories.fees import OCTOBER
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import make_account, make_school, make_user
from tests.standing import standing

NOW = datetime(2025, 9, 20, tzinfo=UTC)
SEPTEMBER, NOVEMBER = date(2025, 9, 1), date(2025, 11, 1)
YEAR_END = date(2026, 5, 31)


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=0)


def a_new_item(billing: BillingSchool) -> NewItem:
    return NewItem(
        code="ngoaikhoa",
        legal_name=" Hoạt động ngoại khóa ",
        group=Group.AGREED,
        unit=Unit.MONTH,
        legal_basis="Thỏa thuận với cha mẹ học sinh",
        revenue_account="3388",
        bank_account_id=billing.account.id,
        valid_from=SEPTEMBER,
    )


def give_price(session: Session, billing: BillingSchool, code: str, dong: int, start: date, **more: object) -> Priced:
    new = NewPrice(Money(dong), start, **more)  # type: ignore[arg-type]  # a test's short hand
    return add_price(session, billing.school, code, new, billing.accountant, NOW)


def prices(session: Session, billing: BillingSchool, code: str) -> list[tuple[int, str, str]]:
    rows = live_prices(session, find_item(session, billing.id, code))
    return [
        (row.amount.dong, f"{row.valid_from:%d/%m}", f"{row.valid_to:%d/%m}" if row.valid_to else "") for row in rows
    ]


def test_an_item_is_added_with_its_deed(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        row = add_item(session, billing.school, a_new_item(billing), billing.accountant, NOW)
        assert (row.code, row.legal_name, row.payer) == ("NGOAIKHOA", "Hoạt động ngoại khóa", "family")
        deed = session.exec(select(AuditEntry).where(AuditEntry.action == "fees.add_item")).one()
        assert (deed.actor_id, deed.object_id) == (billing.accountant.user_id, str(row.id))


def test_what_may_not_be_added_is_refused_by_name(database: Database, billing: BillingSchool) -> None:
    new = a_new_item(billing)
    with database.transaction(EVERYTHING) as session:
        stranger = make_account(session, make_school(session))

        def refused(error: type[Exception], words: str, item: NewItem) -> None:
            with pytest.raises(error, match=words):
                add_item(session, billing.school, item, billing.accountant, NOW)

        refused(Conflict, "đã có khoản thu mã NUOCUONG", replace(new, code="NuocUong"))
        refused(Prohibited, "55/2011/TT-BGDĐT", replace(new, legal_name="Tiền gửi xe"))
        refused(Prohibited, "29/2024/TT-BGDĐT", replace(new, legal_name="Dạy thêm buổi chiều"))
        refused(NotFound, "không có tài khoản ngân hàng này", replace(new, bank_account_id=stranger.id))
        refused(Refused, "không ghi khoản thu được", replace(new, revenue_account="131"))
        refused(Refused, "chưa có tài khoản kế toán", replace(new, revenue_account=" "))
        refused(Refused, "thiếu: legal_basis", replace(new, legal_basis=" "))
        for code in ("T/5", "A?X", "..", "", "A B", "NGOẠIKHÓA", "A\nB", "X" * 41):
            refused(Refused, "Mã khoản thu", replace(new, code=code))
        for account in ("112KB", "1121", "131N", "3383", "3387.531", "3388H", "3388N", "348", "811N", "642"):
            refused(Refused, "không ghi khoản thu được", replace(new, revenue_account=account))
        refused(Refused, "chỉ gồm chữ số", replace(new, revenue_account="\u0665\u0663\u0661"))
        refused(Refused, "không nhìn thấy", replace(new, legal_name="Nước\u200buống"))
        assert find_item(session, billing.id, "NUOCUONG").code == "NUOCUONG"
        with pytest.raises(NotFound):
            find_item(session, billing.id, "NGOAIKHOA")


def test_a_name_is_one_line_and_a_change_keeps_to_the_same_rules(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        new = replace(
            a_new_item(billing), code=" đ.ngoai_1 ", legal_name="Hoạt động\n ngoại khóa", revenue_account="531.NK"
        )
        row = add_item(session, billing.school, new, billing.accountant, NOW)
        assert (row.code, row.legal_name, row.revenue_account) == ("Đ.NGOAI_1", "Hoạt động ngoại khóa", "531.NK")
        with pytest.raises(Refused, match="không ghi khoản thu được"):
            change_item(session, billing.school, row.code, ItemChange(revenue_account="3388N"), billing.accountant, NOW)
        name = ItemChange(legal_name="Ngoại\tkhóa")
        assert change_item(session, billing.school, row.code, name, billing.accountant, NOW).legal_name == "Ngoại khóa"


@pytest.mark.parametrize("column", ["code", "revenue_account"])
def test_the_database_refuses_what_no_item_may_be(database: Database, billing: BillingSchool, column: str) -> None:
    wrong = {
        "code": ["A/B", "..", "", "a", "A B"],
        "revenue_account": ["112KB", "131", "3388N", "3387.", "642", "\u0665"],
    }
    right = {"code": ["A-3T", "Đ.1_A"], "revenue_account": ["531", "5311.NK", "3381", "3387.531", "348", "711"]}
    copy = text(
        "INSERT INTO fee_items SELECT (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid(), 'code',"
        " 'NEW', CAST(:column AS text), CAST(:value AS text)))).* FROM fee_items i"
        " WHERE school_id = :school AND code = 'NUOCUONG'"
    )
    for value in wrong[column]:
        with pytest.raises(IntegrityError, match=r"item|charge"), database.transaction(EVERYTHING) as session:
            session.execute(copy, {"column": column, "value": value, "school": billing.id})
    for value in right[column]:
        with database.transaction(EVERYTHING) as session:
            before = session.exec(select(func.count()).select_from(tables.FeeItem)).one()
            session.execute(copy, {"column": column, "value": value, "school": billing.id})
            assert session.exec(select(func.count()).select_from(tables.FeeItem)).one() == before + 1
            session.rollback()


def test_an_item_booked_oddly_before_may_change_in_everything_else(
    database: Database, billing: BillingSchool, addresses: Addresses
) -> None:
    with psycopg.connect(libpq_url(addresses.owner)) as owner:
        owner.execute("SELECT set_config('app.schools', '*', false)")
        whose = "(SELECT tableowner FROM pg_tables WHERE tablename = 'fee_items')"
        owner.execute(f"SELECT set_config('role', {whose}, true)".encode())
        owner.execute("ALTER TABLE fee_items DISABLE TRIGGER sound")
        owner.execute("UPDATE fee_items SET revenue_account = '3388X', code = 'A/B' WHERE code = 'NUOCUONG'")
        owner.execute("ALTER TABLE fee_items ENABLE TRIGGER sound")
    with database.transaction(EVERYTHING) as session:
        change = ItemChange(legal_name="Nước", revenue_account="3388X")
        assert change_item(session, billing.school, "A/B", change, billing.accountant, NOW).legal_name == "Nước"
        end_item(session, billing.school, "A/B", YEAR_END, billing.accountant, NOW)


def test_a_private_school_may_offer_extra_lessons(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        private = make_billing_school(session, vault, pupils=0, catalogue="private-school")
        new = replace(a_new_item(private), legal_name="Học thêm buổi chiều", revenue_account="5113")
        assert add_item(session, private.school, new, private.accountant, NOW).code == "NGOAIKHOA"


def test_name_basis_and_accounts_change_and_the_deed_says_from_what(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        second = make_account(session, billing.school)
        change = ItemChange(legal_name="Nước uống học sinh", bank_account_id=second.id)
        row = change_item(session, billing.school, "NUOCUONG", change, billing.accountant, NOW)
        assert (row.legal_name, row.bank_account_id) == ("Nước uống học sinh", second.id)
        details = session.exec(select(AuditDetail).order_by(col(AuditDetail.audit_id).desc())).first()
        assert details is not None
        assert details.details["changed"]["legal_name"] == ["Tiền nước uống", "Nước uống học sinh"]
        assert "legal_basis" not in details.details["changed"]
        deeds = len(session.exec(select(AuditEntry)).all())
        change_item(session, billing.school, "NUOCUONG", change, billing.accountant, NOW)
        assert len(session.exec(select(AuditEntry)).all()) == deeds


def test_a_refused_change_changes_nothing(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(Prohibited):
            change_item(session, billing.school, "NUOCUONG", ItemChange("Vệ sinh lớp học"), billing.accountant, NOW)
        session.flush()
        assert find_item(session, billing.id, "NUOCUONG").legal_name == "Tiền nước uống"


def test_a_new_price_ends_the_old_one_the_day_before(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        done = give_price(session, billing, "NUOCUONG", 12_000, NOVEMBER)
        assert done.replaced is not None
        assert prices(session, billing, "NUOCUONG") == [(10_000, "01/09", "31/10"), (12_000, "01/11", "31/05")]
        (verdict,) = done.verdicts
        assert verdict.needs_yes  # drinking water has no cap


def test_a_price_replaced_from_its_first_day_is_kept_as_withdrawn(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        done = give_price(session, billing, "NUOCUONG", 12_000, SEPTEMBER)
        assert done.replaced is not None
        assert (done.replaced.withdrawn_at, done.replaced.valid_to) == (NOW, YEAR_END)
        assert prices(session, billing, "NUOCUONG") == [(12_000, "01/09", "31/05")]


def test_a_price_for_one_month_lets_the_old_one_resume(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        done = give_price(session, billing, "NUOCUONG", 5_000, NOVEMBER, valid_to=date(2025, 11, 30))
        assert done.resumed is not None
        assert prices(session, billing, "NUOCUONG") == [
            (10_000, "01/09", "31/10"),
            (5_000, "01/11", "30/11"),
            (10_000, "01/12", "31/05"),
        ]


def test_a_price_before_another_ends_where_that_one_begins(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        give_price(session, billing, "NUOCUONG", 9_000, date(2024, 9, 1))
        assert prices(session, billing, "NUOCUONG")[0] == (9_000, "01/09", "31/08")
        with pytest.raises(Refused, match="Đã có đơn giá từ 01/09/2025"):
            give_price(session, billing, "NUOCUONG", 9_000, date(2025, 3, 1), valid_to=YEAR_END)


def test_a_price_above_the_cap_is_refused_with_its_article_and_changes_nothing(
    database: Database, billing: BillingSchool
) -> None:
    with database.transaction(EVERYTHING) as session:
        before = prices(session, billing, "BANTRU")
        with pytest.raises(OverCap, match=r"vượt mức trần 300\.000 đ theo Nghị quyết 08/2025"):
            give_price(session, billing, "BANTRU", 300_001, NOVEMBER)
        assert prices(session, billing, "BANTRU") == before


def test_a_price_for_the_year_is_refused_today_for_a_cap_that_falls_in_january(
    database: Database, billing: BillingSchool
) -> None:
    """Entered in November it looked well and stopped the round of January; now it is told with the day."""
    january = date(2026, 1, 1)
    held = Cap("NUOCUONG", Level.PRIMARY, "", "", Unit.MONTH, Money(15_000), "Nghị quyết cũ", Span(SEPTEMBER))
    falls = replace(held, max_amount=Money(12_000), valid=Span(january), legal_basis="Nghị quyết mới")
    with database.transaction(EVERYTHING) as session:
        for each in (held, falls):
            take_caps(session, billing.school.province_id, [each], SYSTEM, NOW)
        with pytest.raises(OverCap, match=r"12\.000 đ theo Nghị quyết mới từ 01/01/2026.*kết thúc trước ngày đó"):
            give_price(session, billing, "NUOCUONG", 14_000, NOVEMBER)
        until = give_price(session, billing, "NUOCUONG", 14_000, NOVEMBER, valid_to=date(2025, 12, 31))
        assert [each.cap.max_amount for each in until.verdicts if each.cap] == [Money(15_000)]
        after = give_price(session, billing, "NUOCUONG", 12_000, january)
        assert [each.cap.max_amount for each in after.verdicts if each.cap] == [Money(12_000)]
        whole = give_price(session, billing, "NUOCUONG", 11_000, NOVEMBER, valid_to=date(2025, 12, 31))
        assert [each.standing for each in whole.verdicts] == [Standing.WITHIN]


def test_tuition_of_a_public_school_is_judged_in_every_month_of_its_price(
    database: Database, billing: BillingSchool
) -> None:
    """The State pays nine months: a price that goes on into June is told so today, not by the round of June."""
    with database.transaction(EVERYTHING) as session:
        load_invented(session, billing.school.province_id)
        tuition = replace(a_new_item(billing), code="HOCPHI", legal_name="Học phí", group=Group.TUITION)
        add_item(session, billing.school, replace(tuition, revenue_account="5312"), billing.accountant, NOW)
        january = date(2026, 1, 1)
        with pytest.raises(Refused, match=r"tháng 06/2026.*kết thúc vào tháng 5"):
            give_price(session, billing, "HOCPHI", PUBLIC_RATE.dong, january, valid_to=date(2026, 6, 30))
        assert (
            give_price(session, billing, "HOCPHI", PUBLIC_RATE.dong, january, valid_to=YEAR_END).price.valid_to
            == YEAR_END
        )


def test_a_rise_above_the_councils_share_is_refused_against_last_years_price(database: Database) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session, area="ho_chi_minh")
        accountant = make_user(session, school, "accountant")
        city = BillingSchool(school, make_account(session, school), accountant, accountant)
        load_caps(session, school.province_id, shipped_rules().caps)
        new = replace(a_new_item(city), code="BANTRU", group=Group.SERVICE, revenue_account="531")
        add_item(session, school, new, accountant, NOW)
        last_year = give_price(session, city, "BANTRU", 250_000, date(2024, 9, 1), valid_to=date(2025, 5, 31))
        assert all(verdict.needs_yes for verdict in last_year.verdicts)  # no cap is known for that year
        with pytest.raises(OverCap, match=r"tăng từ 250\.000 đ lên 287\.501 đ, quá 15 %.*18/2025"):
            give_price(session, city, "BANTRU", 287_501, SEPTEMBER, valid_to=YEAR_END)
        give_price(session, city, "BANTRU", 287_500, SEPTEMBER, valid_to=YEAR_END)
        verdicts = judge_schedule(session, school, read_schedule(session, school, OCTOBER), OCTOBER)
        assert [verdict.needs_yes for verdict in verdicts] == [False]


def test_whole_months_only_except_for_meals(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(Refused, match="ngày đầu tháng"):
            give_price(session, billing, "NUOCUONG", 12_000, date(2025, 11, 10))
        give_price(session, billing, "TIENAN", 35_000, date(2025, 11, 10))
        assert prices(session, billing, "TIENAN") == [(32_000, "01/09", "09/11"), (35_000, "10/11", "31/05")]


def test_a_second_price_for_some_of_the_same_pupils_is_refused(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        with pytest.raises(Refused, match=r"đã có đơn giá 10\.000 đ cho một phần các học sinh này từ 01/11/2025"):
            give_price(session, billing, "NUOCUONG", 12_000, NOVEMBER, grades=frozenset({1}))
        add_item(session, billing.school, a_new_item(billing), billing.accountant, NOW)
        for grade, dong in ((1, 10_000), (2, 12_000)):
            give_price(session, billing, "NGOAIKHOA", dong, SEPTEMBER, valid_to=YEAR_END, grades=frozenset({grade}))
        give_price(session, billing, "NGOAIKHOA", 15_000, NOVEMBER, grades=frozenset({2}))
        assert [amount for amount, *_ in prices(session, billing, "NGOAIKHOA")] == [10_000, 12_000, 15_000]


def test_a_price_keeps_all_that_was_entered(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        private = make_billing_school(session, vault, pupils=0, catalogue="private-school")
        more = {
            "part_month": PartMonth.HALF,
            "levels": frozenset({Level.PRIMARY}),
            "classes": frozenset({"1A"}),
            "quantity": Quantity.REGISTERED,
        }
        withdrawn = live_prices(session, find_item(session, private.id, "XEDUARUOC"))[0]
        withdraw_price(session, private.school, withdrawn.id or 0, private.accountant, NOW, "Nhập nhầm")
        give_price(session, private, "XEDUARUOC", 900_000, SEPTEMBER, **more)
        (bus,) = [
            each for each in read_schedule(session, private.school, OCTOBER).prices if each.item.code == "XEDUARUOC"
        ]
        assert {name: getattr(bus, name) for name in more} == more
        assert bus.valid == Span(SEPTEMBER)


def test_lowered_and_raised_again_leaves_no_trace_in_what_is_charged(
    database: Database, billing: BillingSchool
) -> None:
    with database.transaction(EVERYTHING) as session:
        before = read_schedule(session, billing.school, OCTOBER)
        give_price(session, billing, "BANTRU", 200_000, date(2025, 10, 1))
        give_price(session, billing, "BANTRU", 300_000, date(2025, 10, 1))
        after = read_schedule(session, billing.school, OCTOBER)
        cut = Span(date(2025, 10, 1), YEAR_END)
        assert {(each.item.code, each.amount) for each in after.prices} == {
            (each.item.code, each.amount) for each in before.prices
        }
        assert [each.valid for each in after.prices if each.item.code == "BANTRU"] == [cut]
        assert len(session.exec(select(tables.FeePrice)).all()) == len(before.prices) + 2


def test_an_item_ends_with_its_prices(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        give_price(session, billing, "NUOCUONG", 12_000, date(2026, 1, 1))
        with pytest.raises(Refused, match="ngày đầu tháng đến ngày cuối tháng"):
            end_item(session, billing.school, "NUOCUONG", date(2025, 11, 15), billing.accountant, NOW)
        row = end_item(
            session, billing.school, "NUOCUONG", date(2025, 11, 30), billing.accountant, NOW, "Cha mẹ không đồng ý"
        )
        assert row.valid_to == date(2025, 11, 30)
        assert prices(session, billing, "NUOCUONG") == [(10_000, "01/09", "30/11")]
        with pytest.raises(Refused, match="đã dừng sau ngày 30/11/2025"):
            give_price(session, billing, "NUOCUONG", 12_000, date(2026, 1, 1))
        with pytest.raises(Refused, match="không thể dừng trước đó"):
            end_item(session, billing.school, "BANTRU", date(2025, 8, 31), billing.accountant, NOW)


def test_a_price_taken_back_needs_a_reason_and_is_gone_once(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        (row,) = live_prices(session, find_item(session, billing.id, "NUOCUONG"))
        assert row.id is not None
        with pytest.raises(Refused, match="lý do"):
            withdraw_price(session, billing.school, row.id, billing.accountant, NOW, " ")
        withdraw_price(session, billing.school, row.id, billing.accountant, NOW, "Nhập nhầm")
        assert prices(session, billing, "NUOCUONG") == []
        with pytest.raises(NotFound):
            withdraw_price(session, billing.school, row.id, billing.accountant, NOW, "Nhập nhầm")
