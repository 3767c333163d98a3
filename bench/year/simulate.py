"""Letting time pass: acts are written to the ledger in short stretches, the engine works them through, people read."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.town import Town
from bench.year.agenda import MINUTE_MS, Agenda, Office
from bench.year.console import Console, Rejection
from bench.year.habits import Habits
from bench.year.people import People
from bench.year.retention import ShortLedger
from bench.year.season import HOUR_MS, Season, Storm, midnight_ms
from dispatcher.core import CLOCK, EngineFault, Outcome, ms_to_text
from dispatcher.core.waiting import unwatched
from dispatcher.hosts.setup import Setup
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry
from dispatcher.metrics import Batch
from dispatcher.views import Projection
from rules import Policy

__all__ = ["Simulation", "Span"]

STRETCH_MS: Final = 4 * MINUTE_MS  # nobody answers sooner; whatever is urgent ends a stretch at once
FOLLOW_DAYS: Final = 5  # how often the projection catches up; in between the ledger holds what it has to follow
PLAIN_EVERY_MS: Final = 50
LAST_DAY_SHARE: Final = 0.85  # of the last day's matters; the others are counted in during its last hour

_rejection = msgspec.json.Decoder(Rejection)
_NAMES = re.compile(r"\d{8}-\d{3}-\d+|@\d+|\w+-\d+|\b\d{9,}\b")  # ids, cells and persons: what differs in every detail


class _Said(msgspec.Struct):
    action: str = "?"


class _Serial(msgspec.Struct):
    day: str
    number: int


_said = msgspec.json.Decoder(_Said)
_serial = msgspec.json.Decoder(_Serial)


class Span(NamedTuple):
    """Which days, and how many incidents are opened in them."""

    first: date
    days: int
    incidents: int

    @property
    def start_ms(self) -> int:
        """The midnight the first day begins with."""
        return midnight_ms(self.first)

    @property
    def end_ms(self) -> int:
        """The midnight after the last day."""
        return midnight_ms(self.first + timedelta(days=self.days))


class Simulation:
    """A span of days in a town under a policy.

    Args:
        town: where.
        policy: what decides.
        span: when and how much.
        seed: of everything people do.
        directory: where `archive.jsonl` and the projection are written.
        habits: how people behave.
    """

    def __init__(
        self, town: Town, policy: Policy, span: Span, seed: int, directory: Path, habits: Habits | None = None
    ) -> None:
        habits = habits or Habits()
        self.span, self.policy = span, policy
        self.ledger = ShortLedger(directory / "archive.jsonl")
        self.view = Projection(directory / "view.sqlite")
        self.agenda = Agenda()
        console = Console(partial(self.ledger.newest, "incidents"))
        given = seed, self.agenda, console, habits
        self._season = Season(span.first, span.days, Office("season", *given).rng)
        self._people = People(*given, town, policy, self._season)
        self.reporters = self._people.reporters
        self._clerk = Office("clerk", *given)  # who writes commands
        self._opened_on: dict[str, int] = {}
        self.counts: Counter[str] = Counter()  # of the engine: timers by what they did, rules, rejections by reason
        self.refusals: Counter[str] = Counter()  # of updates: action and why, names left out
        self.most_open = self.most_held = 0
        self.faults: list[str] = []
        self.forgotten: dict[str, str] = {}  # what the watchdog found: open incidents that nothing would move on
        self._townships = [code for code in town.grid.codes if town.grid.level_of(code) == 1]
        self.host = start(
            self.ledger, Setup(town.grid, town.placer, town.intake, policy), batch_records=5_000, observer=self
        )
        self._step()

    @property
    def opened(self) -> int:
        """Incidents opened so far: their serial numbers begin anew each day."""
        return sum(self._opened_on.values())

    def run(self, on_day: Callable[[int], None] | None = None) -> None:
        """Let the days pass; `on_day` is told how many incidents were opened in each."""
        for n, day in enumerate(self._season.days):
            before = self.opened
            self._plan_day(day, last=n == self.span.days - 1)
            self._pass_until(midnight_ms(day + timedelta(days=1)))
            if n % FOLLOW_DAYS == FOLLOW_DAYS - 1 or n == self.span.days - 1:
                self.view.catch_up(self.ledger)
                self.ledger.forget()
            if on_day is not None:
                on_day(self.opened - before)

    def close(self) -> None:
        """Let go of the files."""
        self.ledger.close()
        self.view.close()

    # --- told by the host ---------------------------------------------------------------------------------------

    def committed(self, outcome: Outcome, batch: Batch) -> None:  # noqa: ARG002 - the interface's
        """Everybody reads what came out on the own topics."""
        self.counts += outcome.counts
        serial = outcome.compacted.get(("state", "serial"))
        if serial is not None:
            newest = _serial.decode(serial)
            self._opened_on[newest.day] = newest.number
        for topic, _, _, value in outcome.records:
            self._people.read(topic, value)
            if topic == "rejected":
                self._refused(_rejection.decode(value))

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed: kept, to be shown."""
        self.faults.append(f"{fault} ({fault.__cause__!r})")

    # --- time ---------------------------------------------------------------------------------------------------

    def _plan_day(self, day: date, *, last: bool) -> None:
        left = self.span.incidents - self.opened
        self.reporters.plan_day(day, round(self._season.quota(day, left) * (LAST_DAY_SHARE if last else 1.0)))
        storm = self._season.storm_on(day)
        if storm is not None and storm.first == day:
            self._plan_storm(storm)
        if last:
            for minutes_left in (60, 30, 10):
                self.agenda.plan(self.span.end_ms - minutes_left * MINUTE_MS, self._fill_up)

    def _plan_storm(self, storm: Storm) -> None:
        """Emergency for a day and a half, in the whole city or half of it; what is open there is decided again."""
        at_ms, name = midnight_ms(storm.first) + 7 * HOUR_MS, f"{storm.kind}-{storm.first}"
        cells = [] if storm.kind != "rain" else self._townships[::2]
        until = ms_to_text(at_ms + 36 * HOUR_MS)
        mode = {"mode": "emergency", "until": until, "cells": cells}
        self._plan_command(at_ms, name, "set_mode", mode)
        self._plan_command(at_ms + 20 * MINUTE_MS, f"{name}-again", "reroute_open", {"cells": self._townships[:2]})
        if storm.kind == "heat":
            self._plan_command(at_ms + 20 * HOUR_MS, f"{name}-end", "end_mode", {"mode_id": name})

    def _plan_command(self, at_ms: int, command_id: str, command: str, fields: Mapping[str, object]) -> None:
        self.agenda.plan(at_ms, lambda _: self._clerk.command(command_id, command, fields))

    def _fill_up(self, now_ms: int) -> list[Entry]:
        """Count the span's incidents in: as many plain matters as are missing."""
        self.reporters.plan_plain(now_ms + STRETCH_MS, PLAIN_EVERY_MS, max(0, self.span.incidents - self.opened))
        return []

    def _pass_until(self, midnight: int) -> None:
        agenda = self.agenda
        while agenda and agenda.next_ms < midnight:
            end_ms = min(agenda.next_ms + STRETCH_MS, midnight)
            self.reporters.urgent = False
            entries: list[Entry] = []
            while agenda and agenda.next_ms < end_ms and not self.reporters.urgent:
                entries += agenda.pop()(agenda.now_ms)
            if entries:
                self.ledger.append(entries)
                self._step()
        agenda.now_ms = max(agenda.now_ms, midnight)
        self.ledger.append([Entry(CLOCK, b"", None, midnight)])
        self._step()
        self._watch(midnight)

    def _step(self) -> None:
        self.host.catch_up()

    def _watch(self, now_ms: int) -> None:
        """The watchdog's question at midnight, of every open incident."""
        held = self.host.engine.state.incidents
        still_open = 0
        for incident in held.values():  # looked through once: most of them are asleep
            still_open += incident.open
            found = unwatched(incident, now_ms)
            if found is not None:
                self.forgotten.setdefault(incident.incident_id, f"{ms_to_text(now_ms)} {incident.state}: {found}")
        self.most_held = max(self.most_held, len(held))
        self.most_open = max(self.most_open, still_open)

    def _refused(self, rejection: Rejection) -> None:
        if rejection.topic.startswith("updates"):
            said = _said.decode(rejection.original)
            self.refusals[f"{said.action}: {rejection.reason}: {_NAMES.sub('…', rejection.detail)}"] += 1
