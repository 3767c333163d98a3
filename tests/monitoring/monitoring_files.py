"""What the files of `monitoring/` say: their rules and alerts, the dashboard's expressions, the names in these."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
MONITORING = ROOT / "monitoring"
PAGE = ROOT / "docs" / "monitoring.md"
NAME = re.compile(r"\b(?:dispatch[_:][a-z0-9_:]+|process_[a-z_]+|up|ALERTS)\b")
SELECTED = re.compile(r"\b((?:dispatch[_:][a-z0-9_:]+|process_[a-z_]+|up|ALERTS))\{([^}]*)\}")
OF_A_SCRAPE = {"job", "instance", "le", "alertname", "alertstate"}


def rules(file: str) -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / file).read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules("alerts.yaml")}


def recorded() -> set[str]:
    """The names that recording rules make."""
    return {rule["record"] for rule in rules("recording.yaml")}


def shown() -> list[str]:
    """Every expression of the dashboard."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


def names(expression: str) -> set[str]:
    """The metrics an expression asks for; those of a histogram by its own name."""
    return set(NAME.findall(expression))


def selected(expression: str) -> set[tuple[str, str]]:
    """The metrics and labels by which it chooses."""
    return {
        (name, label) for name, inside in SELECTED.findall(expression) for label in re.findall(r"(\w+)\s*[=!]", inside)
    }


def documented() -> dict[str, set[str]]:
    """The metrics of docs/monitoring.md with their labels, as they are scraped."""
    found = {}
    for name, kind, labels in re.findall(r"^\| `(dispatch_\w+)` \| (\w+) \| (.*?) \|", PAGE.read_text("utf-8"), re.M):
        own = set(re.findall(r"`(\w+)`", labels))
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + suffix] = own
    return found
