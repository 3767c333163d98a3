"""The dispatcher with two bugs planted: one report breaks the engine, another makes it put out a record too large."""

from dispatcher.__main__ import main
from dispatcher.core import engine, publish
from dispatcher.core.publish import Publisher

OVERSIZE, POISON = "OVERSIZE", "POISON"
_admit, _publish = engine.admit, Publisher.publish


def admit(turn, work, now_ms):
    _admit(turn, work, now_ms)
    if work.report.report_id == POISON:
        raise RuntimeError("a planted bug")


def publishes(self, change, policy):
    _publish(self, change, policy)
    if change.what == "report" and change.incident.reports[0][1] == OVERSIZE:
        self.emit("events", change.incident.incident_id, change.at_ms, b"x" * 3_000_000)


engine.admit = admit
publish.Publisher.publish = publishes

if __name__ == "__main__":
    main()
