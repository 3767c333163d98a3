"""The main job on real reports, checking itself: `make demo`.

Replays New York's reports through the whole engine with the command line a user has, then compares what came out with
what the file itself says, by plain code that shares nothing with the engine. Exit 1 when anything is wrong.
"""

import csv
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
LEDGER = HERE.parent.parent / "var" / "demo.db"
ZONE = ZoneInfo("America/New_York")
BOROUGHS = {"MANHATTAN": "1", "BRONX": "2", "BROOKLYN": "3", "QUEENS": "4", "STATEN ISLAND": "5"}
LOCATED_MIN, LEAD_MIN = 0.98, 0.995

Row = dict[str, str]


def dispatcher(*arguments: str) -> str:
    """Run the command line and return what it prints."""
    command = [sys.executable, "-m", "dispatcher", "--config", str(HERE / "config.yaml"), *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    if done.returncode:
        sys.exit(f"dispatcher {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout


def board(row: Row) -> str | None:
    """Read a numbered community board as a district code: `05 MANHATTAN` -> `105`."""
    number, _, borough = row["Community Board"].partition(" ")
    return BOROUGHS[borough] + number if number.isdigit() and borough in BOROUGHS else None


def instant(text: str) -> datetime:
    """Read a time of the city."""
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=ZONE)


def on_time(row: Row) -> bool:
    """Say whether the row was closed by its due time; closed before it was made counts as closed when made."""
    return max(instant(row["Closed Date"]), instant(row["Created Date"])) <= instant(row["Due Date"])


def main() -> None:
    """Replay, compare, show."""
    started = time.perf_counter()
    for old in LEDGER.parent.glob(LEDGER.name + "*"):
        old.unlink()
    ledger = ("--ledger", str(LEDGER))
    reports, mapping = HERE / "reports.csv", HERE / "mapping.yaml"
    summary = json.loads(dispatcher("replay", str(reports), "--mapping", str(mapping), *ledger, "--json"))
    with reports.open(encoding="utf-8", newline="") as file:
        rows = {row["Unique Key"]: row for row in csv.DictReader(file)}
    incidents = {}
    for topic in ("incidents", "archive"):
        for line in dispatcher("export", topic, *ledger).splitlines():
            incident = json.loads(line)
            if "page" not in incident:
                incidents.update({report_id: incident for _, report_id in incident["reports"]})

    boards = {key: code for key, row in rows.items() if row["Latitude"] and (code := board(row))}
    same_board = sum(incidents[key]["place"].get("cell") == code for key, code in boards.items())
    same_lead = sum(incidents[key]["lead"]["department"] == row["Agency"].lower() for key, row in rows.items())
    dated = [row for row in rows.values() if row["Due Date"] and row["Closed Date"]]
    truly_on_time = sum(map(on_time, dated))

    print(dispatcher("kpi", "--by", "department", *ledger))
    print(dispatcher("explain", f"nyc-311/{next(iter(boards))}", *ledger))
    seconds = time.perf_counter() - started
    taken = summary["accepted"] + summary["rejected"] + summary["duplicates"]
    checks = [
        (
            "read {read} = accepted {accepted} + rejected {rejected} + duplicates {duplicates}".format(**summary),
            summary["read"] == taken == len(rows),
        ),
        (
            f"located in the named community board: {same_board} of {len(boards)} ({same_board / len(boards):.2%})",
            same_board >= LOCATED_MIN * len(boards),
        ),
        (
            f"lead is the agency of record: {same_lead} of {len(rows)} ({same_lead / len(rows):.2%})",
            same_lead >= LEAD_MIN * len(rows),
        ),
        (
            "closed on time: {on_time} of {with_due_and_close} with a due and a close time".format(**summary)
            + f" (the file itself: {truly_on_time} of {len(dated)})",
            (summary["on_time"], summary["with_due_and_close"]) == (truly_on_time, len(dated)),
        ),
    ]
    for text, right in checks:
        print(f"{'ok   ' if right else 'WRONG'} {text}")
    print(f"{seconds:.1f} s; look around:")
    print(
        f"  .venv/bin/dispatcher -c examples/nyc/config.yaml explain nyc-311/{next(iter(boards))} --ledger var/demo.db"
    )
    if not all(right for _, right in checks):
        sys.exit(1)


if __name__ == "__main__":
    main()
