"""Every measure of a year counted again from what was exported: plain Python over JSON lines, no code of the project.

Reads `archive.jsonl` and `incidents.jsonl` of a directory: of each incident the newest record counts, and for what
happened on the way its history. Written from the definitions of the measures, as of the end of the export.

    python tests/simulation/sim_year_recount.py var/year     # compares with the `measures.json` that lies beside
"""

import json
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

ENDS = {
    "closed": "closed", "merged": "merged", "voided": "voided", "not_accepted": "not_accepted",
    "closed_forced": "forced", "answered_at_desk": "desk", "referred": "referred", "self_handled": "self_handled",
}  # fmt: skip
MONTH_MS = 30 * 86_400_000


class Seen(NamedTuple):
    """What the measures need of one incident."""

    revision: int
    state: str
    opened: int
    filed: int | None
    due: int | None
    end: int | None
    department: str | None
    area: str | None
    report_count: int
    report_ids: tuple[tuple[str, str], ...]
    category: str | None
    cell: str | None
    asset: str | None
    facts: dict[str, int]  # terms that are the incident's own, whatever cohort it is in
    attendances: tuple[tuple[str, bool, bool], ...]  # department, owed, kept


@lru_cache(maxsize=100_000)
def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def when(record: dict[str, Any], name: str) -> int | None:
    return instant(record[name]) if record.get(name) else None


def party(part: dict[str, Any]) -> str:
    return part["department"] if part.get("unit") is None else f"{part['department']}@{part['unit']}"


def records(directory: Path) -> Iterator[dict[str, Any]]:
    for name in ("archive.jsonl", "incidents.jsonl"):
        with (directory / name).open("rb") as lines:
            yield from map(orjson.loads, lines)


def read(directory: Path, as_of: int) -> dict[str, Seen]:
    """The newest record of every incident."""
    pages: dict[str, dict[int, list[dict[str, Any]]]] = defaultdict(dict)
    newest: dict[str, Seen] = {}
    waiting: dict[str, dict[str, Any]] = {}  # long histories: their pages may stand anywhere
    for record in records(directory):
        incident_id = record["incident_id"]
        if "page" in record:
            pages[incident_id][record["page"]] = [brief(entry) for entry in record["history"]]
            continue
        if incident_id in newest and newest[incident_id].revision >= record["revision"]:
            continue
        newest[incident_id] = seen(record, [brief(entry) for entry in record["history"]], as_of)
        if record.get("history_pages"):
            waiting[incident_id] = record
    for incident_id, record in waiting.items():
        if newest[incident_id].revision == record["revision"]:
            earlier = pages[incident_id]
            assert sorted(earlier) == list(range(1, record["history_pages"] + 1)), incident_id
            history = [entry for page in sorted(earlier) for entry in earlier[page]]
            newest[incident_id] = seen(record, [*history, *map(brief, record["history"])], as_of)
    return newest


def brief(entry: dict[str, Any]) -> dict[str, Any]:
    return {"what": entry["what"], "state": entry["state"]}


def passages(history: Iterable[dict[str, Any]]) -> Counter[str]:
    """How often it went back: reworked, returned, and what became of the returns; reopened."""
    found: Counter[str] = Counter()
    before, returned = "", False
    for entry in history:
        what, state = entry["what"], entry["state"]
        if before == "checking" and state == "handling" and what in ("check", "callback"):
            found["rework"] += 1
        if before in ("dispatched", "handling") and what == "return" and state == "returned":
            found["returned"] += 1
        if before == "returned" and returned and what == "assign" and state == "dispatched":
            found["upheld"] += 1
        if before == "returned" and what == "refuse_return" and state in ("dispatched", "handling"):
            found["refused"] += 1
        if before == "reopen_requested" and what == "reopen":
            found["reopened"] += 1
        if state != before:
            returned = what == "return" and state == "returned"
        before = state
    return found


def seen(record: dict[str, Any], history: list[dict[str, Any]], as_of: int) -> Seen:
    """One incident's own terms, from its record as it stands at the end."""
    state, lead, targets = record["state"], record.get("lead"), record.get("targets", [])
    standing = ENDS.get(state, "open")
    filed = when(record, "dispatched_at")
    opened = instant(record["opened_at"])
    end = None if standing == "open" else instant(record.get("closed_at") or record["updated_at"])
    clock = None
    if lead is not None:
        own = [t for t in targets if t["name"] == "resolve" and t["of"] == party(lead)]
        standing_clocks = [t for t in own if not t.get("revoked_at")]
        clock = standing_clocks[0] if standing_clocks else max(own, key=lambda t: t["revoked_at"], default=None)
    due = None if clock is None or filed is None else instant(clock["due_at"])
    done_at = None if lead is None else lead.get("done_at")
    if clock is not None and clock.get("fulfilled_at"):
        done_at = clock["fulfilled_at"]
    held = clock is not None and clock.get("paused_by") not in (None, "done")
    done = done_at is not None or state in ("checking", "closed")
    if state == "reopen_requested":
        done = done or record.get("ended_as") == "closed"
    late = clock is not None and clock.get("breached_at") is not None
    if clock is not None and due is not None and not held and not late:
        stopped = min(end if end is not None else 1 << 62, instant(done_at) if done_at else 1 << 62)
        late = due <= as_of and due < stopped
    gone = passages(history)
    former = [a for a in record.get("support", []) if a["role"] == "former_lead"]
    asked = Counter(r["kind"] for r in record.get("requests", []) if r.get("state") == "approved")
    callbacks = [c for c in record.get("callbacks", []) if c.get("answered")]
    regular = standing in ("open", "closed")
    contact = [t for t in targets if t["name"] == "contact"]
    needs = due is not None and ((regular and done) or late)
    counts = filed is not None and standing != "merged"
    own_terms = {
        "filed": 1,
        "open": standing == "open",
        "closed": standing == "closed",
        "need_close": needs,
        "need_close_closed": needs and standing == "closed",
        "closed_in_time": needs and standing == "closed" and not late,
        "done": regular and done,
        "done_in_time": regular and done and due is not None and not late,
        "overdue_pending": standing == "open" and late and not done,
        "held_now": standing == "open" and held,
        "no_deadline": due is None,
        "first_lead_kept": regular and lead is not None and (not former or party(former[0]) == party(lead)),
        "rework": gone["rework"],
        "returned": gone["returned"],
        "upheld": gone["upheld"],
        "extended": asked["extension"],
        "held": asked["hold"],
        "reopened": gone["reopened"],
        "rework_cases": gone["rework"] > 0,
        "returned_cases": gone["returned"] > 0,
        "refused_cases": gone["refused"] > 0,
        "extended_cases": asked["extension"] > 0,
        "held_cases": asked["hold"] > 0,
        "contact_owed": bool(contact),
        "contacted_in_time": regular and any(t.get("fulfilled_at") and not t.get("breached_at") for t in contact),
        "answered": len(callbacks),
        "resolved": sum(c.get("resolved") is True for c in callbacks),
        "satisfied": sum(c.get("satisfied") is True for c in callbacks),
        "excluded_late": not regular and late,
    }
    facts = {name: int(value) for name, value in own_terms.items()} if counts else {}
    facts["unfiled"] = int(filed is None and standing == "open")
    facts |= {name: int(standing == name) for name in ENDS.values() if name != "closed"}
    attendances = ()
    if record.get("whistle") and counts:
        attendances = tuple(attendance(t, as_of) for t in targets if t["name"] == "attend")
    path = record["place"].get("path") or []
    return Seen(
        record["revision"], state, opened, filed, due, end,
        None if lead is None or filed is None else lead["department"],
        path[0] if path else None, record["report_count"], tuple(map(tuple, record["reports"])),
        record.get("category"), record["place"].get("cell"), record.get("asset"), facts, attendances,
    )  # fmt: skip


def attendance(target: dict[str, Any], as_of: int) -> tuple[str, bool, bool]:
    """A department that was called: whether it had to come by now, and whether it came in time."""
    came, gone = when(target, "fulfilled_at"), when(target, "revoked_at")
    due = None if target.get("paused_by") else instant(target["due_at"])
    missed = due is not None and due <= as_of and due < (gone if gone is not None else 1 << 62)
    return (
        target["of"].partition("@")[0],
        came is not None or missed,
        came is not None and not target.get("breached_at"),
    )


def count(
    newest: dict[str, Seen], basis: str, since: int, until: int, as_of: int
) -> dict[str, dict[str | None, Counter[str]]]:
    """All terms of a cohort: in total, by level-1 area, by department of the lead."""
    sums: dict[str, dict[str | None, Counter[str]]] = {
        by: defaultdict(Counter) for by in ("total", "area", "department")
    }

    def add(case: Seen, terms: dict[str, int], department: str | None) -> None:
        for by, group in (("total", None), ("area", case.area), ("department", department)):
            sums[by][group].update(terms)

    back = came_back(newest, as_of)
    for incident_id, case in newest.items():
        anchor = {
            "received": case.opened,
            "filed": case.filed if case.filed is not None else case.opened,
            "due": next(at for at in (case.due, case.filed, case.opened) if at is not None),
        }[basis]
        if since <= case.opened < until and case.state != "merged":
            add(case, {"received": 1, "received_closed": int(case.state == "closed")}, case.department)
        if since <= anchor < until:
            add(case, case.facts, case.department)
            if case.facts.get("closed") and incident_id in back:
                add(case, {"came_back": 1}, case.department)
            for department, owed, kept in case.attendances:
                add(case, {"attend_owed": int(owed), "attended": int(kept)}, department)
    return sums


def came_back(newest: dict[str, Seen], as_of: int) -> set[str]:
    """Closed incidents whose matter was filed again at the same place within thirty days."""
    again: dict[tuple[Any, ...], list[tuple[int, str]]] = defaultdict(list)
    for incident_id, case in newest.items():
        if case.filed is not None and case.state != "merged":
            for key in keys(case):
                again[key].append((case.opened, incident_id))
    for found in again.values():
        found.sort()
    back = set()
    for incident_id, case in newest.items():
        if case.state != "closed" or case.end is None:
            continue
        for key in keys(case):
            later = again.get(key, [])
            for opened, other in later[bisect_left(later, (case.end, "")) :]:
                if opened > case.end + MONTH_MS:
                    break
                filed = newest[other].filed
                if other != incident_id and filed is not None and filed <= min(as_of, case.end + MONTH_MS):
                    back.add(incident_id)
    return back


def keys(case: Seen) -> list[tuple[Any, ...]]:
    if case.category is None:
        return []
    places = (("cell", case.cell), ("asset", case.asset))
    return [(kind, case.category, where) for kind, where in places if where is not None]


def differences(found: dict[str, dict[str | None, Counter[str]]], said: dict[str, Any]) -> list[str]:
    """Where a measure says something else; `said` is by grouping: code -> term -> count."""
    return [
        f"{by} {code} {term}: counted {found[by].get(code, Counter())[term]}, measured {figure}"
        for by, groups in said.items()
        for code in sorted({*groups, *found[by]}, key=str)
        for term, figure in (groups.get(code) or dict.fromkeys(found[by][code], 0)).items()
        if found[by].get(code, Counter())[term] != figure
    ]


def main(directory: Path) -> int:
    saved = json.loads((directory / "measures.json").read_bytes())
    newest = read(directory, saved["as_of_ms"])
    wrong = []
    for cohort in saved["cohorts"]:
        found = count(newest, cohort["basis"], cohort["from_ms"], cohort["to_ms"], saved["as_of_ms"])
        said = {by: {line["code"]: line["terms"] for line in lines} for by, lines in cohort["groups"].items()}
        wrong += differences(found, said)
        checked = sum(len(line["terms"]) for lines in cohort["groups"].values() for line in lines)
        print(f"{cohort['basis']}: {checked:,} figures of {len(newest):,} incidents counted again")
    for line in wrong:
        print(line)
    print("all the same" if not wrong else f"{len(wrong)} differ")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
