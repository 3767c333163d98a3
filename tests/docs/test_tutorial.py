"""The tutorial, followed to the letter by someone who has nothing else: its files written, its commands run, what it
says they print compared.

    <!-- write: FILE -->              the next block is a whole new file
    <!-- below: FILE: LINE -->        the next block goes under that line of the file
    <!-- instead: FILE: LINE -->      the next block replaces that line
    <!-- exits: N -->                 the next commands end with N
A block ```sh is run; a block ```text right after it is what it prints, `…` standing for anything (alone on a line: for
any lines).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parent.parent.parent
DIRECTION = re.compile(r"<!-- (write|below|instead|exits): (.+?) -->")
SEEN_BY_THE_CLERK = ("rules", "examples", "config.yaml")


def fits(said: str, printed: str) -> bool:
    """Whether a text with `…` in it describes another."""
    parts = []
    for line in said.strip().splitlines():
        stripped = line.strip()
        parts.append(
            r"(?:.*\n)*?" if stripped == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + r"\s*?\n"
        )
    return re.fullmatch("".join(parts), printed.strip() + "\n") is not None


class Clerk:
    """Somebody at a terminal in a folder of her own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""
        self.done: dict[str, int] = {"write": 0, "below": 0, "instead": 0, "sh": 0, "text": 0}

    def follow(self, page: str) -> None:
        direction: tuple[str, str] | None = None
        for token in MarkdownIt().parse(page):
            if token.type == "html_block" and (found := DIRECTION.match(token.content)):
                direction = found[1], found[2]
            elif token.type == "fence":
                self.block(token.info, token.content, direction)
                direction = None

    def block(self, kind: str, content: str, direction: tuple[str, str] | None) -> None:
        if kind == "sh":
            self.run(content, int(direction[1]) if direction else 0)
        elif kind == "text":
            assert fits(content, self.printed), f"the page says\n{content}\nbut it printed\n{self.printed}"
            self.done["text"] += 1
        elif direction is not None:
            self.write(direction[0], direction[1], content)

    def run(self, commands: str, status: int) -> None:
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}
        done = subprocess.run(
            ["bash", "-euc", commands], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )
        self.printed = done.stdout + done.stderr
        assert done.returncode == status, f"{commands}\nended with {done.returncode}:\n{self.printed}"
        self.done["sh"] += 1

    def write(self, how: str, where: str, content: str) -> None:
        name, _, line = where.partition(": ")
        file = self.folder / name
        if how == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        else:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            (at,) = [number for number, each in enumerate(lines) if each.strip() == line.strip()]
            lines[at : at + 1] = [*([lines[at]] if how == "below" else []), content]
            file.write_text("".join(lines), encoding="utf-8")
        self.done[how] += 1


@pytest.mark.parametrize("page", ["policy.md", "policy.zh.md"])
def test_the_tutorial_can_be_followed(page: str, tmp_path: Path) -> None:
    for name in SEEN_BY_THE_CLERK:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    clerk = Clerk(tmp_path)
    clerk.follow((ROOT / "docs" / page).read_text(encoding="utf-8"))
    # a category, a route, a support and a test are files of their own; a holiday goes into a file that is there
    assert clerk.done["write"] >= 4
    assert clerk.done["below"] + clerk.done["instead"] >= 1
    assert clerk.done["sh"] >= 10
    assert clerk.done["text"] >= 8


def test_both_languages_tell_the_same_story() -> None:
    """The same files, the same commands; only words and what is printed differ."""
    told = []
    for page in ("policy.md", "policy.zh.md"):
        tokens = MarkdownIt().parse((ROOT / "docs" / page).read_text(encoding="utf-8"))
        blocks = [token.content for token in tokens if token.type == "fence" and token.info == "sh"]
        told.append([re.sub(r" --lang zh", "", block) for block in blocks])
    assert told[0] == told[1]


def test_a_page_that_says_something_else_is_found_out(tmp_path: Path) -> None:
    clerk = Clerk(tmp_path)
    clerk.follow("```sh\necho one; echo two\n```\n\n```text\no…\n…\n```\n")
    with pytest.raises(AssertionError, match="but it printed"):
        clerk.follow("```sh\necho one\n```\n\n```text\ntwo\n```\n")
    with pytest.raises(AssertionError, match="ended with 3"):
        clerk.follow("```sh\nexit 3\n```\n")
