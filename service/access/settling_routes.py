"""Who may do what where money arrives short or a bank takes it back (pure): rows of the matrix in ``roles.py``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.actors import Actor
from service.access.circles import CHECKERS, MAKERS, OFFICE_READS

SETTLING_ROUTES: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("POST", "/van-phong/tien-ra/{transfer_id}/thu-hoi"): MAKERS,
        ("POST", "/van-phong/tien-ra/thu-hoi/{reversal_id}/duyet"): CHECKERS,
        ("POST", "/van-phong/tien-ra/thu-hoi/{reversal_id}/tu-choi"): MAKERS | CHECKERS,
        ("GET", "/van-phong/thieu-phi"): OFFICE_READS,
        ("POST", "/van-phong/thieu-phi"): MAKERS,
        ("POST", "/van-phong/thieu-phi/{relief_id}/duyet"): CHECKERS,
        ("POST", "/van-phong/thieu-phi/{relief_id}/huy"): MAKERS | CHECKERS,
        ("POST", "/van-phong/thieu-phi/han-muc"): MAKERS,
        ("POST", "/van-phong/thieu-phi/han-muc/{limit_id}/duyet"): CHECKERS,
        ("POST", "/van-phong/thieu-phi/han-muc/{limit_id}/tu-choi"): MAKERS | CHECKERS,
    }
)
