"""Who may do what in the people's queue (pure): the rows of the matrix below ``/van-phong/cho-xu-ly``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.actors import Actor
from service.access.circles import CHECKERS, MAKERS, OFFICE_READS

QUEUE_ROUTES: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("GET", "/van-phong/cho-xu-ly"): OFFICE_READS,
        ("GET", "/van-phong/cho-xu-ly/da-ghi"): OFFICE_READS,
        ("GET", "/van-phong/cho-xu-ly/viec"): OFFICE_READS,
        ("POST", "/van-phong/cho-xu-ly/viec/{act_id}/dong-y"): CHECKERS,
        ("POST", "/van-phong/cho-xu-ly/viec/{act_id}/khong"): MAKERS | CHECKERS,
        ("GET", "/van-phong/cho-xu-ly/nhieu"): MAKERS,
        ("POST", "/van-phong/cho-xu-ly/nhieu"): MAKERS,
        ("GET", "/van-phong/cho-xu-ly/nhieu/mot"): MAKERS,
        ("POST", "/van-phong/cho-xu-ly/nhieu/mot"): MAKERS,
        ("GET", "/van-phong/cho-xu-ly/gd/{transfer_id}"): OFFICE_READS,
        ("GET", "/van-phong/cho-xu-ly/gd/{transfer_id}/tim"): OFFICE_READS,
        ("GET", "/van-phong/cho-xu-ly/gd/{transfer_id}/bang.xlsx"): MAKERS,
        ("GET", "/van-phong/cho-xu-ly/gd/{transfer_id}/xem"): MAKERS,
        ("POST", "/van-phong/cho-xu-ly/gd/{transfer_id}/xem"): MAKERS,
        ("POST", "/van-phong/cho-xu-ly/gd/{transfer_id}/ghi"): MAKERS,
        ("POST", "/van-phong/cho-xu-ly/gd/{transfer_id}/ghi-chu"): MAKERS | CHECKERS,
        ("POST", "/van-phong/cho-xu-ly/gd/{transfer_id}/thu-lai"): MAKERS,
        ("POST", "/van-phong/cho-xu-ly/gd/{transfer_id}/go"): MAKERS,
        ("GET", "/van-phong/cho-xu-ly/goi-y"): OFFICE_READS,
        ("POST", "/van-phong/cho-xu-ly/goi-y"): CHECKERS,
    }
)
