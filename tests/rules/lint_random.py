"""Small random policies with all facts that matter to them, few enough to ask the plain matcher about every one."""

import random
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, combinations, product
from math import prod
from zoneinfo import ZoneInfo

import orjson
from rules_random import BASE_MS, CATEGORIES, CONDITIONS, KEYWORDS, SOURCES, TAGS, policy_files

from rules import PLACE_HOWS, Facts, Policy, load_policy
from rules.match import holds
from rules.model_rules import Route

PATHS = ((), ("1",), ("1", "11"), ("1", "12"), ("2", "21"), ("2", "22"), ("3", "31"), ("4",), ("A", "1"), ("B", "A"))
MOST_COMBINATIONS = 700


def subsets(pool: list) -> list[tuple]:
    return list(chain.from_iterable(combinations(sorted(pool), size) for size in range(len(pool) + 1)))


def texts(words: tuple) -> bool:
    """Whether a text can hold just these words: with a word come the words inside it."""
    return all(inner in words for word in words for inner in KEYWORDS if inner in word)


FACTS = {
    "category": [("category", code) for code in (*CATEGORIES, None)],
    "grid": [("path", path) for path in PATHS],
    "severity": [("severity", value) for value in (1, 2, 3, 4)],
    "mode": [("mode", mode) for mode in ("normal", "emergency")],
    "source": [("source", code) for code in SOURCES],
    "confidence": [("confidence", value) for value in (None, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0)],
    "tags": [("tags", tags) for tags in subsets(TAGS)],
    "whistle": [("whistle", kind) for kind in (None, "joint", "emergency", "key")],
    "reporters": [("reporters", count) for count in (1, 2, 3, 4, 5, 6)],
    "place": [("place", how) for how in PLACE_HOWS],
    "text.any": [("keywords", words) for words in subsets(KEYWORDS) if texts(words)],
    "standard": [("standard", code) for code in (None, "a", "b", "z")],
    "request_kind": [("request_kind", kind) for kind in (None, "help", "complaint", "praise")],
    "attributes.kv": [("attributes.kv", value) for value in (None, 0, 1, 3, 5, 7, 10, 50, 110, 200, "=", True, "10")],
    "attributes.colour": [("attributes.colour", value) for value in (None, 1, 2, 3, "red", "blue", "green")],
}
PLAIN: dict = {"category": "01.01", "severity": 3, "mode": "normal", "path": ("1", "11"), "source": "hotline"}
USUAL = ["category", "grid", "severity", "tags"]


def lint_policy(seed: int) -> tuple[Policy, list[Facts]]:
    """A policy whose rules ask for few keys, and every combination of facts that these keys can tell apart."""
    files, everything = lint_files(seed)
    return load_policy(files), everything


def lint_files(seed: int) -> tuple[dict[str, bytes], list[Facts]]:
    """The same as files; `rules.yaml` is JSON."""
    rng = random.Random(f"lint {seed}")
    while True:
        keys = rng.sample([*FACTS, "calendar"], 3) + rng.sample(USUAL, 2)
        if "source" in keys:
            keys.append("platform")
        choices = [FACTS[key] for key in dict.fromkeys(keys) if key in FACTS]
        if not 20 <= prod(map(len, choices)) <= MOST_COMBINATIONS:
            continue
        files = restricted(rng, list(dict.fromkeys(keys)))
        choices.append(instants(load_policy(files)) if "calendar" in keys else [("at_ms", BASE_MS)])
        if prod(map(len, choices)) <= 2 * MOST_COMBINATIONS:
            return files, [facts_of(dict(chosen)) for chosen in product(*choices)]


def facts_of(given: dict) -> Facts:
    known = PLAIN | given
    attributes = [(key[11:], value) for key, value in sorted(known.items()) if key.startswith("attributes.")]
    known = {key: value for key, value in known.items() if not key.startswith("attributes.")}
    found = tuple((name, value) for name, value in attributes if value is not None)
    return Facts(**{"at_ms": BASE_MS, **known}, platform=SOURCES[known["source"]], attributes=found)


def restricted(rng: random.Random, keys: list[str]) -> dict[str, bytes]:
    """The files of a random policy, its rules written anew with these keys only."""
    files = policy_files(rng)
    document = orjson.loads(files["rules.yaml"])
    for route in document["routes"]:
        route["priority"] = rng.choice([100, 100, 100, 300])
        route["lead"] = rng.choice(["police", "gas", "office@borough", "office@district"])
    for overlay in document["overlays"]:
        overlay["tags"] = overlay.get("tags") or (rng.sample(TAGS, 1) if "tags" in keys and rng.random() < 0.3 else [])
    for rule in document["guards"] + document["routes"] + document["overlays"]:
        without = ("severity", "tags") if "severity" in rule else ("tags",) if rule.get("tags") else ()
        rule["when"] = when(rng, [key for key in keys if key not in without])
        if "calendar" not in keys:
            rule.pop("valid_from", None)
            rule.pop("expires", None)
    return files | {"rules.yaml": orjson.dumps(document)}


def when(rng: random.Random, keys: list[str]) -> dict:
    most = min(len(keys), 3)
    asked = {key: CONDITIONS[key](rng) for key in rng.sample(keys, rng.choice([0, 1, 1, 2, 2, 3]) % (most + 1))}
    if keys and rng.random() < 0.35:
        asked["not"] = {key: CONDITIONS[key](rng) for key in rng.sample(keys, 1)}
    return asked


def instants(policy: Policy) -> list[tuple[str, int]]:
    """One instant for each set of rules that time can leave, of those at which some calendar opens or closes."""
    rules = [rule for rule in (*policy.guards, *policy.overlays, *policy.routes) if asks_time(rule)]
    found: dict[tuple, int] = {}
    for at_ms in edges(policy.timezone.key):
        facts = Facts(None, 4, "", (), "", "", at_ms)
        found.setdefault(tuple(holds(policy, rule, facts) for rule in map(only_time, rules)), at_ms)
    return [("at_ms", at_ms) for at_ms in found.values()]


@lru_cache
def edges(zone: str) -> tuple[int, ...]:
    """Of thirty days: `office` and `night` open and close at no other minutes of the day."""
    first = datetime.fromtimestamp(BASE_MS / 1000, ZoneInfo(zone)).replace(hour=0, minute=0)
    days = [first + timedelta(days=day) for day in range(30)]
    hours = (0, 6, 8.5, 12, 13.5, 17.5, 22)
    return tuple(int((day + timedelta(hours=hour)).timestamp() * 1000) for day in days for hour in hours)


def asks_time(rule: Route) -> bool:
    parts = (*rule.when.require, *rule.when.exclude)
    return bool(rule.valid_from or rule.expires or any(part.key == "calendar" for part in parts))


def only_time(rule: Route) -> Route:
    from msgspec.structs import replace

    require = tuple(part for part in rule.when.require if part.key == "calendar")
    exclude = tuple(part for part in rule.when.exclude if part.key == "calendar")
    return replace(rule, when=replace(rule.when, require=require, exclude=exclude))
