"""`dispatcher explain`."""

from pathlib import Path
from typing import NoReturn

import msgspec

from dispatcher.commands.instants import instant_ms
from dispatcher.commands.opening import config_of, find_incident, opened, policy_named
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.core.records import recorded_decisions
from dispatcher.explain import Explanation, Refusal, explain_incident, explain_under, in_mode, render, what_if
from dispatcher.hosts.setup import Books, load_setup
from dispatcher.views import events_of
from rules import Policy
from rules.problems import Language

__all__ = ["explain_command"]

Explained = tuple[Explanation, Policy]


def explain_command(
    config_path: Path,
    ledger_path: Path | None,
    what: str,
    *,
    at: str | None,
    mode: str | None,
    policy: str | None,
    lang: str,
    json: bool,
) -> None:
    """Explain a past incident, or what would become of a report; exit 1 when it would be rejected, or is not equal."""
    language = language_of(lang)
    file = Path(what)
    if file.suffix == ".json":
        explanation, under = _of_report(config_path, ledger_path, file, at, mode, policy, language, json=json)
    elif at is not None or mode is not None:
        fail("--at and --mode are for a report; an incident was decided at its own time, in its own mode", 2)
    else:
        explanation, under = _of_incident(config_path, ledger_path, what, policy)
    if json:
        print_json(msgspec.to_builtins(explanation))
    else:
        out.print(render(explanation, under, language), markup=False, soft_wrap=True)
    if explanation.equal is False:
        raise SystemExit(1)


def _of_incident(config_path: Path, ledger_path: Path | None, named: str, policy: str | None) -> Explained:
    other = None if policy is None else policy_named(policy, config_path, ledger_path)
    with opened(config_path, ledger_path) as books:
        record = find_incident(books.view, named)
        own = Books(books.ledger)[record.decision.policy].policy
        if other is not None:
            return explain_under(other, own, record), other
        events = [kept.value or b"" for kept in events_of(books.view, books.ledger, record.incident_id)]
        recorded = recorded_decisions(events).get(record.decision_seq)
        return explain_incident(own, record, recorded, events), own


def _of_report(
    config_path: Path,
    ledger_path: Path | None,
    file: Path,
    at: str | None,
    mode: str | None,
    named: str | None,
    lang: Language,
    *,
    json: bool,
) -> Explained:
    at_ms = instant_ms(at, lang, "--at")
    report = file.read_bytes()
    setup = load_setup(config_of(config_path))
    policy = setup.policy if named is None else policy_named(named, config_path, ledger_path)
    try:
        decides = policy if mode is None else in_mode(policy, mode)
    except ValueError:
        fail(f"no mode {mode}; the policy has {', '.join(policy.modes)}", 2)
    done = what_if(decides, setup.intake, setup.grid.sha256, report, at_ms)
    if isinstance(done, Refusal):
        _refused(file, done, json=json)
    record, events = done
    return explain_incident(policy, record, None, events, hypothetical=True), policy


def _refused(file: Path, refusal: Refusal, *, json: bool) -> NoReturn:
    if json:
        print_json({"rejected": msgspec.to_builtins(refusal)})
        raise SystemExit(1)
    fail(f"{file}: this report would be rejected: {refusal.reason}: {refusal.detail}")
