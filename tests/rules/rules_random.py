"""Small random policies and facts that crowd together, so that rules hold, tie, overlap and nearly hold often."""

import random
from datetime import UTC, datetime

import msgspec
import orjson

from rules import PLACE_HOWS, Facts, Policy, load_policy

CATEGORIES = ["01", "01.01", "01.01.01", "01.02", "02", "02.01", "02.01.03", "noise", "noise.street"]
CELLS = {"1": ["11", "12"], "2": ["21"]}
LEVELS = ["city", "borough", "district"]
TAGS = ["whistle", "exercise", "night", "flood"]
KEYWORDS = ["gas", "gas leak", "leak", "煤气", "smell"]
SOURCES = {"hotline": "people", "camera": "ground", "satellite": "satellite"}
BASE_MS = int(datetime(2026, 2, 9, tzinfo=UTC).timestamp() * 1000)
DAYS = 20


def values(rng: random.Random, pool: list, most: int = 3) -> list:
    return rng.sample(pool, rng.randint(1, min(most, len(pool))))


CONDITIONS = {
    "category": lambda rng: values(rng, CATEGORIES),
    "grid": lambda rng: values(rng, ["1", "2", "11", "12", "21", "A", "B"]),
    "severity": lambda rng: rng.choice(["<=2", ">2", 1, [1, 4], 3, ["<2", ">=4"]]),
    "mode": lambda rng: values(rng, ["normal", "emergency"]),
    "calendar": lambda rng: values(rng, ["office", "night", "always"]),
    "source": lambda rng: values(rng, list(SOURCES)),
    "platform": lambda rng: values(rng, list(SOURCES.values())),
    "confidence": lambda rng: rng.choice([">=0.9", "<0.5", [0.7], ["<0.2", ">0.8"]]),
    "tags": lambda rng: values(rng, TAGS),
    "whistle": lambda rng: values(rng, ["any", "joint", "emergency"]),
    "reporters": lambda rng: rng.choice([">=3", 1, [2, ">5"]]),
    "place": lambda rng: values(rng, list(PLACE_HOWS)),
    "text.any": lambda rng: values(rng, KEYWORDS),
    "standard": lambda rng: values(rng, ["a", "b"]),
    "request_kind": lambda rng: values(rng, ["help", "complaint"]),
    "attributes.kv": lambda rng: rng.choice([">=10", 5, ["<1", 110], "=", True, [True, "10"]]),
    "attributes.colour": lambda rng: values(rng, ["red", "<2", "blue"]),
}


def when(rng: random.Random, without: tuple[str, ...] = ()) -> dict:
    usual = ["category", "grid", "severity", "mode", "tags"]
    keys = [key for key in usual + rng.sample(list(CONDITIONS), 2) if key not in without]
    require = {key: CONDITIONS[key](rng) for key in rng.sample(keys, rng.choice([0, 1, 1, 2, 2, 3]))}
    if rng.random() < 0.3:
        allowed = [key for key in CONDITIONS if key not in without]
        require["not"] = {key: CONDITIONS[key](rng) for key in rng.sample(allowed, rng.choice([1, 1, 2]))}
    return require


def dates(rng: random.Random) -> dict:
    if rng.random() < 0.85:
        return {}
    first, last = sorted(rng.choices(range(9, 28), k=2))
    return {"valid_from": f"2026-02-{first:02}", "expires": f"2026-02-{last:02}"}


def policy_files(rng: random.Random) -> dict[str, bytes]:
    """A valid policy; JSON is YAML."""
    leads = ["police", "gas", "water", "office", "office@borough", "office@district"]
    slas, ladders = ["quick", "by-standard", "slow"], ["up", "desk"]
    routes = [
        {
            "id": f"r{i}",
            "priority": rng.choice([100, 100, 300]),
            "when": when(rng),
            "lead": rng.choice(leads),
            "sla": rng.choice(slas),
            "reason": f"rule {i}",
            **({"ladder": rng.choice(ladders)} if rng.random() < 0.7 else {}),
            **dates(rng),
        }
        for i in range(rng.randint(1, 14))
    ]
    overlays = []
    for i in range(rng.randint(0, 8)):
        kind = rng.choice(["severity", "tags", "rest"])
        without = {"severity": ("severity", "tags"), "tags": ("tags",), "rest": ()}[kind]
        overlay: dict = {"id": f"o{i}", "when": when(rng, without), **dates(rng)}
        if kind == "severity":
            overlay["severity"] = {"raise_to": rng.randint(1, 3)}
        if kind == "tags" or (kind == "severity" and rng.random() < 0.5):
            overlay["tags"] = values(rng, TAGS, 2)
        if rng.random() < 0.6:
            overlay["support"] = [
                {"dept": lead, "required": rng.random() < 0.5, "attend": rng.choice(["15m", "1h"])}
                for lead in values(rng, leads, 2)
            ]
        if rng.random() < 0.4:
            overlay["targets"] = {"resolve": "2h", "contact": {"within": "4wh", "calendar": "office"}}
        overlays.append(overlay)
    levels = random.Random(str(routes + overlays))
    for rule in routes + overlays:
        if levels.random() < 0.25:
            rule["level"] = levels.choice(LEVELS)
    guards = [
        {
            "id": f"g{i}",
            "priority": rng.choice([1, 2]),
            "when": {"source": ["camera"], **when(rng)},
            "outcome": rng.choice(["discard", "park", "fallback"]),
        }
        for i in range(rng.choice([0, 0, 1, 2]))
    ]
    main = {
        "name": "random",
        "version": "1",
        "timezone": rng.choice(["Asia/Shanghai", "America/New_York"]),
        "modes": ["normal", "emergency"],
        "grid_levels": ["borough", "district"],
        "include": ["*.yaml"],
        "fallback": {"lead": "police", "sla": "slow", "ladder": "desk", "reason": "nobody else"},
        "reasons": {},
    }
    rest = {
        "departments": {
            "police": {},
            "gas": {"level": "city"},
            "water": {"level": "borough"},
            "office": {"units": "from_grid", "level": "district"},
        },
        "categories": {
            code: {"standards": {"a": {"limit": "2h"}, "b": {"limit": "1wd"}}} if code.startswith("01") else {}
            for code in CATEGORIES
        },
        "sources": {code: {"platform": platform} for code, platform in SOURCES.items()},
        "calendars": {
            "office": {"hours": {"workday": ["08:30-12:00", "13:30-17:30"]}, "hours_per_working_day": 8},
            "night": {"hours": {"all": ["22:00-06:00"]}},
        },
        "sla": {
            "quick": {"calendar": "always", "targets": {"acknowledge": "5m", "resolve": "1h"}},
            "slow": {"calendar": "office", "targets": {"resolve": "5wd"}},
            "by-standard": {"calendar": "office", "targets": {"resolve": "standard"}},
        },
        "ladders": {name: {"steps": [{"trigger": "resolve breach", "to": "city", "do": "notify"}]} for name in ladders},
        "guards": guards,
        "routes": routes,
        "overlays": overlays,
    }
    return {"policy.yaml": orjson.dumps(main), "rules.yaml": orjson.dumps(rest)}


def random_policy(seed: int) -> Policy:
    return load_policy(policy_files(random.Random(seed)))


DEEP = ["01.01.01.02", "01.01.01.02.07", "02.01.03.04.05.06"]
DENSE = list(CONDITIONS)


def rich_files(rng: random.Random) -> dict[str, bytes]:
    """More of everything: deep categories, seasons, standards with calendars, many keys, ties, open dates."""
    files = {name: orjson.loads(content) for name, content in policy_files(rng).items()}
    rest = files["rules.yaml"]
    rest["categories"] |= {code: {} for code in DEEP}
    rest["categories"]["02.01"] = {"standards": {"a": {"limit": "1wd", "calendar": "spring"}, "b": {"limit": "4h"}}}
    rest["calendars"]["spring"] = {
        "hours": {"workday": ["06:00-20:00"]}, "seasons": ["02-14..05-15"], "hours_per_working_day": 8,
    }  # fmt: skip
    for rule in rest["routes"] + rest["overlays"]:
        if rng.random() < 0.25:  # as many keys as may be, one by one
            free = [key for key in DENSE if key not in {"severity", "tags"}]
            rule["when"] |= {key: CONDITIONS[key](rng) for key in rng.sample(free, rng.randint(1, 5))}
        if "category" in rule["when"] and rng.random() < 0.3:
            rule["when"]["category"] = [rng.choice(DEEP), *rule["when"]["category"]]
        if "calendar" in rule["when"] and rng.random() < 0.3:
            rule["when"]["calendar"] = ["spring"]
        if rng.random() < 0.1:
            rule["when"].setdefault("not", {})["calendar"] = [rng.choice(["spring", "night"])]
        if rng.random() < 0.1:
            rule.pop("expires", None)
            rule["valid_from"] = f"2026-02-{rng.randint(9, 27):02}"
        elif rng.random() < 0.1:
            rule.pop("valid_from", None)
            rule["expires"] = f"2026-02-{rng.randint(9, 27):02}"
    for route in rng.sample(rest["routes"], len(rest["routes"]) // 4):
        rest["routes"].append(route | {"id": f"{route['id']}-again", "lead": rng.choice(["gas", "water"])})
    return {name: orjson.dumps(document) for name, document in files.items()}


def rich_policy(seed: int) -> Policy:
    return load_policy(rich_files(random.Random(f"rich {seed}")))


def rich_facts(rng: random.Random) -> Facts:
    facts = random_facts(rng)
    return (
        msgspec.structs.replace(facts, category=rng.choice([*DEEP, "01.01.01.02.99"])) if rng.random() < 0.15 else facts
    )


def random_facts(rng: random.Random) -> Facts:
    borough = rng.choice(list(CELLS))
    path = rng.choice([(), (borough,), (borough, rng.choice(CELLS[borough])), ("A", "1"), ("B", "A")])
    source = rng.choice(list(SOURCES))
    attributes: list = []
    if rng.random() < 0.5:
        attributes.append(("colour", rng.choice(["red", "blue", "<2", "green"])))
    if rng.random() < 0.6:
        attributes.append(("kv", rng.choice([0.5, 5, 5.0, 10, 110, "10", True, 1, "="])))
    return Facts(
        category=rng.choice([*CATEGORIES, "01.01.09", None]),
        severity=rng.randint(1, 4),
        mode=rng.choice(["normal", "emergency"]),
        path=path,
        source=source,
        platform=SOURCES[source],
        at_ms=BASE_MS + rng.randrange(DAYS * 86_400_000),
        confidence=rng.choice([None, 0.1, 0.5, 0.7, 0.85, 0.9, 1.0]),
        tags=tuple(rng.sample([*TAGS, "else"], rng.choice([0, 0, 1, 2]))),
        whistle=rng.choice([None, None, "joint", "emergency", "key"]),
        reporters=rng.choice([1, 2, 3, 6]),
        place=rng.choice(PLACE_HOWS),
        keywords=tuple(sorted(rng.sample(KEYWORDS, rng.choice([0, 0, 1, 2])))),
        attributes=tuple(attributes),
        standard=rng.choice([None, "a", "b", "z"]),
        request_kind=rng.choice([None, "help", "complaint"]),
    )
