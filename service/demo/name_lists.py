"""Parts of names for invented people: of the Kinh and of the other peoples of the area (pure).

Lists are weighted by repeating: a name that stands twice is drawn twice as often.
"""

from __future__ import annotations

FAMILY = (
    *("Nguyễn",) * 26, *("Trần",) * 10, *("Lê",) * 9, *("Phạm",) * 6, *("Huỳnh",) * 5, *("Võ",) * 4, *("Phan",) * 4,
    *("Hoàng",) * 3, *("Vũ",) * 3, *("Đặng",) * 2, *("Bùi",) * 2, *("Đỗ",) * 2, *("Hồ",) * 2, *("Ngô",) * 2,
    *("Dương",) * 2, "Lý", "Đoàn", "Đinh", "Trịnh", "Mai", "Tô", "Lâm", "Hà", "Cao", "Thái", "Lưu", "Từ", "Tạ",
    "Kiều", "Quách", "Bế", "Mạc", "Âu", "Khổng", "Giáp", "Nghiêm", "Ninh", "Ứng",
)  # fmt: skip
# A second family name, from the mother: Nguyễn Lê …
SECOND_FAMILY = ("Lê", "Trần", "Phạm", "Hoàng", "Võ", "Đỗ", "Ngô", "Huỳnh", "Đặng", "Phan")

BOY_MIDDLE = (
    *("Văn",) * 6, "Minh", "Minh", "Gia", "Gia", "Đức", "Quốc", "Hữu", "Thanh", "Công", "Xuân", "Ngọc", "Tuấn", "Anh",
    "Thành", "Hoàng", "Bảo", "Khắc", "Đình", "Trọng", "Nhật", "Hải", "Thế", "Duy", "Phúc", "Chí", "Viết", "Bá",
)  # fmt: skip
GIRL_MIDDLE = (
    *("Thị",) * 8, "Ngọc", "Ngọc", "Thanh", "Kim", "Mỹ", "Bảo", "Khánh", "Phương", "Thùy", "Tuyết", "Minh", "Quỳnh",
    "Hoài", "Như", "Diễm", "Cẩm", "Yến", "Ánh", "Hồng", "Tường", "Tú", "Nhã", "Lệ", "Mộng",
)  # fmt: skip
BOY_GIVEN = (
    "An", "Ân", "Bách", "Bảo", "Bình", "Bằng", "Cảnh", "Chiến", "Cường", "Danh", "Dũng", "Duy", "Dương", "Đại", "Đạt",
    "Đăng", "Điền", "Đức", "Giáp", "Hải", "Hào", "Hậu", "Hiếu", "Hoàng", "Huy", "Hùng", "Hưng", "Hữu", "Kha", "Khải",
    "Khang", "Khánh", "Khôi", "Khương", "Kiên", "Kiệt", "Lâm", "Lễ", "Lộc", "Lợi", "Luân", "Lữ", "Mẫn", "Minh", "Mỹ",
    "Nam", "Nghĩa", "Nguyên", "Nhân", "Nhẫn", "Nhật", "Phát", "Phong", "Phú", "Phúc", "Phước", "Quân", "Quý", "Quyền",
    "Quỹ", "Rạng", "Sang", "Sáng", "Sơn", "Sỹ", "Tài", "Tâm", "Tân", "Thái", "Thắng", "Thạch", "Thiện", "Thịnh",
    "Thọ", "Thuận", "Tiến", "Tín", "Toàn", "Trí", "Triết", "Trọng", "Trung", "Trường", "Tuấn", "Tùng", "Tường", "Văn",
    "Vinh", "Vĩ", "Vũ", "Vượng", "Xuân", "Ẩn", "Bổng", "Cẩn", "Đẳng", "Hợi", "Hởi", "Khởi", "Lẫm", "Sửu", "Tỵ", "Đỉnh",
    "Khóa", "Khóa", "Sẵn", "Sẵn", "Đỡ", "Đỡ", "Kỷ", "Kỷ", "Thẳng", "Thẳng", "Cử", "Sử", "Cử",
)  # fmt: skip
GIRL_GIVEN = (
    "An", "Anh", "Anh", "Ánh", "Ái", "Bích", "Châu", "Chi", "Cúc", "Diễm", "Diệp", "Dung", "Duyên", "Đào", "Đoan",
    "Giang", "Hà", "Hạ", "Hạnh", "Hân", "Hằng", "Hậu", "Hiền", "Hoa", "Hòa", "Hồng", "Huệ", "Huyền", "Hương", "Hường",
    "Khanh", "Khuê", "Kiều", "Lam", "Lan", "Lệ", "Liên", "Linh", "Loan", "Ly", "Lý", "Mai", "Mẫn", "Mỹ", "My", "Nga",
    "Ngà", "Ngân", "Nghi", "Ngọc", "Nguyệt", "Nhã", "Nhàn", "Nhi", "Nhiên", "Nhung", "Như", "Nữ", "Oanh", "Phúc",
    "Phương", "Phượng", "Quế", "Quyên", "Quỳnh", "Sương", "Tâm", "Thảo", "Thắm", "Thi", "Thơ", "Thu", "Thủy", "Thúy",
    "Thùy", "Thư", "Thương", "Tiên", "Trà", "Trang", "Trâm", "Trân", "Trinh", "Trúc", "Tuyền", "Tuyết", "Tú", "Uyên",
    "Vân", "Vi", "Vy", "Xuyến", "Ý", "Yên", "Yến", "Bưởi", "Nhãn", "Thẻ", "Đẹp", "Hẹ", "Sẻ", "Lựu", "Mận", "Bống",
    "Sữa", "Nở", "Hiển", "Diễn", "Thỏa", "Mỵ", "Tuệ", "Thụy", "Trịnh", "Đềm",
    "Lẽ", "Lẽ", "Mè", "Mè", "Bé", "Bé",
)  # fmt: skip
LONG_NAME = "Nguyễn Phước Công Huyền Tôn Nữ Hoàng Bảo Khánh Ngọc Thương"
SIX_WORDS = "Công Tằng Tôn Nữ"

# (people, boys, girls): whole names, as the peoples of the area write them.
OTHER_PEOPLES = (
    (
        "Xtiêng",
        ("Điểu K'Rể", "Điểu Sroi", "Điểu Bầy", "Điểu Lôn", "Điểu Minh Đức", "Điểu Hoàng Sang", "Điểu Ôn"),
        ("Thị Khưi", "Thị Brang", "Thị Ngọc Hơ", "Thị Điếp", "Điểu Thị Mỹ Lệ", "Thị Rớt"),
    ),
    ("Mnông", ("K' Brềnh", "Điểu N'Đơn", "Y Xuyên", "K'Tân"), ("H' Blơm", "Thị N'Jêng", "Ka Thuyên")),
    ("Ê-đê", ("Y Bhăm Êban", "Y Wăn Niê", "Y Phôn Ksơr", "Y Thịnh Byă"), ("H' Hen Kbuôr", "H'Luyn Mlô", "H' Bŭp Ayŭn")),
    ("Gia-rai", ("Kpă Y Thiêm", "Siu Thưn", "Rơ Châm Tuân", "Ksor Hứa"), ("Kpă H'Yéo", "Rơ Mah H'Lê", "Nay H'Ngơi")),
    ("Khmer", ("Thạch Sa Mây", "Lâm Phi Rum", "Sơn Chanh Đa"),
     ("Thạch Thị Sô Phia", "Kim Thị Sa Rinh", "Danh Thị Ly Na")),
    ("Tày", ("Nông Văn Đuổn", "Bế Ích Thuần", "Hứa Văn Tẹo"), ("Nông Thị Ẻn", "La Thị Ỏn", "Bế Thị Nọi")),
    ("Nùng", ("Vi Văn Sẩn", "Lường Văn Ngẫu"), ("Lộc Thị Phẩm", "Mông Thị Xẻn")),
    ("Hoa", ("Trương Chấn Phát", "Lữ Chí Dũ"), ("Quách Mỹ Dung", "Lưu Tuệ Mẫn")),
)  # fmt: skip
FOREIGN = (("Hàn Quốc", "Kim Min-jun", "Lee Ha-eun"), ("Đài Loan (Trung Quốc)", "Chen Yu Cheng", "Lin Ya Ting"))
