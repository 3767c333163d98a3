"""What is going to be done, by the time; and how it is said: as entries of the ledger."""

import random
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count

import orjson

from bench.year.console import Console
from bench.year.habits import Habits
from dispatcher.core import CONTROL, REPORTS, UPDATES, ms_to_text
from dispatcher.ledger import Entry

__all__ = ["MINUTE_MS", "Act", "Agenda", "Office"]

MINUTE_MS = 60_000
Act = Callable[[int], Sequence[Entry]]  # done at an instant; what it writes to the ledger


class Agenda:
    """Acts by their instants; at one instant, in the order they were planned."""

    def __init__(self) -> None:
        self._acts: list[tuple[int, int, Act]] = []
        self._number = count()
        self.now_ms = 0

    def __len__(self) -> int:
        return len(self._acts)

    @property
    def next_ms(self) -> int:
        """When something is next done. Raises IndexError when nothing is."""
        return self._acts[0][0]

    def plan(self, at_ms: float, act: Act) -> None:
        """Do it then; what would have had to be done before now is done now."""
        heappush(self._acts, (max(int(at_ms), self.now_ms), next(self._number), act))

    def pop(self) -> Act:
        """The next act; it is its instant now."""
        self.now_ms, _, act = heappop(self._acts)
        return act


class Office:
    """What everybody who acts has: an agenda, a console to look at, habits, dice of their own."""

    def __init__(self, name: str, seed: int, agenda: Agenda, console: Console, habits: Habits) -> None:
        self.agenda, self.console, self.habits = agenda, console, habits
        self.rng = random.Random(f"year {seed} {name}")
        self._name, self._number = name, count(1)

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return self.rng.random() < probability

    def after(self, low_min: float, high_min: float) -> int:
        """An instant between so many and so many minutes from now."""
        return self.agenda.now_ms + int(self.rng.uniform(low_min, high_min) * MINUTE_MS)

    def update(
        self,
        incident_id: str,
        action: str,
        fields: Mapping[str, object],
        *,
        role: str | None = None,
        person: str | None = None,
        unit: str | None = None,
        by_department: str | None = None,
    ) -> list[Entry]:
        """An update: by a department on its own topic, else by a role on `updates`; now and then it is sent twice."""
        now_ms = self.agenda.now_ms
        said: dict[str, object] = {
            "update_id": f"{self._name}-{next(self._number)}",
            "action": action,
            "at": ms_to_text(now_ms),
            **{name: value for name, value in fields.items() if value is not None},
        }
        if "report" not in said:  # an incident is named by its id or by one of its reports
            said["incident_id"] = incident_id
        topic = UPDATES
        if by_department is not None:
            topic = f"{UPDATES}.{by_department}"
            if unit is not None:
                said["unit"] = unit
        else:
            actor = {"role": role, "person": person or f"{role}-{self.rng.randrange(20)}"}
            said["actor"] = actor if unit is None else actor | {"unit": unit}
        entry = Entry(topic, orjson.dumps(said), incident_id, now_ms)
        return [entry, entry] if self.chance(self.habits.update_repeated) else [entry]

    def command(self, command_id: str, command: str, fields: Mapping[str, object]) -> list[Entry]:
        """A command of an administrator."""
        said = {"command_id": command_id, "command": command, **fields}
        return [Entry(CONTROL, orjson.dumps(said), None, self.agenda.now_ms)]

    def report(self, value: bytes) -> list[Entry]:
        """A report, as bytes."""
        return [Entry(REPORTS, value, None, self.agenda.now_ms)]
