"""`dispatcher incident`."""

from collections.abc import Iterator
from pathlib import Path

import orjson
from rich.table import Table

from dispatcher.commands.opening import find_incident, opened
from dispatcher.commands.talk import out, print_json, say, shortened
from dispatcher.core import IncidentRecord
from dispatcher.core.wire import encode
from dispatcher.views import History, history

__all__ = ["incident_command"]


def incident_command(config_path: Path, ledger_path: Path | None, named: str, *, json: bool) -> None:
    """Show one incident."""
    with opened(config_path, ledger_path) as (_, view):
        record = find_incident(view, named)
        told = history(view, record.incident_id)
    if json:
        print_json(orjson.loads(encode(record)))
        return
    for line in _heading(record):
        out.print(line, markup=False)
    out.print(_assignments(record))
    out.print(_targets(record))
    for table in _dossier(record):
        out.print(table)
    if told is not None:
        out.print(_history(told))
        if not told.complete:
            say("the history is incomplete: earlier pages of it are not in this ledger's `archive` yet")


def _heading(record: IncidentRecord) -> list[str]:
    reports = ", ".join(f"{source}/{report_id}" for source, report_id in record.reports)
    return [
        f"{record.incident_id}  {record.stage} {record.state}, revision {record.revision}",
        f"category {record.category or '- (' + record.reported_category + ')'}, severity {record.severity}",
        f"place {' > '.join(record.place.path) or '-'} ({record.place.how})",
        f"opened {shortened(record.opened_at)}, closed {shortened(record.closed_at)}",
        f"responsible {record.responsible or '-'}, held by {f'level {record.level}' if record.level else 'the city'}",
        *([f"claimed by {record.claimed_by} until {shortened(record.claim_until)}"] if record.claimed_by else []),
        *([f"merged into {record.parent}"] if record.parent else []),
        *([f"took in {', '.join(record.children)}"] if record.children else []),
        *([f"referred to {record.external}"] if record.external else []),
        *([f"out of the adjusted figures: {', '.join(record.exempt)}"] if record.exempt else []),
        f"reports ({record.report_count}): {reports}",
        *([f"tags {', '.join(record.tags)}"] if record.tags else []),
        *([f"flags {', '.join(record.flags)}"] if record.flags else []),
    ]


def _assignments(record: IncidentRecord) -> Table:
    table = Table("role", "department", "state", "offered", "acknowledged", "arrived", "done", title="assignments")
    for a in ([record.lead] if record.lead else []) + record.support:
        party = a.department if a.unit is None else f"{a.department}@{a.unit}"
        table.add_row(
            a.role, party, a.state, *map(shortened, (a.offered_at, a.acknowledged_at, a.arrived_at, a.done_at))
        )
    return table


def _targets(record: IncidentRecord) -> Table:
    table = Table("target", "of", "budget", "clock", "due", "fulfilled", "overdue since", title="targets")
    for t in record.targets:
        done = f"revoked {shortened(t.revoked_at)}" if t.revoked_at else shortened(t.fulfilled_at)
        table.add_row(t.name, t.of, t.budget, t.clock, shortened(t.due_at), done, shortened(t.breached_at))
    return table


def _dossier(record: IncidentRecord) -> Iterator[Table]:
    """What only some incidents carry."""
    if record.whistle is not None:
        call = record.whistle
        table = Table("kind", "unit", "called", "departments", "ended", title="whistle")
        table.add_row(
            call.kind, call.unit, shortened(call.called_at), ", ".join(call.departments), shortened(call.ended_at)
        )
        yield table
    if record.requests:
        table = Table("no.", "kind", "party", "reason", "asked", "state", "until", title="requests")
        for r in record.requests:
            row = (r.kind, r.party, r.reason_code, shortened(r.asked_at), r.state, shortened(r.until))
            table.add_row(str(r.number), *row)
        yield table
    if record.supervision:
        table = Table(
            "no.", "by", "party", "opened", "reply due", "replied", "cleared", "milestones", title="supervision"
        )
        for s in record.supervision:
            reached = f"{sum(m.reached_at is not None for m in s.milestones)}/{len(s.milestones)}"
            instants = map(shortened, (s.opened_at, s.reply_due, s.replied_at, s.cleared_at))
            table.add_row(str(s.number), s.by, s.party, *instants, reached if s.milestones else "-")
        yield table
    if record.callbacks:
        table = Table("report", "attempts", "last", "answered", "resolved", "satisfied", title="callbacks")
        for c in record.callbacks:
            said = ["-" if word is None else "yes" if word else "no" for word in (c.answered, c.resolved, c.satisfied)]
            table.add_row(f"{c.source}/{c.report_id}", str(c.attempts), shortened(c.last_at), *said)
        yield table


def _history(told: History) -> Table:
    """All of it, the pages in `archive` included."""
    table = Table("revision", "at", "what", "by", "state", title="history")
    for entry in told.entries:
        by = entry.get("by", {})
        who = " ".join(filter(None, [by.get("role"), by.get("department"), by.get("person")]))
        what = entry["what"] + (f" ({entry['note']})" if "note" in entry else "")
        table.add_row(str(entry["revision"]), shortened(entry["at"]), what, who or "-", entry["state"])
    return table
