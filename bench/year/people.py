"""Everybody who acts in a simulated city, each reading what is put out for them."""

from typing import Final

import msgspec

from bench.town import Where
from bench.year.agenda import Agenda
from bench.year.centre import Centre
from bench.year.console import Console, Notice, Queued
from bench.year.departments import Departments
from bench.year.habits import Habits
from bench.year.reporters import Reporters
from bench.year.residents import REPORT, Residents
from bench.year.season import Season
from bench.year.streets import Streets
from rules import Policy

__all__ = ["DEPARTMENT", "READ", "People"]

DEPARTMENT: Final = "dept."
READ: Final = ("routed", "notices")  # besides each department's own topic

_queued = msgspec.json.Decoder(Queued)
_notice = msgspec.json.Decoder(Notice)


class People:
    """Reporters, residents, the centre, streets and departments."""

    def __init__(
        self, seed: int, agenda: Agenda, console: Console, habits: Habits, town: Where, policy: Policy, season: Season
    ) -> None:
        given = seed, agenda, console, habits
        self.reporters = Reporters(*given, town, policy, season)
        self._departments, self._centre = Departments(*given), Centre(*given)
        self._streets, self._residents = Streets(*given), Residents(*given)

    def read(self, topic: str, value: bytes) -> None:
        """Whoever reads a topic reads a record of it, and plans what to do about it."""
        if topic == "routed":
            queued = _queued.decode(value)
            for office in (self._centre, self._streets, self._residents):
                office.read(queued)
        elif topic.startswith(DEPARTMENT):
            self._departments.read(topic.removeprefix(DEPARTMENT), value)
        elif topic == "notices":
            notice = _notice.decode(value)
            if notice.to.startswith(REPORT):
                self._residents.hear(notice)
            else:
                self._centre.hear(notice)
