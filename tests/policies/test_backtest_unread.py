"""Undecidable means what it says: compared with trying every text that fits what is known."""

from itertools import combinations
from random import Random

import pytest

from dispatcher.policies import unread
from dispatcher.policies.unread import Unread
from rules import Facts, Policy, compile_policy, load_policy

WORDS = ("a", "b", "ab", "bc", "abc", "cab", "d", "da")
HEAD = """\
name: words
version: "1"
timezone: Asia/Shanghai
modes: [normal]
grid_levels: [township]
include: []
fallback: {lead: centre, sla: one, ladder: desk, reason: "none"}
reasons: {return: {not_ours: {}}}
departments: {centre: {}, x: {}, y: {}}
categories: {"01": {}, "01.02": {}, "02": {}}
sources: {hotline: {platform: people}, app: {platform: people}}
calendars: {office: {hours: {workday: ["08:30-17:30"]}, hours_per_working_day: 8}}
sla: {one: {calendar: office, targets: {resolve: 1wd}}}
ladders: {desk: {steps: [{trigger: "resolve breach", to: city, do: report}]}}
"""


def some_policy(random: Random, words: list[str], rules: int) -> Policy:
    """Guards, routes and overlays that ask for words, some also for other things, some in their `not`."""
    lines: dict[str, list[str]] = {"guards": [], "routes": [], "overlays": []}
    for n in range(rules):
        asked = ", ".join(random.sample(words, random.randint(1, min(3, len(words)))))
        keys = [f"text.any: [{asked}]"] if random.random() < 0.8 else []
        if random.random() < 0.5:
            keys.append(f'category: ["{random.choice(("01", "01.02", "02"))}"]')
        if random.random() < 0.2:
            keys.append(f'grid: ["{random.choice(("T1", "T2"))}"]')
        if random.random() < 0.2:
            keys.append("tags: [red]")
        excluded = [f"text.any: [{random.choice(words)}]"] if random.random() < 0.3 else []
        if random.random() < 0.2:
            excluded.append(f"source: [{random.choice(('hotline', 'app'))}]")
        if excluded:
            keys.append(f"not: {{{', '.join(excluded)}}}")
        when = f"when: {{{', '.join(keys)}}}"
        kind = random.choice(("guards", "routes", "routes", "overlays", "overlays"))
        says = {
            "guards": "outcome: park",
            "routes": f"lead: {random.choice('xy')}, sla: one, priority: {random.randint(1, 3)}",
            "overlays": random.choice(("support: [{dept: y}]", "severity: {raise_to: 1}", "support: [{dept: x}]")),
        }[kind]
        if kind == "overlays" and "severity" in says:
            when = when.replace("tags: [red]", "mode: [normal]")
        lines[kind].append(f"  - {{id: r{n}, {when}, {says}}}")
    text = HEAD + "".join(f"{kind}:\n" + "\n".join(found) + "\n" for kind, found in lines.items() if found)
    return load_policy({"policy.yaml": text.encode()})


def facts(random: Random, old: Policy, text: str) -> Facts:
    return Facts(
        category=random.choice(("01", "01.02", "02", None)), severity=3, mode="normal",
        path=random.choice((("T1",), ("T2",), ())), source=random.choice(("hotline", "app")), platform="people",
        at_ms=0, tags=random.choice(((), ("red",))), keywords=old.keywords_in(text),
    )  # fmt: skip


def text_of(words: tuple[str, ...]) -> str:
    return " | ".join(words)


TEXTS = [text_of(words) for n in range(len(WORDS) + 1) for words in combinations(WORDS, n)]


@pytest.mark.parametrize("seed", range(120))
def test_as_if_every_text_were_tried(seed: int) -> None:
    random = Random(seed)
    old = some_policy(random, random.sample(WORDS, random.randint(1, 4)), 3)
    new = some_policy(random, random.sample(WORDS, random.randint(2, 6)), random.randint(2, 6))
    decider = compile_policy(new)
    tried = Unread(decider, old.keywords)
    for _ in range(6):
        known = facts(random, old, random.choice(TEXTS))
        fitting = [text for text in TEXTS if old.keywords_in(text) == known.keywords]
        outcomes = {decider.decide(_with(known, new.keywords_in(text))) for text in fitting}
        found = tried.decide(known)
        assert found.certainty == ("undecidable" if len(outcomes) > 1 else "certain")
        assert found.decision in outcomes
        assert tried.decide(known) == found


def _with(known: Facts, keywords: tuple[str, ...]) -> Facts:
    from msgspec.structs import replace

    return replace(known, keywords=keywords)


def test_the_random_cases_are_of_both_kinds() -> None:
    kinds = set()
    for seed in range(20):
        random = Random(seed)
        old = some_policy(random, ["a"], 2)
        new = some_policy(random, list(WORDS), 4)
        tried = Unread(compile_policy(new), old.keywords)
        kinds |= {tried.decide(facts(random, old, text)).certainty for text in TEXTS[:40]}
    assert kinds == {"certain", "undecidable"}


def test_too_many_words_at_once_are_not_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = "\n".join(f"  - {{id: r{n}, when: {{text.any: [w{n}]}}, lead: x, sla: one}}" for n in range(11))
    new = load_policy({"policy.yaml": f"{HEAD}routes:\n{routes}\n".encode()})
    known = facts(Random(1), new, "")
    assert Unread(compile_policy(new), ()).decide(known).certainty == "unexamined"
    monkeypatch.setattr(unread, "GROUPS_MAX", 11)
    assert Unread(compile_policy(new), ()).decide(known).certainty == "undecidable"
    assert Unread(compile_policy(new), new.keywords).decide(known).certainty == "certain"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "REMEMBERED_MAX", 2)
    random = Random(3)
    new = some_policy(random, list(WORDS), 5)
    tried = Unread(compile_policy(new), ("a",))
    for text in TEXTS[:30]:
        tried.decide(facts(random, new, text))
    assert len(tried._known) <= 2
