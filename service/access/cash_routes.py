"""Who may do what with cash (pure): the rows of the matrix below ``/van-phong/quy``.

The cashier takes, counts, deposits and hands over; the accountant, who never keeps the cash, says which transfer of the
bank a deposit is; the approver approves what is reversed or taken back, and ends a hand-over whose people are gone.
An approver who keeps the till counts, deposits and hands over as the cashier does: who keeps it, the rows say
(``billing/cash/keeping``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.actors import Actor
from service.access.circles import CASHIER, CHECKERS, MAKERS, OFFICE_READS

CASH_ROUTES: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("GET", "/van-phong/quy"): OFFICE_READS | CASHIER,
        ("GET", "/van-phong/quy/hoc-sinh/{pupil_id}"): CASHIER,
        ("POST", "/van-phong/quy/hoc-sinh/{pupil_id}"): CASHIER,
        ("GET", "/van-phong/quy/lan/{taking_id}"): OFFICE_READS | CASHIER,
        ("GET", "/van-phong/quy/lan/{taking_id}/bien-lai.pdf"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/lan/{taking_id}/dao"): MAKERS | CASHIER,
        ("POST", "/van-phong/quy/dao/{reversal_id}/duyet"): CHECKERS,
        ("POST", "/van-phong/quy/dao/{reversal_id}/tu-choi"): MAKERS | CHECKERS | CASHIER,
        ("GET", "/van-phong/quy/quyen"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/quyen"): CASHIER,
        ("GET", "/van-phong/quy/quyen/{book_id}"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/quyen/{book_id}/hong"): CASHIER,
        ("GET", "/van-phong/quy/kiem-quy"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/kiem-quy"): CASHIER | CHECKERS,
        ("POST", "/van-phong/quy/kiem-quy/{count_id}/xac-nhan"): MAKERS | CHECKERS,
        ("POST", "/van-phong/quy/kiem-quy/{count_id}/khong"): MAKERS | CHECKERS,
        ("GET", "/van-phong/quy/nop-ngan-hang"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/nop-ngan-hang"): CASHIER | CHECKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/gan"): MAKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/bo-gan"): MAKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/rut-lai"): CHECKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/de-nghi-gan"): MAKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/gan/{tie_ask_id}/dong-y"): MAKERS | CHECKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/gan/{tie_ask_id}/khong"): MAKERS | CHECKERS,
        ("GET", "/van-phong/quy/rut-tien"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/rut-tien"): CASHIER | CHECKERS,
        ("POST", "/van-phong/quy/rut-tien/{withdrawal_id}/rut-lai"): CHECKERS,
        ("GET", "/van-phong/quy/ban-giao"): OFFICE_READS | CASHIER,
        ("POST", "/van-phong/quy/ban-giao"): CASHIER | CHECKERS,
        ("POST", "/van-phong/quy/ban-giao/{handover_id}/nhan"): CHECKERS | CASHIER,
        ("POST", "/van-phong/quy/ban-giao/{handover_id}/tu-choi"): CHECKERS | CASHIER,
        ("GET", "/van-phong/quy/ban-giao/{handover_id}/bien-ban.pdf"): OFFICE_READS | CASHIER,
    }
)
