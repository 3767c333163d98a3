"""The dispatcher with two bugs planted: one report breaks the engine, another makes it put out a record too large."""

from dispatcher.__main__ import main
from dispatcher.core import engine

OVERSIZE, POISON = "OVERSIZE", "POISON"
_admit = engine.admit


def admit(turn, work, now_ms):
    _admit(turn, work, now_ms)
    if work.report.report_id == POISON:
        raise RuntimeError("a planted bug")
    if work.report.report_id == OVERSIZE:
        turn.out.emit("events", OVERSIZE, now_ms, b"x" * 3_000_000)


engine.admit = admit

if __name__ == "__main__":
    main()
