"""Every decision in a ledger equals its explanation, after three activations and a rollback, whatever `holidays` says.

The ledger is made by the real host: seeded histories of reports that are merged, returned, assigned and filed, with
policies coming and going in between. The policies differ in routes, overlays, deadlines and calendars, which take their
holidays from the provider. Then the provider lies, in this process and in another, and nothing may change.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from msgspec.structs import replace
from sim_city import POLICY, grid, intake
from sim_history import History

from dispatcher.core import decode_incident
from dispatcher.core.wire import encode
from dispatcher.explain import explain_incident
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.hosts.setup import Books
from dispatcher.ledger import Ledger, MemoryLedger, SqliteLedger
from dispatcher.policies.activation import activate
from rules import Facts, Policy, compile_policy, decide_plainly, explain, load_policy

ALL = 1 << 30
RECORDS = 900
SEEDS = (1, 2, 3)
HOLIDAYS = ("hours_per_working_day: 8}", "hours_per_working_day: 8, days: {provider: holidays, country: CN}}")
AT_WORK = '  - {id: at.work, when: {calendar: [office], category: ["02"]}, support: [{dept: street@township}]}\n'


def versions() -> list[Policy]:
    """Four policies: as it was, other routes, other overlays and deadlines, another week."""
    texts = [POLICY.replace(*HOLIDAYS).replace("overlays:\n", "overlays:\n" + AT_WORK)]
    texts.append(
        texts[0]
        .replace("lead: police, sla: works", "lead: roads, sla: standard")
        .replace(
            "  - {id: manhole,",
            '  - {id: lamp, priority: 350, when: {category: ["04"]}, lead: roads, sla: works}\n  - {id: manhole,',
        )
    )
    texts.append(
        texts[1]
        .replace("attend: 15m, required: true", "attend: 10m")
        .replace('reporters: ">=2"', 'reporters: ">=3"')
        .replace("resolve: 3h", "resolve: 2h")
        .replace(
            "  - {id: smell,",
            "  - {id: weekend, when: {not: {calendar: [office]}}, targets: {resolve: 5h}}\n  - {id: smell,",
        )
    )
    texts.append(
        texts[2]
        .replace('workday: ["08:30-12:00", "13:30-17:30"]', 'workday: ["09:00-15:00"], restday: ["10:00-12:00"]')
        .replace("country: CN}}", 'country: US}, overrides: {"2026-03-09": holiday}}')
    )
    made = [load_policy({"policy.yaml": text.encode()}) for text in texts]
    assert len({policy.sha256 for policy in made}) == 4
    return made


def live(ledger: Ledger, seed: int) -> None:
    """Three activations and a rollback, between fifths of one history; the host is born again each time."""
    policies = versions()
    enact_first_policy(ledger, policies[0])
    entries = History(seed).entries(RECORDS)
    fifth = len(entries) // 5
    for n, policy in enumerate((None, policies[1], policies[2], policies[3], policies[1])):
        if policy is not None:
            assert activate(ledger, policy, by=f"editor {n}") is not None
        host = Embedded(ledger, intake(), Books(ledger), grid=grid().sha256, batch_records=7)
        ledger.append(entries[n * fifth : (n + 1) * fifth])
        host.catch_up()


def decisions(ledger: Ledger) -> Iterator[tuple[str, dict[str, Any], bytes, bytes]]:
    """Every decision on `events`: incident, the change, its facts and the decision byte for byte."""

    class Change(msgspec.Struct):
        event: str
        facts: msgspec.Raw = msgspec.Raw(b"")
        decision: msgspec.Raw = msgspec.Raw(b"")

    class Event(msgspec.Struct):
        changes: list[Change] = []

    for kept in ledger.follow("events", -1, ALL):
        value = kept.value or b""
        plain = orjson.loads(value).get("changes", ())
        for change, raw in zip(plain, msgspec.json.decode(value, type=Event).changes, strict=True):
            if change["event"] == "decision":
                yield kept.key, change, bytes(raw.facts), bytes(raw.decision)


def check(ledger: Ledger) -> dict[str, int]:
    """Recompute everything in three ways.

    Returns how many decisions each policy and cause has, and as `digest` what every explanation says, deadlines too.
    """
    books = Books(ledger)
    found: Counter[str] = Counter()
    newest: dict[tuple[str, int], tuple[Facts, bytes]] = {}
    events: dict[str, list[bytes]] = {}
    said = sha256()
    for kept in ledger.follow("events", -1, ALL):
        events.setdefault(kept.key, []).append(kept.value or b"")
    for incident_id, change, facts_json, recorded in decisions(ledger):
        policy = books[change["policy"]].policy
        facts = msgspec.json.decode(facts_json, type=Facts)
        assert encode(facts) == facts_json
        for again in (
            explain(policy, facts).decision,
            decide_plainly(policy, facts),
            books[change["policy"]].decider.decide(facts),
        ):
            assert encode(again) == recorded, (incident_id, change["seq"])
        found[change["policy"]] += 1
        found[change["cause"]] += 1
        newest[incident_id, change["seq"]] = facts, recorded
    for kept in (*ledger.follow("incidents", -1, ALL), *ledger.follow("archive", -1, ALL)):
        if kept.value is None or b'"page":' in kept.value[:80]:
            continue
        record = decode_incident(kept.value)
        if record.decision_seq:
            # on the facts of the decision: a report merged later, without a decision of its own, has counted since
            facts, recorded = newest[record.incident_id, record.decision_seq]
            policy = books[record.decision.policy].policy
            told = explain_incident(policy, replace(record, facts=facts), recorded, events[record.incident_id])
            assert told.equal, record.incident_id
            said.update(encode(told))
            found["explained"] += 1
    return {**dict(sorted(found.items())), "digest": int(said.hexdigest()[:12], 16)}


def lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the provider says that every day is a holiday."""
    import holidays

    from rules import calendars

    class Always(dict[date, str]):
        def __contains__(self, day: object) -> bool:
            return True

        def is_working_day(self, day: date) -> bool:
            return False

    monkeypatch.setattr(holidays, "country_holidays", lambda *_, **__: Always())
    calendars.expand_days.cache_clear()


@pytest.fixture(params=["memory", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_decision_equals_its_explanation(
    kind: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger: Ledger = MemoryLedger(lambda: 0)
    if kind == "sqlite":
        ledger = SqliteLedger(tmp_path / "city.db", clock=lambda: 0, synchronous="OFF")
    before = versions()
    live(ledger, seed)
    found = check(ledger)
    assert all(found[policy.sha256] > 5 for policy in before)
    assert {"report", "merge", "override"} <= set(found)
    assert any(b'"what":"return"' in (kept.value or b"") for kept in ledger.follow("events", -1, ALL))
    assert found["explained"] > 50
    lie(monkeypatch)
    try:
        assert not {policy.sha256 for policy in versions()} & {policy.sha256 for policy in before}
        if kind == "sqlite":
            ledger.close()
            ledger = SqliteLedger(tmp_path / "city.db", read_only=True)
        assert check(ledger) == found
    finally:
        monkeypatch.undo()
        load_afresh()
        ledger.close()


def load_afresh() -> None:
    from rules import calendars

    calendars.expand_days.cache_clear()


LIAR = '''\
"""A release of `holidays` that knows better: every day is one."""

class Always(dict):
    def __contains__(self, day):
        return True
    def is_working_day(self, day):
        return False

def country_holidays(*_, **__):
    return Always()
'''


def test_another_process_with_another_release_of_holidays(tmp_path: Path) -> None:
    """Explained and gone on with: the same bytes, and the engine that restarts there decides alike."""
    (tmp_path / "liar").mkdir()
    (tmp_path / "liar" / "holidays.py").write_text(LIAR, encoding="utf-8")
    path = tmp_path / "city.db"
    ledger = SqliteLedger(path, clock=lambda: 0, synchronous="OFF")
    live(ledger, 4)
    found = check(ledger)
    ledger.close()
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, str(here / "test_explain_history.py"), str(path)],
        capture_output=True, text=True, timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path / "liar", here.parent.parent)))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)
    assert told["found"] == found
    assert told["first policy"] != versions()[0].sha256  # it does lie
    ledger = SqliteLedger(path, clock=lambda: 0, synchronous="OFF")
    host = Embedded(ledger, intake(), Books(ledger), grid=grid().sha256)
    assert host.engine.state.policy_sha == versions()[1].sha256
    ledger.close()


def test_the_policies_do_decide_differently() -> None:
    """Otherwise all of this would prove nothing."""
    ledger = MemoryLedger(lambda: 0)
    live(ledger, 1)
    deciders = [compile_policy(policy) for policy in versions()]
    differing = {
        pair
        for _, _, facts_json, _ in decisions(ledger)
        for facts in [msgspec.json.decode(facts_json, type=Facts)]
        for pair in ((a, b) for a in range(4) for b in range(a))
        if encode(deciders[pair[0]].decide(facts)) != encode(deciders[pair[1]].decide(facts))
    }
    assert differing == {(a, b) for a in range(4) for b in range(a)}


if __name__ == "__main__":
    opened = SqliteLedger(Path(sys.argv[1]), read_only=True)
    print(orjson.dumps({"found": check(opened), "first policy": versions()[0].sha256}).decode())
    opened.close()
