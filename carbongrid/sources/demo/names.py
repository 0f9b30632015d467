"""Invented names and codes: no province has the number 09, so nobody can take the city for a real one."""

from __future__ import annotations

from dataclasses import dataclass

from carbongrid.sources.demo.draws import Draws
from carbongrid.sources.demo.landscape import Towns

CITY_CODE = "0901"

_FIRST = (
    ("云荷", "Yunhe"), ("芦汀", "Luting"), ("星榆", "Xingyu"), ("鹤鸣", "Heming"), ("枫眠", "Fengmian"), ("霜桥", "Shuangqiao"),
    ("青荇", "Qingxing"), ("墨池", "Mochi"), ("竹隐", "Zhuyin"), ("桐影", "Tongying"), ("白蘋", "Baiping"), ("晴川", "Qingchuan"),
    ("燕归", "Yangui"), ("柳眉", "Liumei"), ("石磬", "Shiqing"), ("兰皋", "Langao"), ("杏烟", "Xingyan"), ("梧月", "Wuyue"),
    ("茶垄", "Chalong"), ("稻香", "Daoxiang"), ("菱歌", "Lingge"), ("松涛", "Songtao"), ("萤窗", "Yingchuang"), ("桑陌", "Sangmo"),
)  # fmt: skip
_SECOND = (
    ("浦", "pu"), ("渡", "du"), ("墩", "dun"), ("湾", "wan"), ("塘", "tang"), ("圩", "wei"), ("溪", "xi"), ("洲", "zhou"),
)  # fmt: skip
_DISTRICTS = (
    ("中阙区", "Zhongque District"), ("澄漪区", "Chengyi District"), ("望霁区", "Wangji District"), ("云汐区", "Yunxi District"),
    ("沧葭市", "Cangjia City"), ("栖桐市", "Qitong City"), ("汀兰市", "Tinglan City"), ("砚湖区", "Yanhu District"),
    ("霞屿市", "Xiayu City"), ("麓泉区", "Luquan District"),
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Codes and names of townships and districts, each a list in the order of its index.

    Parameters
    ----------
    code, name_zh, name_en
        Of the townships; a code has nine digits.
    district_code, district_zh, district_en
        Of the districts; a code has six digits.
    """

    code: list[str]
    name_zh: list[str]
    name_en: list[str]
    district_code: list[str]
    district_zh: list[str]
    district_en: list[str]


def name_places(towns: Towns, seed: int) -> Names:
    """Return a unique name and code for every township and district."""
    pairs = [(f"{a}{b}", f"{c}{d}") for a, c in _FIRST for b, d in _SECOND]
    order = Draws(seed, "names").order(len(pairs))
    districts = int(towns.district.max()) + 1
    district_code = [f"{CITY_CODE}{number + 2:02d}" for number in range(districts)]
    from_main = (towns.x - towns.x[0]) ** 2 + (towns.y - towns.y[0]) ** 2
    code, name_zh, name_en = [], [], []
    serial: dict[tuple[int, bool], int] = {}
    for town in range(towns.x.size):
        district = int(towns.district[town])
        urban = bool(towns.seat[town] or from_main[town] < int(towns.radius[0]) ** 2)
        number = serial.get((district, urban), 0) + 1
        serial[district, urban] = number
        zh, en = pairs[int(order[town])]
        # Subdistricts are numbered from 001, towns from 100, as in the national code.
        code.append(f"{district_code[district]}{number if urban else 99 + number:03d}")
        name_zh.append(zh + ("街道" if urban else "镇"))
        name_en.append(f"{en} {'Subdistrict' if urban else 'Town'}")
    chosen = _DISTRICTS[:districts]
    return Names(
        code, name_zh, name_en, district_code, [zh for zh, _ in chosen], [en for _, en in chosen]
    )
