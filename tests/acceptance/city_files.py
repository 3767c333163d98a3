"""Files of the New York kind, made from the shipped rows by seed: other names, other order, broken in known ways."""

import csv
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

Row = dict[str, str]
ZONE = ZoneInfo("America/New_York")
CITY_FORMAT = "%m/%d/%Y %I:%M:%S %p"
BOROUGHS = {"MANHATTAN": "1", "BRONX": "2", "BROOKLYN": "3", "QUEENS": "4", "STATEN ISLAND": "5"}


def shipped_rows(nyc: Path) -> list[Row]:
    with (nyc / "reports.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def district(row: Row) -> str | None:
    number, _, borough = row["Community Board"].partition(" ")
    return BOROUGHS[borough] + number if number.isdigit() and borough in BOROUGHS else None


def instant(text: str) -> datetime:
    return datetime.strptime(text, CITY_FORMAT).replace(tzinfo=ZONE)


def on_time(row: Row) -> bool:
    return max(instant(row["Closed Date"]), instant(row["Created Date"])) <= instant(row["Due Date"])


class Variant(NamedTuple):
    """A file's rows (strings: lines that are no JSON) and what must come of them."""

    rows: list[Row | str]
    accepted: dict[str, Row]  # by id: the row that is taken
    rejected: int
    repeated: int
    unknown_types: set[str]


def variant(nyc: Path, seed: int) -> Variant:
    """Shuffled, with new ids; some types unknown, ids repeated, rows broken, positions missing."""
    rng = random.Random(seed)
    taken: dict[str, Row] = {}
    unknown: set[str] = set()
    rows: list[Row | str] = []
    rejected = repeated = 0
    for number, shipped in enumerate(shipped_rows(nyc)):
        row = {**shipped, "Unique Key": str(90_000_000 + seed * 10_000 + number)}
        chance = rng.random()
        if chance < 0.05:
            row["Complaint Type"] = f"Unheard Of {rng.randrange(10)}"
            unknown.add(row["Unique Key"])
        elif chance < 0.10:
            row["Latitude"] = row["Longitude"] = ""
        elif chance < 0.13:
            row["Created Date"] = rng.choice(["", "yesterday", "13/45/2018 99:00:00 PM"])
            row["Closed Date"] = ""
            rejected += 1
        elif chance < 0.15:
            row["Latitude"] = rng.choice(["north", "4O.7"])
            rejected += 1
        elif chance < 0.16:
            row["Unique Key"] = ""
            rejected += 1
        elif chance < 0.20:
            rows.append(dict(row))
            repeated += 1
        elif chance < 0.23:  # the same id again, later, saying something else
            later = instant(row["Created Date"]) + timedelta(days=rng.choice([1, 40, 900]))
            rows.append({**row, "Created Date": later.strftime(CITY_FORMAT), "Complaint Type": "Noise"})
            rejected += 1
        if chance < 0.10 or chance >= 0.16:
            taken[row["Unique Key"]] = row
        rows.append(row)
    rng.shuffle(rows)
    return Variant(rows, taken, rejected, repeated, unknown)


def api_row(row: Row) -> Row:
    """A row as the city's API writes it: names in lower case, ISO times without an offset, no empty fields."""
    named = {name.lower().replace(" ", "_"): value for name, value in row.items() if value}
    for name in ("created_date", "closed_date", "due_date"):
        try:
            named[name] = instant(named[name]).strftime("%Y-%m-%dT%H:%M:%S.000")
        except (KeyError, ValueError):
            continue
    return named


def write_csv(rows: list[Row | str], path: Path) -> None:
    named = [row for row in rows if isinstance(row, dict)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(named[0]))
        writer.writeheader()
        writer.writerows(named)


def write_json(rows: list[Row | str], path: Path, *, lines: bool) -> None:
    texts = [row if isinstance(row, str) else json.dumps(api_row(row)) for row in rows]
    path.write_text("\n".join(texts) if lines else "[" + ",\n".join(texts) + "]", encoding="utf-8")
