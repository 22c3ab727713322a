"""The part of the sample desk that answers the pages of card payments."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime

from billing.money import Money
from reconciliation.cards.outcomes import Returned
from service.access import links
from service.access.roles import Place, SignedIn
from service.pages.card_views import (
    ActRow,
    Asked,
    BalanceRow,
    CardOffer,
    CardOrder,
    CardPage,
    DisputeRow,
    MovementRow,
    PaidFor,
    PartChoice,
    PaymentRow,
    PayoutRow,
    RefundRow,
    SwitchRow,
    TiedRow,
    TransferChoice,
    UnheardRow,
)
from tests.service.pages.samples import TOKEN

DAY = date(2025, 10, 6)
AT = datetime(2025, 10, 6, 2, 0, tzinfo=UTC)
MINE = Asked(str(uuid.UUID(int=1401)), "Trần Thị Thu", AT, "Gia đình nộp nhầm hai lần", mine=True)
THEIRS = Asked(str(uuid.UUID(int=1402)), "Lê Văn Bình", AT, "Quyết định 12/QĐ-THTL", mine=False)
LAN = PaidFor("Nguyễn Thị Lan", "3A", (("2025-000017 (2025-10)", Money(4_000_000)),), Money(650_000))
AN = PaidFor("Lò Văn An", "", (), Money(0))
BEHIND = PaymentRow(str(uuid.UUID(int=12)), "FW9876543CD", DAY, Money(650_000), Money(450_000), Money(0), booked=False,
                    disputed=False, about=AN)  # fmt: skip
PAGE = CardPage(
    switches=(
        SwitchRow(account_id=str(uuid.UUID(int=1)), account="Vietcombank ••••8901", on=True, hooks=True, api=True,
                  asked=None, asked_on=False),
        SwitchRow(account_id=str(uuid.UUID(int=2)), account="BIDV ••••0101", on=False, hooks=False, api=False,
                  asked=THEIRS, asked_on=True),
        SwitchRow(account_id=str(uuid.UUID(int=3)), account="Agribank ••••5550", on=True, hooks=True, api=False,
                  asked=None, asked_on=False),
    ),
    payments=(
        PaymentRow(str(uuid.UUID(int=11)), "FW2345678AB", DAY, Money(4_650_000), Money(4_650_000), Money(4_650_000),
                   booked=True, disputed=False, about=LAN),
        BEHIND,
        PaymentRow(str(uuid.UUID(int=13)), "FW5556667EG", DAY, Money(650_000), Money(0), Money(0), booked=True,
                   disputed=True, about=AN),
    ),
    refunds=(
        RefundRow("FW9876543CD", Money(200_000), "done", "", MINE, AN),
        RefundRow("FW2345678AB", Money(100_000), "asked", "", THEIRS, LAN),
        RefundRow("FW2345678AB", Money(100_000), "refused", "Nhà cung cấp thẻ từ chối (charge_disputed).", MINE, LAN),
    ),
    disputes=(
        DisputeRow("dp_1", "FW5556667EG", Money(650_000), "needs_response", "fraudulent", AT),
        DisputeRow("dp_2", "FW2345678AB", Money(650_000), "won", "product_not_received", None),
    ),
    payouts=(
        PayoutRow("po_00000000000000000017", Money(5_120_400), DAY,
                  (TransferChoice(str(uuid.UUID(int=21)), DAY, "STRIPE PAYMENTS UK LTD PAYOUT 5120400", named=True),
                   TransferChoice(str(uuid.UUID(int=22)), DAY, "", named=False))),
        PayoutRow("po_00000000000000000018", Money(12_000_000), DAY, ()),
    ),
    parts=(
        PartChoice(str(uuid.UUID(int=23)), Money(7_000_000), DAY, "STRIPE PAYMENTS UK LTD PAYOUT 1/2"),
        PartChoice(str(uuid.UUID(int=24)), Money(5_000_000), DAY, ""),
    ),
    in_transit=Money(17_120_400),
    unbooked=(BEHIND,),
    unheard=(UnheardRow("cs_test_0007", Money(650_000), AT, AN),),
    tied=(TiedRow("po_00000000000000000016", Money(3_000_000), DAY, "STRIPE PAYOUT", by_rule=True),),
    acts=(
        ActRow("untie", "po_00000000000000000015", Money(2_000_000), "05/10/2025 · STRIPE PAYOUT", THEIRS),
        ActRow("explain", "txn_1", Money(-7_000), "adjustment Correction", MINE),
        ActRow("tie_several", "", Money(9_000_000),
               "po_00000000000000000011: 9.000.000 đ = 05/10/2025 · STRIPE PAYOUT 1/2: 5.000.000 đ + "
               "06/10/2025 · STRIPE PAYOUT 2/2: 4.000.000 đ", THEIRS),
        ActRow("end_page", "cs_test_0006", Money(650_000), "", THEIRS),
        ActRow("opening", "", Money(300_000), "BIDV ••••0101", THEIRS),
    ),
    movements=(
        MovementRow("txn_2", Money(-9_000), DAY, "adjustment"),
        MovementRow("txn_3", Money(500_000), DAY, "topup"),
        MovementRow("txn_4", Money(800_000), DAY, "topup", ours=True),
    ),
    balances=(
        BalanceRow(str(uuid.UUID(int=1)), "Vietcombank ••••8901", AT, Money(17_000_400), Money(-120_000)),
        BalanceRow(str(uuid.UUID(int=3)), "Agribank ••••5550", AT, Money(0), Money(0)),
    ),
    older=17,
)  # fmt: skip


class SampleCards:
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def card_offer(self, link_digest: bytes, token: str, now: datetime) -> CardOffer | None:
        del now
        if link_digest != links.digest(TOKEN):
            return None
        return CardOffer(
            token, "Trường Tiểu học Tân Lập", "N. T. M. Ánh", "Thông báo thu tháng 10/2025", Money(650_000)
        )

    def card_returned(self, link_digest: bytes, now: datetime) -> Returned:
        del link_digest, now
        return Returned.WAITING

    def begin_card(self, link_digest: bytes, now: datetime) -> CardOrder | None:
        if link_digest != links.digest(TOKEN):
            return None
        self.done.append(("card", "begun"))
        return CardOrder(uuid.UUID(int=31), uuid.UUID(int=32), uuid.UUID(int=33), Money(650_000), "Học phí FW", now)

    def cards(self, who: SignedIn, place: Place, before: int, now: datetime) -> CardPage:
        del who, place, before, now
        return PAGE

    def ask_card_switch(  # noqa: PLR0913  as the desk promises
        self, who: SignedIn, place: Place, account_id: uuid.UUID, reason: str, now: datetime, *, turn_on: bool
    ) -> None:
        del who, place, now
        self.done.append(("card switch", f"{account_id} {reason} {turn_on}"))

    def decide_card_switch(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, switch_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        del who, place, now
        self.done.append(("card switch decided", f"{switch_id} {reason} {approved}"))

    def ask_card_refund(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, checkout_id: uuid.UUID, amount: str, reason: str, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("card refund", f"{checkout_id} {amount} {reason}"))

    def decide_card_refund(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, refund_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        del who, place, now
        self.done.append(("card refund decided", f"{refund_id} {reason} {approved}"))

    def tie_card_payout(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, payout_id: str, transfer_id: str, reason: str, now: datetime
    ) -> bool:
        del who, place, now
        self.done.append(("card payout", f"{payout_id} {transfer_id} {reason}"))
        return not reason

    def ask_card_untie(self, who: SignedIn, place: Place, payout_id: str, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("card untie", f"{payout_id} {reason}"))

    def ask_card_explain(self, who: SignedIn, place: Place, movement_id: str, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("card explain", f"{movement_id} {reason}"))

    def ask_card_top_up(self, who: SignedIn, place: Place, movement_id: str, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("card top-up", f"{movement_id} {reason}"))

    def ask_card_opening(self, who: SignedIn, place: Place, account_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("card opening", f"{account_id} {reason}"))

    def ask_card_several(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, payouts: Sequence[str], transfers: Sequence[str], reason: str, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("card several", f"{list(payouts)} {list(transfers)} {reason}"))

    def ask_card_page_end(self, who: SignedIn, place: Place, page_id: str, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("card page", f"{page_id} {reason}"))

    def cards_in_menu(self, place: Place, now: datetime) -> int:
        del place, now
        return 3

    def decide_card_act(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, act_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        del who, place, now
        self.done.append(("card act decided", f"{act_id} {reason} {approved}"))
