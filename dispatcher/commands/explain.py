"""`dispatcher explain`."""

import time
from pathlib import Path

import msgspec

from dispatcher.commands.opening import config_of, find_incident, opened
from dispatcher.commands.talk import fail, out, print_json
from dispatcher.core import REPORTS, Intake, Record
from dispatcher.core.records import recorded_decisions
from dispatcher.core.route import facts_of
from dispatcher.core.work import ReportWork
from dispatcher.explain import Explanation, explain_facts, explain_incident, render
from dispatcher.hosts.setup import Books, load_setup

__all__ = ["explain_command"]


def explain_command(config_path: Path, ledger_path: Path | None, what: str, *, lang: str, json: bool) -> None:
    """Explain a past incident under the policy of its time, or what a report would get under the present one."""
    if lang not in ("zh", "en"):
        fail(f"--lang takes zh or en, not {lang}", 2)
    file = Path(what)
    explanation = (
        _of_report(config_path, file) if file.suffix == ".json" else _of_incident(config_path, ledger_path, what)
    )
    if json:
        print_json(msgspec.to_builtins(explanation))
    else:
        out.print(render(explanation, lang), markup=False, soft_wrap=True)
    if explanation.equal is False:
        raise SystemExit(1)


def _of_incident(config_path: Path, ledger_path: Path | None, named: str) -> Explanation:
    with opened(config_path, ledger_path) as (ledger, view):
        record = find_incident(view, named)
        events = (
            kept.value
            for kept in ledger.follow("events", -1, 1 << 30)
            if kept.key == record.incident_id and kept.value is not None
        )
        recorded = recorded_decisions(events).get(record.decision_seq)
        policy = Books(ledger)[record.decision.policy].policy
        return explain_incident(policy, record, recorded)


def _of_report(config_path: Path, file: Path) -> Explanation:
    setup = load_setup(config_of(config_path))
    now_ms = time.time_ns() // 1_000_000
    work = Intake(setup.placer).take([Record(0, REPORTS, 0, 0, now_ms, None, file.read_bytes())]).work[0]
    if not isinstance(work, ReportWork):
        fail(f"{file}: this report would be rejected: {getattr(work, 'reason', '')}: {getattr(work, 'detail', '')}")
    policy = setup.policy
    facts = facts_of(policy, work, policy.modes[0], policy.resolve_category(work.report.category), 1)
    return explain_facts(policy, facts, work.place)
