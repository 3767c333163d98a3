"""Write what is generated into the documents, between its two marks: the policy's reference, the tables of lives."""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry

from dispatcher.config import load_config
from dispatcher.core.actions import ACTION_TABLE, ActionRule
from dispatcher.core.lifecycle import (
    ASSIGNMENT_MOVES,
    ENDED_STATES,
    INCIDENT_MOVES,
    STAGE_OF,
    AssignmentState,
    IncidentState,
)
from dispatcher.gateway import Atlas, City, FileLink, HttpMetrics, build_app, parts_of, watch_city
from dispatcher.hosts.disk import watch_disk
from dispatcher.hosts.run import Health
from dispatcher.hosts.setup import load_chart
from dispatcher.metrics import EngineMetrics
from dispatcher.notices import NoticeCounters
from rules.reference import reference

FIRST, LAST = "<!-- reference: made by `make reference` -->\n", "<!-- end of reference -->\n"
HERE = Path(__file__).parent
CONFIG = HERE.parent / "examples" / "nyc" / "config.yaml"


def diagram(moves: dict[tuple[str, str], str], start: str, everywhere: dict[str, str]) -> str:
    """A Mermaid state diagram of a table; moves open in every open state are told once, in a note."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    for (old, what), new in moves.items():
        if what not in everywhere:
            lines.append(f"    {old} --> {new}: {what}")
    for what, end in everywhere.items():
        lines.append(f"    note right of {start}: from any open state, {what} leads to {end}")
    return "\n".join([*lines, "```"])


def action_row(action: str, rule: ActionRule) -> str:
    """One line of the table of actions."""
    roles = ", ".join(sorted(rule.roles))
    states = ", ".join(state for state in IncidentState if state in rule.incident)
    if rule.incident >= frozenset(IncidentState) - ENDED_STATES:
        ended = [state for state in IncidentState if state in rule.incident & ENDED_STATES]
        states = ", ".join(["any open", *ended])
    parts = "–"
    if rule.assignment is not None:
        parts = ", ".join(state for state in AssignmentState if state in rule.assignment)
    return f"| `{action}` | {roles} | {states} | {parts} | {', '.join(f'`{name}`' for name in rule.needs) or '–'} |"


def lifecycle() -> str:
    """Both machines as diagrams, the stages, and who may ask for what and when."""
    ends = {"void": "voided", "force": "closed_forced", "merge": "merged"}
    stages = "\n".join(f"| {stage} | `{state}` |" for state, stage in STAGE_OF.items())
    rows = "\n".join(action_row(action, rule) for action, rule in ACTION_TABLE.items())
    incident = diagram({(str(old), what): str(new) for (old, what), new in INCIDENT_MOVES.items()}, "received", ends)
    moves = {(str(old), what): str(new) for (old, what), new in ASSIGNMENT_MOVES.items()}
    parts = diagram(moves, "offered", {"withdraw": "withdrawn"})
    return "\n\n".join(
        [
            f"### The incident\n\n{incident}",
            f"### A department's part\n\n{parts}",
            f"### Stages\n\n| stage | state |\n|---|---|\n{stages}",
            f"### Actions\n\n| action | who | incident | its part | needs |\n|---|---|---|---|---|\n{rows}",
        ]
    )


def routes() -> str:
    """Every route of the gateway: what it is for and which roles it is open to."""
    with TemporaryDirectory() as directory:
        config, registry, here = load_config(CONFIG, {}), CollectorRegistry(), Path(directory)
        atlas, link = Atlas(load_chart(config)), FileLink(here / "city.db")
        with parts_of(config, here / "city.db.keys", link, atlas, registry, Health()) as parts:
            application = build_app(parts)
    rows = [
        f"| `{method.upper()} {path}` | {said['description'].splitlines()[0]} |"
        f" {', '.join(said['x-roles']) or 'anybody'} |"
        for path, of in application.openapi()["paths"].items()
        for method, said in of.items()
    ]
    return "\n".join(["| route | what | open to |", "|---|---|---|", *rows])


def metrics() -> str:
    """Every metric of ours: what it counts, by which labels, and whose it is."""
    engine, beside = EngineMetrics().registry, CollectorRegistry()
    HttpMetrics(beside)
    NoticeCounters(beside)
    watch_city(beside, City(FileLink(Path("city.db"))))
    watch_disk(beside, Path("city.db"))
    rows = []
    for registry, whose in ((engine, "run, worker"), (beside, "run, gateway")):
        for collector in registry._collector_to_names:
            for family in getattr(collector, "describe", list)():  # a process has none: its metrics are not ours
                if family.name.startswith("dispatch_"):
                    labels = getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ())
                    name = family.name + ("_total" if family.type == "counter" else "")
                    by = ", ".join(f"`{label}`" for label in labels) or "–"
                    rows.append(f"| `{name}` | {family.type} | {by} | {family.documentation} | {whose} |")
    return "\n".join(["| metric | kind | labels | what | of |", "|---|---|---|---|---|", *sorted(rows)])


PAGES: dict[Path, Callable[[], str]] = {
    HERE / "policy.md": lambda: reference("en"),
    HERE / "policy.zh.md": lambda: reference("zh"),
    HERE / "lifecycle.md": lifecycle,
    HERE / "gateway.md": routes,
    HERE / "monitoring.md": metrics,
}


def renewed(page: Path) -> str:
    """The page with what is generated made anew."""
    before, _, rest = page.read_text(encoding="utf-8").partition(FIRST)
    _, _, after = rest.partition(LAST)
    return f"{before}{FIRST}\n{PAGES[page]()}\n{LAST}{after}"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page), encoding="utf-8")
        sys.stdout.write(f"{page}\n")
