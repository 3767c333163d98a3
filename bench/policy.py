"""A written policy of any size, as files for `load_policy`; JSON is YAML, with every code quoted.

The catalogue, the calendars and the SLAs stay the same; what grows is the number of rules: one general route for each
major category, then routes that name sub-categories, cells, severities, sources, hours, attributes or words, and one
overlay in five rules.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from geo import Grid

__all__ = ["ATTRIBUTES", "CATEGORIES", "DEVICE_MAJORS", "STANDARDS", "WORDS", "policy_files"]

MAJORS: Final = {
    "01": ("公用设施", "Public utilities", "utility-company"),
    "02": ("给排水", "Water and drainage", "water-bureau"),
    "03": ("燃气热力", "Gas and heat", "gas-company"),
    "04": ("道路交通", "Roads and traffic", "traffic-police"),
    "05": ("市容环境", "Cleanliness", "sanitation"),
    "06": ("园林绿化", "Parks and trees", "parks-bureau"),
    "07": ("视频事件", "Seen by cameras", "city-management"),
    "08": ("施工管理", "Construction", "housing-bureau"),
    "09": ("噪声", "Noise", "environment-bureau"),
    "10": ("公共安全", "Public safety", "police"),
    "11": ("传感告警", "Sensor alarms", "emergency-bureau"),
    "12": ("民生诉求", "Livelihood", "civil-affairs"),
}
DEVICE_MAJORS: Final = ("07", "11")  # what cameras and sensors report merges by itself; people's reports are suggested
OTHER_DEPARTMENTS: Final = ("command-centre", "fire-brigade", "health-bureau", "power-company", "transport-bureau")
MIDS, MINORS = 8, 3  # sub-categories of a major, and of every fourth of those
STANDARDS: Final = {"a": ("险情", "Danger", "4h"), "b": ("损坏", "Damage", "2wd"), "c": ("轻微", "Minor", "5wd")}
WORDS: Final = ("漏气", "起火", "坍塌", "学校", "医院", "老人", "电梯", "积水", "反复投诉", "夜间")
ATTRIBUTES: Final = {"lanes": (1, 2, 3, 4), "owner": ("public", "private"), "indoor": (True, False)}
ROUTES_PER_FILE = 500


def _categories() -> tuple[str, ...]:
    codes = []
    for major in MAJORS:
        for mid in range(1, MIDS + 1):
            code = f"{major}.{mid:02d}"
            codes.append(code)
            if mid % 4 == 0:
                codes += [f"{code}.{minor:02d}" for minor in range(1, MINORS + 1)]
    return tuple(codes)


CATEGORIES: Final = _categories()
"""What reports name: the sub-categories of every major."""


def policy_files(grid: Grid, rules: int, seed: int) -> dict[str, bytes]:
    """The files of a policy with that many routes and overlays, at least one route for each major category."""
    rng = random.Random(f"policy {seed} {rules}")
    overlays = rules // 5
    areas = [[code for code in grid.codes if grid.level_of(code) == level] for level in (1, 2, 3)]
    write = _Writer(rng, areas)
    routes = [write.general_route(major) for major in MAJORS]
    routes += [write.route(number) for number in range(max(0, rules - overlays - len(routes)))]
    files: dict[str, Mapping[str, Any]] = {
        "policy.yaml": _header(),
        "catalogue.yaml": _catalogue(),
        "clocks.yaml": _clocks(),
        "overlays.yaml": {"overlays": [write.overlay(number) for number in range(overlays)]},
    }
    for start in range(0, len(routes), ROUTES_PER_FILE):
        files[f"routes/{start:05d}.yaml"] = {"routes": routes[start : start + ROUTES_PER_FILE]}
    return {name: orjson.dumps(document) for name, document in files.items()}


def _header() -> dict[str, Any]:
    return {
        "name": "bench",
        "version": "1",
        "timezone": "Asia/Shanghai",
        "modes": ["normal", "emergency"],
        "grid_levels": ["township", "community", "area", "block", "cell"],
        "include": ["catalogue.yaml", "clocks.yaml", "routes/*.yaml", "overlays.yaml"],
        "fallback": {"lead": "command-centre", "sla": "triage", "ladder": "grid-up", "reason": "no route matched"},
        "reasons": {"return": {"not_ours": {"zh": "非本单位职责", "en": "Not our duty"}}},
    }


def _catalogue() -> dict[str, Any]:
    departments: dict[str, Any] = {
        code: {"zh": f"{zh}主管", "en": f"{en} office", "level": "city"} for zh, en, code in MAJORS.values()
    }
    departments |= {code: {"zh": code, "en": code, "level": "city"} for code in OTHER_DEPARTMENTS}
    departments["street-office"] = {
        "zh": "乡镇街道",
        "en": "Township office",
        "level": "township",
        "units": "from_grid",
    }
    standards = {code: {"zh": zh, "en": en, "limit": limit} for code, (zh, en, limit) in STANDARDS.items()}
    categories: dict[str, Any] = {}
    for major, (zh, en, _) in MAJORS.items():
        categories[major] = {"zh": zh, "en": en, "severity": 3, "standards": standards}
        categories[major] |= {"life_safety": True, "severity": 2} if major in ("03", "10") else {}
    for code in CATEGORIES:
        zh, en, _ = MAJORS[code[:2]]
        categories[code] = {"zh": f"{zh} {code[3:]}", "en": f"{en} {code[3:]}"}
    return {
        "departments": departments,
        "categories": categories,
        "sources": {
            "hotline": {"platform": "people"},
            "app": {"platform": "people"},
            "rider": {"platform": "people", "severity_cap": 2},
            "ai_video": {"platform": "ground", "verify": {"below_confidence": 0.9}},
            "sensor": {"platform": "ground"},
            "satellite": {"platform": "satellite", "verify": True},
        },
        "merge": {
            major: {"radius_m": 50, "gap": "2h", "life": "24h", "mode": "auto" if major in DEVICE_MAJORS else "suggest"}
            for major in MAJORS
        },
        "guards": [{"id": "drill", "when": {"tags": ["exercise"]}, "outcome": "discard"}],
    }


def _clocks() -> dict[str, Any]:
    def sla(calendar: str, acknowledge: str, resolve: str, **more: str) -> dict[str, Any]:
        targets: dict[str, Any] = {
            "acknowledge": {"within": acknowledge, "of": "each"},
            "resolve": {"within": resolve, "of": "lead", **more},
            "check": {"within": "24h", "of": "centre"},
        }
        # `lead_only`: so that what becomes of every update is known beforehand and can be checked
        return {"calendar": calendar, "targets": targets, "warn": ["50%", "80%"], "done_by": "lead_only"}

    hours = {"workday": ["08:30-12:00", "13:30-17:30"]}
    days = {"provider": "holidays", "country": "CN"}
    step = {"trigger": "resolve breach", "to": "city", "do": "notify"}
    return {
        "calendars": {
            "cn-office": {"hours": hours, "days": days, "hours_per_working_day": 8},
            "night": {"hours": {"all": ["22:00-06:00"]}},
        },
        "sla": {
            "life-safety": sla("always", "5m", "4h"),
            "urgent": sla("always", "30m", "24h"),
            "duty": sla("cn-office", "30wm", "3wd"),
            "by-standard": sla("cn-office", "60wm", "standard", default="5wd"),
            "triage": sla("cn-office", "2wh", "5wd"),
        },
        "ladders": {"grid-up": {"steps": [step]}},
    }


class _Writer:
    """Writes rules one after the other, from one stream of random numbers."""

    def __init__(self, rng: random.Random, areas: Sequence[Sequence[str]]) -> None:
        self._rng = rng
        self._areas = areas

    def general_route(self, major: str) -> dict[str, Any]:
        _, en, department = MAJORS[major]
        return {
            "id": f"general.{major}",
            "priority": 100,
            "when": {"category": [major]},
            "lead": department,
            "sla": "duty",
            "ladder": "grid-up",
            "reason": f"{en} is the duty of {department}",
        }

    def route(self, number: int) -> dict[str, Any]:
        rng = self._rng
        major = rng.choice(tuple(MAJORS))
        when = self._about(major) | self._circumstances()
        lead = rng.choices((MAJORS[major][2], self._department(), "street-office@township"), (70, 18, 12))[0]
        return {
            "id": f"route.{number:05d}",
            "title": {"zh": f"规则 {number}", "en": f"Rule {number}"},
            "priority": rng.choices((300, 500, 700, 900), (25, 55, 12, 8))[0],
            "when": when,
            "lead": lead,
            "sla": rng.choices(("life-safety", "urgent", "duty", "by-standard"), (10, 25, 35, 30))[0],
            "ladder": "grid-up",
            "reason": f"duty list, line {number}",
        }

    def overlay(self, number: int) -> dict[str, Any]:
        rng = self._rng
        rule: dict[str, Any] = {"id": f"overlay.{number:05d}", "when": self._about(rng.choice(tuple(MAJORS)))}
        kind = rng.choices(("severity", "tags", "support"), (15, 20, 65))[0]
        if kind == "severity":
            rule["severity"] = {"raise_to": rng.randint(1, 2)}
        elif kind == "tags":
            rule["tags"] = [rng.choice(("joint", "sensitive", "key-area"))]
        else:
            rule["when"] |= self._circumstances()
        departments = dict.fromkeys([self._department(), rng.choice((self._department(), "street-office@township"))])
        rule["support"] = [
            {"dept": department, "role": "assist on site", "required": rng.random() < 0.3, "attend": "30m"}
            for department in list(departments)[: rng.randint(1, 2)]
        ]
        if rng.random() < 0.2:
            rule["targets"] = {"resolve": rng.choice(("8h", "2d"))}
        return rule

    def _about(self, major: str) -> dict[str, Any]:
        """What and where: one to three sub-categories, and for two rules of three some cells of one level."""
        rng = self._rng
        below = [code for code in CATEGORIES if code.startswith(major)]
        about: dict[str, Any] = {"category": sorted(rng.sample(below, rng.choice((1, 1, 2, 3))))}
        if rng.random() < 0.65:
            area = rng.choices(self._areas, (30, 40, 30))[0]
            about["grid"] = sorted(rng.sample(area, min(len(area), rng.randint(1, 4))))
        return about

    def _circumstances(self) -> dict[str, Any]:
        rng = self._rng
        name = rng.choice(tuple(ATTRIBUTES))
        possible: dict[str, Any] = {
            "severity": rng.choice(("<=2", "<=1", ">=3")),
            "source": sorted(rng.sample(("hotline", "app", "rider", "ai_video", "sensor"), 2)),
            "calendar": [rng.choice(("night", "cn-office"))],
            "mode": ["emergency"],
            f"attributes.{name}": [rng.choice(ATTRIBUTES[name])],
            "text.any": sorted(rng.sample(WORDS, 2)),
            "reporters": rng.choice((">=3", ">=5")),
        }
        keys = rng.choices(tuple(possible), (35, 10, 10, 5, 8, 8, 5), k=rng.choice((0, 1, 1, 2)))
        return {key: possible[key] for key in keys}

    def _department(self) -> str:
        return self._rng.choice((*(department for _, _, department in MAJORS.values()), *OTHER_DEPARTMENTS))
