"""A city, its follower on a file, and the one desk that everything goes to."""

from pathlib import Path

from notices_cases import VOICE, City, Clock, Desk, settings
from prometheus_client import generate_latest

from dispatcher.notices import Follower, NoticeCounters, Outbox


class Follows:
    """A city, its follower on a file, and the one desk that everything goes to."""

    def __init__(self, path: Path, city: City | None = None, desk: Desk | None = None, **fields: object) -> None:
        self.path, self.city, self.desk = path, city or City(), desk or Desk()
        self.outbox = Outbox(path)
        self.counters = NoticeCounters()
        self.clock = Clock()
        self.settings = settings(**fields)
        self.follower = self.make()

    def make(self, on_step=None) -> Follower:
        channels = {"log": self.desk, **dict.fromkeys(self.settings.channels, self.desk)}
        return Follower(self.city.ledger, self.outbox, channels, self.settings, VOICE, counters=self.counters,
                        on_step=on_step)  # fmt: skip

    def at(self, now_ms: int) -> list[list[int]]:
        """What is told in the turns at this instant."""
        self.clock.now_ms, self.desk.messages = now_ms, []
        while self.follower.turn(self.clock):
            pass
        return self.desk.told()

    def statuses(self) -> dict[int, str]:
        return {int(row.notice.notice_id.rpartition(":")[2]): str(row.status) for row in self.outbox.listed()}

    def metric(self) -> str:
        return generate_latest(self.counters.registry).decode()
