"""The measures' definitions (docs/measures.md) folded in plain Python over published records and their histories.

It reads what anybody can export: the newest record of each incident and the pages of its history. No SQL, no rows of
the projection.
"""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from dispatcher.core import IncidentRecord, decode_incident, text_to_ms
from dispatcher.views import EXCLUDED, TERMS, Cohort, Grouping

NAMED = {"closed_forced": "forced", "answered_at_desk": "desk"}
ENDS = {"closed", "closed_forced", "answered_at_desk", "referred", "self_handled", "not_accepted", "voided", "merged"}
WHOSE = {
    "received": "centre", "verifying": "centre", "filed": "centre", "returned": "centre", "reopen_requested": "centre",
    "dispatched": "lead", "handling": "lead", "on_hold": "hold", "checking": "check",
}  # fmt: skip


def ms(text: str | None) -> int | None:
    return None if text is None else text_to_ms(text)


def by(text: str | None, as_of_ms: int) -> bool:
    return text is not None and text_to_ms(text) <= as_of_ms


def told_by(ledger: Any) -> list["Case"]:
    """Every incident of a ledger, from the topics `incidents` and `archive`."""
    newest: dict[str, IncidentRecord] = {}
    pages: dict[str, dict[int, list]] = defaultdict(dict)
    for topic in ("archive", "incidents"):
        for kept in ledger.follow(topic, -1, 10**9):
            said = json.loads(kept.value or b"null")
            if said is None:
                continue
            if "page" in said:
                pages[kept.key][said["page"]] = said["history"]
            elif kept.key not in newest or newest[kept.key].revision < said["revision"]:
                newest[kept.key] = decode_incident(kept.value)
    cases = []
    for incident_id, record in newest.items():
        earlier = [entry for n in sorted(pages[incident_id]) for entry in pages[incident_id][n]]
        cases.append(Case(record, [*earlier, *(json.loads(bytes(entry)) for entry in record.history)]))
    return cases


class Case:
    """One incident: its newest record, and what became of it, entry by entry."""

    def __init__(self, record: IncidentRecord, history: list[dict]) -> None:
        self.record, self.history = record, [(text_to_ms(e["at"]), e["what"], e["state"]) for e in history]
        parts = [a for a in record.support if a.role == "former_lead"]
        if record.lead is not None:
            parts.append(record.lead)
        self.turns = [(text_to_ms(a.offered_at), a.department if a.unit is None else f"{a.department}@{a.unit}")
                      for a in parts]  # fmt: skip
        lead = self.turns[-1][1] if self.turns else None
        own = [t for t in record.targets if t.name == "resolve" and t.of == lead]
        owed = [t for t in own if t.revoked_at is None]
        self.resolve = owed[0] if owed else max(own, key=lambda t: t.revoked_at or "", default=None)

    def past(self, as_of_ms: int) -> list[tuple[int, str, str]]:
        return [entry for entry in self.history if entry[0] <= as_of_ms]

    def state(self, as_of_ms: int) -> str | None:
        past = self.past(as_of_ms)
        return past[-1][2] if past else None

    def end_ms(self, as_of_ms: int) -> int | None:
        """When it came to the end it is in; a refused wish to reopen it changes nothing."""
        end, before = None, None
        for at_ms, what, state in self.past(as_of_ms):
            if state in ENDS and state != before and what != "refuse_reopen":
                end = at_ms
            before = state
        return end if before in ENDS else None

    def counts(self, as_of_ms: int) -> Counter[str]:
        found: Counter[str] = Counter()
        before, why = None, None
        for _, what, state in self.past(as_of_ms):
            if state == before:
                continue
            if before == "checking" and state == "handling":
                found["rework"] += 1
            if state == "returned" and what == "return":
                found["returned"] += 1
            if before == "returned" and why == "return":
                found["upheld"] += what == "assign"
            if before == "returned" and what == "refuse_return":
                found["refused"] += 1
            if before == "reopen_requested" and what == "reopen":
                found["reopened"] += 1
            before, why = state, what
        for request in self.record.requests:
            if request.state == "approved" and by(request.decided_at, as_of_ms):
                found[f"granted {request.kind}"] += 1
        for called in self.record.callbacks:
            if called.answered and by(called.last_at, as_of_ms):
                found["answered"] += 1
                found["resolved"] += called.resolved is True
                found["satisfied"] += called.satisfied is True
        return found

    def lead(self, as_of_ms: int) -> str | None:
        led = [party for offered_ms, party in self.turns if offered_ms <= as_of_ms]
        return led[-1] if led else None

    def time(self, as_of_ms: int) -> list[tuple[int, int, str, str | None]]:
        """Millisecond intervals: since, until, whose, and the lead's party."""
        past = self.past(as_of_ms)
        stop = self.end_ms(as_of_ms)
        stop = as_of_ms if stop is None else stop
        changes = [e for n, e in enumerate(past) if n == 0 or e[2] != past[n - 1][2]]
        edges = sorted({*(e[0] for e in changes), *(t for t, _ in self.turns), stop})
        found = []
        for since, until in pairwise(edges):
            if until > stop or since < changes[0][0]:
                continue
            n = max(n for n, e in enumerate(changes) if e[0] <= since)
            state = changes[n][2]
            whose = WHOSE.get(state, "resting")
            if state == "returned" and n + 1 < len(changes) and changes[n + 1][1] == "refuse_return":
                whose = "lead"
            found.append((since, until, whose, self.lead(since) if whose == "lead" else None))
        return found


class Oracle:
    """Every term of a cohort."""

    def __init__(self, cases: list[Case], cohort: Cohort, outages: tuple[tuple[int, int, int], ...] = ()) -> None:
        self.cases, self.cohort, self.outages = cases, cohort, outages

    def exempt(self, case: Case, party: str | None) -> bool:
        as_of_ms = self.cohort.as_of_ms
        return any(
            r.kind == "exempt" and r.state == "approved" and r.party == party and by(r.decided_at, as_of_ms)
            for r in case.record.requests
        )

    def left_out(self, case: Case, party: str | None, due_ms: int | None) -> bool:
        """Whether the adjusted figures leave out what a party owed by an instant."""
        down = any(
            told <= self.cohort.as_of_ms and a <= due_ms <= b for a, b, told in self.outages if due_ms is not None
        )
        return self.cohort.adjusted and (down or self.exempt(case, party))

    def seen(self, case: Case) -> dict[str, Any] | None:
        """What is known of a case at the instant."""
        as_of_ms, basis, from_ms, to_ms, _, _ = self.cohort
        record, state = case.record, case.state(as_of_ms)
        if state is None:
            return None
        filed = by(record.dispatched_at, as_of_ms)
        filed_ms = ms(record.dispatched_at) if filed else None
        opened_ms = ms(record.opened_at)
        resolve = case.resolve
        due_ms = ms(resolve.due_at) if filed and resolve is not None else None
        lead = case.lead(as_of_ms) if filed else None
        end_ms = case.end_ms(as_of_ms)
        done_ms = None
        if record.lead is not None:
            done_ms = ms((resolve.fulfilled_at if resolve is not None else None) or record.lead.done_at)
        ends = [s for _, _, s in case.past(as_of_ms) if s in ENDS]
        done = (done_ms is not None and done_ms <= as_of_ms) or state in ("checking", "closed") or (
            state == "reopen_requested" and ends[-1] == "closed"
        )  # fmt: skip
        breached = None if resolve is None else ms(resolve.breached_at)
        for former in record.targets:
            over = former.name == "resolve" and former.fulfilled_at is not None and former.revoked_at is not None
            if over and ms(former.revoked_at) > as_of_ms:
                breached = ms(former.breached_at) or breached
                break
        if ms(record.updated_at) > as_of_ms:
            held = state == "on_hold"
        else:
            held = resolve is not None and resolve.paused_by not in (None, "done")
        over = [at for at in (end_ms, done_ms) if at is not None]
        late = (breached is not None and breached <= as_of_ms) or (
            not held and due_ms is not None and due_ms <= as_of_ms and all(due_ms < at for at in over)
        )
        anchors = {"received": (opened_ms,), "filed": (filed_ms, opened_ms), "due": (due_ms, filed_ms, opened_ms)}
        anchor = next(a for a in anchors[basis] if a is not None)
        return {
            "state": state, "end": NAMED.get(state, state) if state in ENDS else None, "end_ms": end_ms, "lead": lead,
            "filed": filed, "due_ms": due_ms, "done": done, "held": held, "late": late, "filed_ms": filed_ms,
            "member": from_ms <= anchor < to_ms, "received": from_ms <= opened_ms < to_ms, "opened_ms": opened_ms,
        }  # fmt: skip

    def terms(self, case: Case) -> tuple[dict[str, int], dict[str, Any]] | None:
        now = self.seen(case)
        if now is None:
            return None
        as_of_ms, record = self.cohort.as_of_ms, case.record
        end, late, done, due_ms = now["end"], now["late"], now["done"], now["due_ms"]
        received = now["received"] and end != "merged"
        one = now["member"] and now["filed"] and end != "merged"
        regular = end in (None, "closed")
        need = one and due_ms is not None and ((regular and done) or late)
        count = case.counts(as_of_ms)
        contact = [t for t in record.targets if t.name == "contact"]
        reached = any(t.breached_at is None and by(t.fulfilled_at, as_of_ms) for t in contact)
        terms = {
            "received": received,
            "received_closed": received and end == "closed",
            "unfiled": now["member"] and not now["filed"] and end is None,
            "filed": one,
            "open": one and end is None,
            "closed": one and end == "closed",
            "need_close": need,
            "need_close_closed": need and end == "closed",
            "closed_in_time": need and end == "closed" and not late,
            "done": one and regular and done,
            "done_in_time": one and regular and done and due_ms is not None and not late,
            "overdue_pending": one and end is None and late and not done,
            "held_now": one and end is None and now["held"],
            "no_deadline": one and due_ms is None,
            "first_lead_kept": one and regular and (not case.turns or case.turns[0][1] == now["lead"]),
            "rework": one * count["rework"],
            "returned": one * count["returned"],
            "upheld": one * count["upheld"],
            "extended": one * count["granted extension"],
            "held": one * count["granted hold"],
            "reopened": one * count["reopened"],
            "rework_cases": one and count["rework"] > 0,
            "returned_cases": one and count["returned"] > 0,
            "refused_cases": one and count["refused"] > 0,
            "extended_cases": one and count["granted extension"] > 0,
            "held_cases": one and count["granted hold"] > 0,
            "came_back": one and end == "closed" and self.again(case, now) is not None,
            "contact_owed": one and bool(contact),
            "contacted_in_time": one and regular and reached,
            "answered": one * count["answered"],
            "resolved": one * count["resolved"],
            "satisfied": one * count["satisfied"],
            **{outcome: now["member"] and end == outcome for outcome in EXCLUDED},
            "excluded_late": one and not regular and late,
        }
        now["parts"] = one
        kept = not self.left_out(case, now["lead"], due_ms)
        return {name: kept * int(value) for name, value in terms.items()}, now

    def again(self, case: Case, now: dict[str, Any]) -> str | None:
        """The first case after this one that says it was not settled."""
        record, as_of_ms = case.record, self.cohort.as_of_ms
        last_ms = now["end_ms"] + self.cohort.came_back_ms
        found = []
        for other in self.cases:
            theirs = other.record
            if other is case or theirs.category is None or theirs.category != record.category:
                continue
            same_cell = theirs.place.cell is not None and theirs.place.cell == record.place.cell
            same_asset = theirs.asset is not None and theirs.asset == record.asset
            opened_ms, filed_ms = text_to_ms(theirs.opened_at), ms(theirs.dispatched_at)
            if not (same_cell or same_asset) or filed_ms is None:
                continue
            in_time = now["end_ms"] <= opened_ms <= last_ms and filed_ms <= min(as_of_ms, last_ms)
            if in_time and other.state(as_of_ms) != "merged":
                found.append((filed_ms, theirs.incident_id))
        return min(found)[1] if found else None

    def attendances(self, case: Case) -> list[tuple[str, int, int]]:
        """Party, owed, attended in time; of a case whose parts count."""
        as_of_ms, found = self.cohort.as_of_ms, []
        if case.record.whistle is None:
            return []
        for target in case.record.targets:
            met, gone_ms = by(target.fulfilled_at, as_of_ms), ms(target.revoked_at)
            due_ms = None if target.paused_by is not None else ms(target.due_at)
            if target.name != "attend" or self.left_out(case, target.of, due_ms):
                continue
            due = due_ms is not None and due_ms <= as_of_ms and (gone_ms is None or due_ms < gone_ms)
            found.append((target.of, int(met or due), int(met and target.breached_at is None)))
        return found

    def fold(self, grouping: Grouping) -> dict[str | None, dict[str, int]]:
        groups: dict[str | None, dict[str, int]] = {}
        for case in self.cases:
            found = self.terms(case)
            if found is None:
                continue
            terms, now = found
            own = self.code(case, now, grouping)
            more = [(own, terms)]
            if now["parts"]:
                for party, owed, attended in self.attendances(case):
                    code = {"department": party.split("@")[0], "party": party}.get(grouping.by or "", own)
                    more.append((code, {"attend_owed": owed, "attended": attended}))
            for code, counts in more:
                if any(counts.values()):
                    group = groups.setdefault(code, dict.fromkeys(TERMS, 0))
                    for name, value in counts.items():
                        group[name] += value
        return groups

    def code(self, case: Case, now: dict[str, Any], grouping: Grouping) -> str | None:
        record, lead = case.record, now["lead"]
        if grouping.by == "area":
            level = grouping.level or 1
            return record.place.path[level - 1] if len(record.place.path) >= level else None
        if grouping.by in ("category", "major"):
            depth = 1 if grouping.by == "major" else grouping.level
            category = record.category
            return category if category is None or not depth else ".".join(category.split(".")[:depth])
        return {"department": lead and lead.split("@")[0], "party": lead, "source": record.facts.source}.get(
            grouping.by or ""
        )
