"""What is reported, by whom and in which words: shares of categories and sources of a made-up city's year."""

import random
from collections.abc import Mapping
from datetime import date
from typing import Final

from bench.year.season import StormKind
from rules import Policy

__all__ = ["BLUNDERS", "SOURCES", "WORDS", "Matters", "kind_of"]

# Who reports, in shares of a thousand.
SOURCES: Final[Mapping[str, int]] = {
    "hotline": 340, "app": 205, "camera": 60, "ai_video": 115, "sensor": 35, "satellite": 6, "drone": 20,
    "grid_officer": 110, "community_office": 18, "street_office": 10, "department": 8, "leader_walk": 3,
    "rider": 28, "driver": 10, "volunteer": 16, "patrol_volunteer": 9, "merchant": 7,
}  # fmt: skip

_PEOPLE: Final[Mapping[str, float]] = {
    "02.02.01": 10, "02.01.01": 7, "02.01.02": 5, "02.01.03": 2, "02.03.01": 9, "02.03.02": 1, "02.04.01": 3,
    "03.01.01": 4, "03.01.02": 1, "03.01.03": 0.1, "03.01.04": 1.5, "03.02.01": 2, "03.02.02": 2, "03.02.03": 1,
    "03.03.01": 0.1, "01.01.01": 1, "01.02.02": 0.5, "01.03.01": 1.2, "01.03.02": 1.5, "01.03.03": 0.15,
    "01.04.01": 0.05, "04.01.01": 0.7, "04.02.01": 0.5, "04.02.02": 0.3, "05.01.02": 1.2, "05.02.01": 0.4,
    "05.02.02": 0.1, "05.03.02": 0.4, "05.04.01": 1.5, "06.01.01": 0.6, "06.02.02": 1.5, "06.02.03": 0.8,
    "06.03.01": 0.5, "06.04.01": 2, "06.04.02": 0.25, "07.02.03": 0.1, "08.01.01": 0.2, "08.02.01": 0.25,
    "08.03.01": 0.08, "08.04.01": 0.08, "08.05.01": 0.02, "08.07.01": 0.08, "09.01.01": 1.5, "09.01.02": 4,
    "09.01.03": 0.6, "09.02.01": 6, "09.02.02": 4, "09.03.01": 0.6, "09.04.01": 2, "10.01.01": 0.4, "10.02.01": 0.5,
    "10.02.02": 0.7, "10.03.01": 1, "10.04.01": 0.2, "11": 17,
}  # fmt: skip
_OFFICERS: Final[Mapping[str, float]] = {
    "02.02.01": 9, "02.01.01": 6, "02.01.03": 5, "02.04.01": 2, "01.01.02": 7, "01.03.01": 2, "01.03.02": 3,
    "03.01.01": 4, "04.01.01": 2, "05.01.02": 1, "06.02.02": 4, "06.02.03": 3, "06.01.01": 1, "07.02.01": 1,
    "09.01.02": 3, "09.04.01": 6, "10.03.01": 2, "10.03.02": 0.5, "11": 30,
}  # fmt: skip
_CAMERAS: Final[Mapping[str, float]] = {
    "02.02.01": 10, "02.01.01": 9, "02.01.02": 5, "02.03.01": 10, "02.03.02": 1, "06.03.01": 0.5, "07.02.03": 0.3,
    "08.02.01": 0.1, "08.04.01": 0.05, "11": 6,
}  # fmt: skip
_SENSORS: Final[Mapping[str, float]] = {"11.01": 10, "06.04.01": 2, "06.04.02": 0.1, "08.01.01": 0.1, "08.04.01": 0.15}
_SATELLITE: Final[Mapping[str, float]] = {"07.01.01": 4, "07.01.02": 2, "07.01.03": 2, "07.02.01": 3, "07.02.02": 3}

_BY_SOURCE: Final = {
    "grid_officer": _OFFICERS, "community_office": _OFFICERS, "leader_walk": _OFFICERS, "camera": _CAMERAS,
    "ai_video": _CAMERAS, "drone": _CAMERAS, "sensor": _SENSORS, "satellite": _SATELLITE,
}  # fmt: skip
_IN_STORM: Final[Mapping[StormKind, Mapping[str, float]]] = {  # beside the ordinary, whose sum is about a hundred
    "snow": {"02.02.02": 45, "09.02.02": 4, "09.02.03": 8, "08.07.01": 0.4},
    "rain": {"08.04.01": 9, "09.02.02": 15, "11.01.03": 4, "11.01.04": 8, "08.07.01": 0.6, "08.03.01": 0.4},
    "heat": {"05.02.03": 2, "10.01.01": 4, "08.07.01": 0.8, "09.02.02": 8},
}

WORDS: Final[Mapping[str, tuple[str, ...]]] = {  # what people say of some; the policy reads a few of these words
    "02.02.01": ("垃圾多日无人清运，异味明显。", "公园里垃圾成堆。", "装修垃圾堆在路边。"),
    "09.02.02": ("楼上漏水，天花板湿了。", "停水两天了，自来水什么时候来？", "下水道反水，污水进屋。"),
    "09.02.01": ("夜间施工噪声扰民，已持续三天。", "楼下音响太吵。"),
    "08.02.01": ("有烟，好像着火了。", "厨房起火，有人被困。"),
    "08.01.01": ("楼道里有燃气味。",),
    "09.01.01": ("物业费涨价，全体业主不同意。", "物业服务差，还要交物业费。"),
    "02.03.01": ("车停在人行道上，轮椅过不去。", "违停堵住了出口。"),
    "11": ("井盖松动，车辆经过有响声。", "路灯不亮，晚上出行不便。", "树枝倒伏，占用人行道。"),
}
ANYTHING: Final = ("请尽快安排处理。", "多次反映未果。", "希望有关部门看一看。", "老人出行困难。")
BLUNDERS: Final = ("其他", "不知道归谁管", "misc")  # categories no policy has


def kind_of(source: str) -> str:
    """What kind of reporter: `device`, `officer` or `resident`."""
    if source in ("camera", "ai_video", "sensor", "satellite", "drone"):
        return "device"
    return "officer" if source in _BY_SOURCE else "resident"


class Matters:
    """Draws what is reported."""

    def __init__(self, policy: Policy, rng: random.Random) -> None:
        self._policy, self._rng = policy, rng
        leaves = [code for code in policy.categories if code.count(".") == 2]
        self._below = {
            top: [code for code in leaves if code.startswith(top + ".")] for top in ("11", "11.01")
        }  # components: any class of them
        self._tables: dict[tuple[str, int, StormKind | None], tuple[list[str], list[float]]] = {}

    def source(self) -> str:
        """Who reports."""
        return self._rng.choices(tuple(SOURCES), tuple(SOURCES.values()))[0]

    def category(self, source: str, day: date, storm: StormKind | None) -> str:
        """What about."""
        key = (source, day.month, storm)
        table = self._tables.get(key)
        if table is None:
            weights = dict(_BY_SOURCE.get(source, _PEOPLE))
            if day.month in (11, 12, 1, 2, 3) and kind_of(source) == "resident":
                weights["09.02.03"] = 6  # the heating season
            if day.month in (5, 6, 9, 10):
                weights["07.02.03"] = weights.get("07.02.03", 0) * 8  # after the harvests
            if storm is not None and source not in ("sensor", "satellite"):
                for code, weight in _IN_STORM[storm].items():
                    weights[code] = weights.get(code, 0) + weight * (0.3 if kind_of(source) == "device" else 1)
            table = self._tables[key] = list(weights), list(weights.values())
        code = self._rng.choices(*table)[0]
        return self._rng.choice(self._below[code]) if code in self._below else code

    def standard(self, category: str) -> str | None:
        """The filing standard found, by those who know the list."""
        known = self._policy.category(category)
        return self._rng.choice(known.standards).code if known is not None and known.standards else None

    def words(self, category: str) -> str:
        """What a person says."""
        own = WORDS.get(category) or WORDS.get(category.partition(".")[0]) or ()
        said = self._rng.choice(own) if own and self._rng.random() < 0.7 else ""
        return said + self._rng.choice(ANYTHING)
