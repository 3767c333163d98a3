"""The town's people over a ledger: first what they did in the last hours, then what they do now."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.day.town import SmallTown
from bench.year.agenda import Agenda, Office
from bench.year.console import Console
from bench.year.habits import Habits
from bench.year.people import DEPARTMENT, READ, People
from bench.year.season import CITY_ZONE, HOUR_MS, Season, midnight_ms
from dispatcher.core import EngineFault, Outcome
from dispatcher.hosts.setup import Setup
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry, SqliteLedger
from dispatcher.metrics import Batch
from geo import Thing

__all__ = ["Life"]

STRETCH_MS: Final = 4 * 60_000  # nobody answers sooner; whatever is urgent ends a stretch at once
READ_MAX: Final = 5_000
DAYS: Final = 400


class Life:
    """People in a town, who report, work and answer.

    Args:
        path: of a ledger, made when absent.
        setup: the town, and the policy that decides.
        things: what is registered there.
        matters: a day.
        seed: of everything people do.
    """

    def __init__(self, path: Path, setup: Setup, things: tuple[Thing, ...], matters: int, seed: int) -> None:
        self._path, self._setup, self._matters = path, setup, matters
        self._agenda, self._now_ms = Agenda(), 0
        self._ledger = SqliteLedger(path, clock=lambda: self._now_ms, synchronous="OFF")
        given = seed, self._agenda, Console(lambda key: self._ledger.newest("incidents", key)), Habits()
        self._planned = datetime.now(UTC).astimezone(CITY_ZONE).date() - timedelta(days=1)  # the day to plan next
        self._begin_ms = midnight_ms(self._planned)
        self._season = Season(self._planned, DAYS, Office("season", *given).rng)
        self._people = People(*given, SmallTown(setup, things), setup.policy, self._season)
        self._after: dict[str, int] = {}

    @property
    def hours(self) -> int:
        """How many have begun since yesterday's midnight."""
        return -(-(time.time_ns() // 1_000_000 - self._begin_ms) // HOUR_MS)

    def catch_up(self, on_hour: Callable[[float], None]) -> None:
        """Work through what has been since yesterday's midnight, at its own times; the ledger must be new."""
        self._now_ms = self._agenda.now_ms = self._begin_ms
        host = start(self._ledger, self._setup, batch_records=5_000, observer=self)
        for hour in range(1, self.hours + 1):
            self._pass_until(min(self._begin_ms + hour * HOUR_MS, time.time_ns() // 1_000_000), host.catch_up)
            on_hour(1)
        self._after = {topic: self._ledger.end(topic) for topic in self._topics()}
        self._ledger.close()

    def go_on(self, stop: Callable[[float], bool]) -> None:
        """Live on beside an engine that works on the ledger; `stop` waits so many seconds and says whether to end."""
        self._ledger = SqliteLedger(self._path)
        read = SqliteLedger(self._path, read_only=True)
        try:
            while not stop(0.5):
                now_ms = self._agenda.now_ms = time.time_ns() // 1_000_000
                for topic in self._topics():
                    for kept in read.follow(topic, self._after.setdefault(topic, -1), READ_MAX):
                        self._after[topic] = kept.seq
                        self._people.read(topic, kept.value or b"{}")
                self._plan_until(now_ms + HOUR_MS)
                entries = self._due(now_ms)
                if entries:  # dated by the ledger's own clock, as anybody's are
                    self._ledger.append([entry._replace(time_ms=None) for entry in entries])
        finally:
            read.close()
            self._ledger.close()

    # --- told by the host while it catches up ---------------------------------------------------------------------

    def committed(self, outcome: Outcome, batch: Batch) -> None:  # noqa: ARG002 - the interface's
        """Everybody reads what came out on the own topics."""
        for topic, _, _, value in outcome.records:
            self._people.read(topic, value)

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed: nothing to be shown off."""
        raise fault

    # --- time -----------------------------------------------------------------------------------------------------

    def _pass_until(self, end_ms: int, catch_up: Callable[[], object]) -> None:
        self._plan_until(end_ms)
        agenda = self._agenda
        while agenda and agenda.next_ms < end_ms:
            entries = self._due(min(agenda.next_ms + STRETCH_MS, end_ms))
            self._now_ms = agenda.now_ms
            self._ledger.append(entries)
            catch_up()

    def _due(self, until_ms: int) -> list[Entry]:
        """What is done by then; once it is urgent, up to that only."""
        agenda, entries = self._agenda, list[Entry]()
        self._people.reporters.urgent = False
        while agenda and agenda.next_ms <= until_ms and not self._people.reporters.urgent:
            entries += agenda.pop()(agenda.now_ms)
        return entries

    def _plan_until(self, end_ms: int) -> None:
        """The days up to an instant."""
        while midnight_ms(self._planned) < end_ms:
            self._people.reporters.plan_day(self._planned, round(self._matters * self._season.weight(self._planned)))
            self._planned += timedelta(days=1)

    def _topics(self) -> list[str]:
        return [*READ, *(f"{DEPARTMENT}{code}" for code in self._setup.policy.departments)]
