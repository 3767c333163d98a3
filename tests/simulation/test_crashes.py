"""Ten thousand lives with deaths in them: a process dies at any step, any number of times, and nothing shows.

A schedule is a history, a producer that sends it (and sends again whatever was not acknowledged), a host that follows,
and the steps at which everybody dies. All of it follows from one seed. Afterwards
- the outputs equal those of an undisturbed run over the log that came about, record for record;
- where the producer sends one record at a time, they equal those of the history without any of it: only the tally
  and the rejections know of what was sent twice.
"""

from collections import Counter
from random import Random

import orjson
import pytest
from sim_city import start
from sim_history import History
from sim_outputs import Outputs, no_clock, outputs, run

from dispatcher.core import CLOCK, Engine
from dispatcher.hosts.embedded import Embedded
from dispatcher.ledger import Crashes, Died, Entry, MemoryLedger
from dispatcher.ledger.memory import STEPS

HISTORIES = 250
LIVES = 40  # schedules of each history
HOST_STEPS = ("step:taken", "step:processed", "step:committed")


def live(entries: list[Entry], random: Random, fate: Crashes, group_max: int) -> MemoryLedger:
    """The whole of a schedule, from an empty ledger until everything is caught up."""
    ledger = MemoryLedger(no_clock, fate)
    batch_records = random.randint(1, 4)
    host: Embedded | None = None
    sent, now_ms = 0, 0
    while True:
        try:
            if host is None:
                host = start(ledger, batch_records=batch_records, on_step=fate)
            while sent < len(entries):
                group = entries[sent : sent + random.randint(1, group_max)]
                ledger.append(group)  # whoever dies before this returns sends the group again
                sent += len(group)
                now_ms = group[-1].time_ms
                for _ in range(random.randint(0, 2)):
                    host.step()
                if sent < len(entries) and random.random() < 0.5:
                    host.tick(random.randint(now_ms, entries[sent].time_ms))
            host.catch_up()
        except Died:
            host = None
        else:
            return ledger


def log_of(ledger: MemoryLedger) -> list[Entry]:
    """What lies in the ledger after the first policy, to be worked through again."""
    records = ledger.read(0, -1, 1 << 30)
    assert [r.time_ms for r in records] == sorted(r.time_ms for r in records)
    return [Entry(r.topic, r.value, r.key, r.time_ms) for r in records[1:]]


def quietly(ledger: MemoryLedger) -> MemoryLedger:
    """The same ledger with nobody dying any more."""
    ledger._step = lambda _: None
    return ledger


def without_traces_of_repeats(found: Outputs) -> tuple:
    """What must not know that records were sent twice: all but the tally, and rejections up to their offset."""
    appended = [record for record in found.appended if record[0] != "rejected"]
    rejected = set()
    for topic, _, time_ms, value in found.appended:
        if topic == "rejected":
            said = orjson.loads(value or b"")
            del said["offset"]
            rejected.add((time_ms, orjson.dumps(said)))
    newest = {key: value for key, value in found.newest.items() if key != ("state", "tally")}
    return appended, newest, rejected


def accepted(found: Outputs) -> dict[str, int]:
    tally = orjson.loads(found.newest["state", "tally"])
    return {name: count for name, count in tally.items() if name.endswith(("_accepted", "_merged", "_located"))}


def history(number: int) -> list[Entry]:
    return History(1_000 + number).entries(5 + number % 11)


@pytest.fixture(scope="module")
def coverage():
    """Steps gone through and steps died at, over all schedules of this file."""
    return Counter(), Counter()


def schedules(numbers, lives, coverage) -> Counter:
    seen: Counter = Counter()
    for number in numbers:
        entries = history(number)
        undisturbed = outputs(run(entries)[0])
        plain, counted = without_traces_of_repeats(undisturbed), accepted(undisturbed)
        for life in range(lives):
            seed = number * 1_000 + life
            where = f"history {number}, life {life} (seed {seed})"
            random = Random(seed)
            fate = Crashes(random, passed=coverage[0], died=coverage[1])
            group_max = random.choice((1, 4))
            found = quietly(live(entries, random, fate, group_max))
            log, lived = log_of(found), outputs(found)
            repeats = sum(e.topic != CLOCK for e in log) - sum(e.topic != CLOCK for e in entries)
            assert repeats >= 0, where
            assert lived == (outputs(run(log)[0]) if repeats else undisturbed), where
            if group_max == 1:
                assert without_traces_of_repeats(lived) == plain, where
                assert accepted(lived) == counted, where
                seen["against the history"] += 1
            seen["schedules"] += 1
            seen["sent twice"] += repeats > 0
    return seen


def test_ten_thousand_schedules_of_deaths(coverage, capsys):
    seen = schedules(range(HISTORIES), LIVES, coverage)
    passed, died = coverage
    with capsys.disabled():
        print(f"\n{dict(seen)}, {sum(died.values())} deaths")
        for step in (*STEPS, *HOST_STEPS):
            print(f"  {step:18} passed {passed[step]:>8,}  died at {died[step]:>6,}")
    assert seen["schedules"] >= 10_000
    assert seen["against the history"] > 4_000
    assert seen["sent twice"] > 500
    assert passed.keys() == died.keys() == {*STEPS, *HOST_STEPS}
    assert min(died.values()) >= 20


def test_deaths_between_the_slices_of_a_batch(monkeypatch, coverage):
    """Commits that hold but a part of a batch, and deaths between them."""
    monkeypatch.setitem(Engine.process.__kwdefaults__, "outputs_max", 1)
    assert schedules(range(900, 920), 20, coverage)["schedules"] == 400
