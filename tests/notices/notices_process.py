"""A follower in a process of its own, to be killed: `notices_process.py LEDGER URL`. It ends when all is told."""

import sys
from pathlib import Path

from notices_cases import NOON_MS, VOICE, settings

from dispatcher.notices import NoticeCounters, Status
from dispatcher.notices.outbox import OUTBOX_SUFFIX, Outbox
from dispatcher.notices.running import opened_follower


def main(ledger: Path, url: str) -> None:
    made = settings(channels={"hub": {"kind": "webhook", "secret_env": "HOOK_SECRET"}},
                    routes=[{"to": "*", "channel": "hub", "address": url}])  # fmt: skip
    with opened_follower(ledger, made, VOICE, NoticeCounters()) as follower:
        while follower.turn(lambda: NOON_MS):
            pass
    outbox = Outbox(ledger.with_name(ledger.name + OUTBOX_SUFFIX))
    left = outbox.listed([status for status in Status if status is not Status.DELIVERED])
    outbox.close()
    raise SystemExit(len(left))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
