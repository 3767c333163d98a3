"""Each timer fires once and never early: across deaths, slices, long stops and a host's clock that jumps.

Warnings, breaches, steps of ladders, ends of holds, claims and modes, reminders of the desk, replies to supervisions.
The log that came about is audited record by record (`core_audit` works out from the calendars when each had to fire),
and what the disturbed lives put out is, byte for byte, what the audited life puts out.
"""

from collections import Counter
from random import Random

import orjson
import pytest
from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, START_MS, report, shown
from sim_lively import audited, entries, start
from sim_outputs import no_clock, outputs

from dispatcher.core import CONTROL, REPORTS, Engine
from dispatcher.hosts.embedded import Embedded
from dispatcher.ledger import Crashes, Died, Entry, MemoryLedger

LIVES, RECORDS = 60, 120
EVERY_TIMER = {
    "warn", "breach", "urge", "notify", "supervise", "report", "mode", "claim_ended", "desk_overdue", "verify_overdue",
    "supervision_overdue", "hold",
}  # fmt: skip


def quietly(ledger: MemoryLedger) -> MemoryLedger:
    """The same ledger with nobody dying any more."""
    ledger._step = lambda _: None
    return ledger


# --- deaths ---------------------------------------------------------------------------------------------------------


def live(sent: list[Entry], random: Random, fate: Crashes) -> MemoryLedger:
    """A life with deaths at the steps of `fate`: a producer that repeats what it does not know to be there."""
    ledger = MemoryLedger(no_clock, fate)
    host: Embedded | None = None
    done = 0
    while True:
        try:
            if host is None:
                host = start(ledger, batch_records=random.choice((1, 3, 50)), on_step=fate)
            while done < len(sent):
                ledger.append([sent[done]])
                done += 1
                for _ in range(random.randint(0, 2)):
                    host.step()
                if done < len(sent) and random.random() < 0.5:
                    host.tick(random.randint(sent[done - 1].time_ms, sent[done].time_ms))
            host.catch_up()
        except Died:
            host = None
        else:
            return quietly(ledger)


@pytest.mark.parametrize("outputs_max", [1, 4, 20_000])
def test_timers_fire_once_across_deaths(monkeypatch, outputs_max):
    """Also with commits so small that a mass breach and a re-routing take many, and deaths between them."""
    fired, died = Counter(), Counter()
    for seed in range(LIVES):
        random, sent = Random(seed), entries(10_000 + seed, RECORDS)
        fate = Crashes(random, deaths_max=40, within_steps=8 * RECORDS, died=died)
        with monkeypatch.context() as small:
            small.setitem(Engine.process.__kwdefaults__, "outputs_max", outputs_max)
            ledger = live(sent, random, fate)
        found, timers = audited(ledger)
        assert outputs(ledger) == found, f"seed {seed}"
        fired += timers
    assert set(fired) >= EVERY_TIMER
    assert sum(died.values()) > LIVES * 8
    assert {"commit:before", "commit:records", "commit:compacted", "commit:after", "step:committed"} <= set(died)


# --- a re-routing in slices -----------------------------------------------------------------------------------------

OPEN = 25


def storm() -> list[Entry]:
    """Many open incidents, an emergency, a re-routing of them all, and what comes in behind it."""

    def at(minutes: int, topic: str, **message) -> Entry:
        return Entry(topic, orjson.dumps(message), None, START_MS + minutes * MINUTE_MS)

    spots = [{"lon": 114.001 + 0.0015 * n, "lat": 30.005} for n in range(OPEN)]
    sent = [at(n % 3, REPORTS, **report(f"r{n}", "02", location=spot)) for n, spot in enumerate(spots)]
    sent.sort(key=lambda entry: entry.time_ms or 0)
    until = shown(START_MS + 5 * HOUR_MS)
    sent += [
        at(10, CONTROL, command="set_mode", command_id="storm", mode="emergency", until=until),
        at(11, CONTROL, command="reroute_open", command_id="all"),
        at(11, REPORTS, **report("behind", "02", location=HERE)),
        at(12, CONTROL, command="end_mode", command_id="over", mode_id="storm"),
        at(13, CONTROL, command="reroute_open", command_id="back"),
        at(60 * 24 * 4, "clock"),
    ]
    return sent


@pytest.mark.parametrize("outputs_max", [1, 3, 50])
@pytest.mark.parametrize("step", ["step:processed", "commit:compacted", "step:committed"])
def test_a_rerouting_in_slices_goes_on_where_it_was(monkeypatch, outputs_max, step):
    """The process dies at every other commit: before it, in it or after it; each incident is re-routed once."""
    whole = MemoryLedger(no_clock)
    start(whole)
    whole.append(storm())
    start(whole).catch_up()
    deaths = 0

    def fate(name: str) -> None:
        nonlocal deaths
        if name == step and ledger.position(0).offset >= OPEN:
            deaths += 1
            if deaths % 2:
                raise Died(name)

    monkeypatch.setitem(Engine.process.__kwdefaults__, "outputs_max", outputs_max)
    ledger = MemoryLedger(no_clock, fate)
    start(ledger)
    ledger.append(storm())
    pending = 0
    while True:
        try:
            host = start(ledger, on_step=fate)
            pending += host.engine.pending
            host.catch_up()
        except Died:
            continue
        break
    assert deaths > (60 if outputs_max < 50 else 3)
    assert pending > (10 if outputs_max < 50 else 1)  # restarted in the middle of the command
    assert outputs(ledger) == outputs(whole)
    events = [orjson.loads(value) for topic, _, _, value in outputs(ledger).appended if topic == "events"]
    for command, hits in (("all", OPEN), ("back", OPEN + 1)):
        rerouted = [e["incident_id"] for e in events for c in e.get("changes", ()) if c.get("command_id") == command]
        assert len(rerouted) == len(set(rerouted)) == hits
    ends = [e for e in events if e.get("event") == "reroute_ended"]
    assert [(end["command_id"], end["looked_at"], end["changed"]) for end in ends] == [
        ("all", OPEN, OPEN),
        ("back", OPEN + 1, OPEN + 1),
    ]


# --- clocks ---------------------------------------------------------------------------------------------------------

JUMPS_MS = (-3 * DAY_MS, -HOUR_MS, -1, 1, HOUR_MS, 2 * DAY_MS)


def test_timers_fire_once_whatever_the_hosts_clock_does():
    """The ledger dates every record by a clock that is set forth and back; the host ticks by it, and stops for days."""
    fired, backwards = Counter(), 0
    for seed in range(30):
        random, now_ms = Random(seed), [START_MS]
        ledger = MemoryLedger(lambda now_ms=now_ms: now_ms[0])
        host = start(ledger)
        for entry in entries(20_000 + seed, RECORDS):
            was_ms = now_ms[0]
            now_ms[0] = (entry.time_ms or 0) + (random.choice(JUMPS_MS) if random.random() < 0.1 else 0)
            backwards += now_ms[0] < was_ms
            ledger.append([entry._replace(time_ms=None)])
            if random.random() < 0.3:  # nobody looks for a while, and then a new process does
                host = start(ledger)
            elif random.random() < 0.7:
                host.catch_up()
                while host.tick(now_ms[0]):
                    host.catch_up()
                assert host.engine.next_due_ms >= now_ms[0], "a tick leaves nothing behind that is overdue"
        host.catch_up()
        times = [record.time_ms for record in ledger.read(0, -1, 1 << 30)]
        assert times == sorted(times)
        found, timers = audited(ledger)
        assert outputs(ledger) == found, f"seed {seed}"
        fired += timers
    assert backwards > 100
    assert set(fired) >= EVERY_TIMER - {"hold"}  # rare: those who died have seen it end
