"""Who may do what with cash (pure): the rows of the matrix below ``/van-phong/quy``.

The cashier takes, counts, deposits and hands over; the accountant, who never keeps the cash, says which transfer of the
bank a deposit is; the approver approves what is reversed or taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.actors import Actor

_MAKERS = frozenset({Actor.ACCOUNTANT})
_CHECKERS = frozenset({Actor.APPROVER})
_CASHIER = frozenset({Actor.CASHIER})
_OFFICE_READS = _MAKERS | _CHECKERS | {Actor.AUDITOR}

CASH_ROUTES: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("GET", "/van-phong/quy"): _OFFICE_READS | _CASHIER,
        ("GET", "/van-phong/quy/hoc-sinh/{pupil_id}"): _CASHIER,
        ("POST", "/van-phong/quy/hoc-sinh/{pupil_id}"): _CASHIER,
        ("GET", "/van-phong/quy/lan/{taking_id}"): _OFFICE_READS | _CASHIER,
        ("GET", "/van-phong/quy/lan/{taking_id}/bien-lai.pdf"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/quy/lan/{taking_id}/dao"): _MAKERS | _CASHIER,
        ("POST", "/van-phong/quy/dao/{reversal_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/quy/dao/{reversal_id}/tu-choi"): _MAKERS | _CHECKERS | _CASHIER,
        ("GET", "/van-phong/quy/quyen"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/quy/quyen"): _CASHIER,
        ("GET", "/van-phong/quy/quyen/{book_id}"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/quy/quyen/{book_id}/hong"): _CASHIER,
        ("GET", "/van-phong/quy/kiem-quy"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/quy/kiem-quy"): _CASHIER,
        ("POST", "/van-phong/quy/kiem-quy/{count_id}/xac-nhan"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/quy/kiem-quy/{count_id}/khong"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/quy/nop-ngan-hang"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/quy/nop-ngan-hang"): _CASHIER,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/gan"): _MAKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/bo-gan"): _MAKERS,
        ("POST", "/van-phong/quy/nop-ngan-hang/{deposit_id}/rut-lai"): _CHECKERS,
        ("GET", "/van-phong/quy/ban-giao"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/quy/ban-giao"): _CASHIER,
        ("POST", "/van-phong/quy/ban-giao/{handover_id}/nhan"): _MAKERS | _CHECKERS | _CASHIER,
        ("POST", "/van-phong/quy/ban-giao/{handover_id}/tu-choi"): _MAKERS | _CHECKERS | _CASHIER,
        ("GET", "/van-phong/quy/ban-giao/{handover_id}/bien-ban.pdf"): _OFFICE_READS | _CASHIER,
    }
)
