"""What somebody who registers for notices agrees to, in dated versions (pure).

Law 91/2025/QH15: voluntary, specific, informed, never ticked beforehand. A changed wording is a new version; old ones
stay here, since the stored consents name them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["vi", "en"]

NOTICES = "notices"


@dataclass(frozen=True, slots=True)
class Wording:
    """One version of a consent: what is agreed to, and the points that a person has to know before."""

    version: str
    agree: tuple[str, str]
    points: tuple[tuple[str, str], ...]

    def digest(self) -> bytes:
        """Return the SHA-256 over every word, in both languages."""
        words = "\n".join([self.version, *self.agree, *(text for pair in self.points for text in pair)])
        return hashlib.sha256(words.encode()).digest()


NOTICES_1 = Wording(
    version="2025-10",
    agree=(
        "Tôi đồng ý để nhà trường dùng họ tên, quan hệ và cách liên lạc trên để gửi thông báo thu và biên lai của em.",
        "I agree that the school uses my name, relation and contact to send me this child's fee notices and receipts.",
    ),
    points=(
        (
            "Mục đích duy nhất: gửi thông báo thu, biên lai và mã xác nhận. Không quảng cáo, không đưa cho ai khác.",
            "Only for fee notices, receipts and one-time codes. No advertising, nothing is passed on.",
        ),
        (
            "Ai giữ: nhà trường. Số điện thoại và địa chỉ e-mail được mã hóa.",
            "Kept by the school; phone numbers and addresses are encrypted.",
        ),
        (
            "Thời gian: đến khi em rời trường hoặc khi tôi rút lại sự đồng ý.",
            "Until the child leaves the school or I withdraw.",
        ),
        (
            "Tôi có thể xem, sửa, xóa hoặc rút lại bất cứ lúc nào tại văn phòng nhà trường.",
            "I can see, correct, delete or withdraw at any time at the school's office.",
        ),
        (
            "Rút lại được cả trên trang cách tính của thông báo thu. Nhà trường trả lời trong 2 ngày làm việc.",
            "Withdrawing also works on the page that explains a notice. The school answers within 2 working days.",
        ),
        (
            "Không đăng ký thì em vẫn nhận giấy báo như trước; việc học không thay đổi.",
            "Without it the paper slip comes as before; nothing changes at school.",
        ),
    ),
)

CURRENT: Mapping[str, Wording] = {NOTICES: NOTICES_1}
VERSIONS: Mapping[str, Wording] = {each.version: each for each in (NOTICES_1,)}
