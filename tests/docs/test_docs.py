"""The documents are true: links lead somewhere, commands exist, and the page of messages names every field."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from dispatcher.__main__ import app
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.messages import Location, Reason, Report, Reporter, Update, Whistle, json_schema
from dispatcher.core.publish import APPEND_TOPICS, COMPACTED_TOPICS
from dispatcher.core.records import AssignmentRecord, IncidentRecord, TargetRecord

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
MESSAGES = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return
    for name in re.findall(
        r"`((?:tests|dispatcher|geo|rules|bench|examples|docs)/[\w./-]+)`", page.read_text(encoding="utf-8")
    ):
        assert (ROOT / name).exists(), name


def test_named_commands_exist() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    said = set()
    for page in PAGES:
        said |= set(re.findall(r"\.venv/bin/dispatcher(?: -c \S+)? (\w+)", page.read_text(encoding="utf-8")))
    assert said
    assert said <= commands
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize(
    "struct", [Report, Location, Reporter, Whistle, Update, IncidentRecord, AssignmentRecord, TargetRecord]
)
def test_every_field_is_described(struct: type) -> None:
    missing = [name for name in json_schema(struct)["$defs"][struct.__name__]["properties"] if name not in MESSAGES]
    assert not missing


def test_every_topic_action_and_reason_is_described() -> None:
    topics = [topic.replace("*", "<code>") for topic in (*APPEND_TOPICS, *COMPACTED_TOPICS) if topic != "notices"]
    for word in (*topics, *ACTION_TABLE, *Reason):
        assert f"`{word}`" in MESSAGES, word
