"""What the commands share that write to `control`: opening, asking, writing, and waiting for the engine's answer."""

import getpass
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, say
from dispatcher.config import Config
from dispatcher.core import PartitionState
from dispatcher.core.control import CELLS_MAX, Command
from dispatcher.hosts.embedded import PARTITION
from dispatcher.ledger import InUse, Ledger, SqliteLedger
from dispatcher.policies.control import Answer, Written, answer_to, submit
from dispatcher.policies.present import NothingInForce, present
from geo import load_grid
from rules.problems import Language

__all__ = ["Sent", "Silence", "cells_named", "config_for", "confirm", "read_state", "send", "signed", "wait_for",
           "writing"]  # fmt: skip

LABEL_CHARS_MAX = 256  # what a command may carry of each label
POLL_S = 0.05
PATIENCE_S = 1.0  # an engine that runs answers within a batch; after this we look whether one does
_YES = ("y", "yes", "是")

_WORDS = {
    "en": {
        "too_long": "--{name} takes at most {most} characters",
        "unknown": "--cells: the grid {grid} has no cell {cells}; `dispatcher locate` finds the cell of a position",
        "too_many": "--cells takes at most {most}; name the cells above them",
        "ask": "{question} [y/N] ",
        "nobody": "{question} Nobody is at a terminal to be asked: say --yes. Nothing was written",
        "declined": "nothing was written",
        "no_policy": "no policy is in force in this ledger; `dispatcher run` puts the first one there",
        "no_engine": "{what} is written as {name}; no engine runs on this ledger: it is carried out when `dispatcher"
        " run` next works, before everything that is appended from now on",
        "no_answer": "{what} is written as {name}; the engine has not come to it within {wait:g} s",
        "no": "the engine refused {what}: {detail}; nothing was changed",
    },
    "zh": {
        "too_long": "--{name} 最多 {most} 个字",
        "unknown": "--cells：网格 {grid} 中没有 {cells}；可用 `dispatcher locate` 查某位置所在网格",
        "too_many": "--cells 最多 {most} 个；请改用其上级网格",
        "ask": "{question} [y/N] ",
        "nobody": "{question}当前没有终端可供确认：请加 --yes。未写入任何内容",
        "declined": "未写入任何内容",
        "no_policy": "该账本尚无生效的政策；`dispatcher run` 会启用第一份政策",
        "no_engine": "{what}已写入（编号 {name}）；该账本上没有引擎在运行：下次 `dispatcher run` 处理时执行，"
        "先于此后写入的一切记录",
        "no_answer": "{what}已写入（编号 {name}）；引擎在 {wait:g} 秒内尚未处理到",
        "no": "引擎未予采纳{what}：{detail}；未作任何改动",
    },
}


class Sent(NamedTuple):
    """A command that is written: accepted by the engine, or not answered yet."""

    command_id: str
    at: str | None  # when it was accepted
    end: int  # outputs up to this `seq` were there before it
    silence: "Silence | None" = None  # why there is no answer
    said: str = ""  # the same in words

    def document(self) -> dict[str, str | None]:
        """It as JSON; a refusal never comes to this."""
        return {"command_id": self.command_id, "outcome": self.silence or "accepted", "at": self.at}


class Silence(StrEnum):
    """Why there is no answer."""

    NO_ENGINE = "no_engine"
    NO_ANSWER = "no_answer"


def config_for(config_path: Path, ledger_path: Path | None) -> Config:
    """The configuration, with the ledger an option names."""
    config = config_of(config_path)
    return config if ledger_path is None else config.model_copy(update={"ledger": ledger_path})


@contextmanager
def writing(config: Config) -> Iterator[Ledger]:
    """The ledger to append to, beside an engine that may be running; one that does not exist is not made."""
    SqliteLedger(config.ledger, read_only=True).close()
    ledger = SqliteLedger(config.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


def signed(by: str | None, reason: str, lang: Language) -> str:
    """Who asks: a label, nothing is allowed or refused by it. Ends the command when it or the reason is too long."""
    by = by or _operating_user()
    for name, label in (("by", by), ("reason", reason)):
        if len(label) > LABEL_CHARS_MAX:
            fail(_WORDS[lang]["too_long"].format(name=name, most=LABEL_CHARS_MAX), 2)
    return by


def _operating_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return "unknown"


def cells_named(config: Config, text: str | None, lang: Language) -> tuple[str, ...]:
    """The cells of `--cells a,b`; one the grid does not have ends the command."""
    cells = tuple(dict.fromkeys(cell.strip() for cell in (text or "").split(",") if cell.strip()))
    if not cells:
        return ()
    grid = load_grid(config.grid.read_bytes())
    unknown = [cell for cell in cells if cell not in grid]
    if unknown:
        fail(_WORDS[lang]["unknown"].format(grid=config.grid, cells=", ".join(unknown[:10])), 2)
    if len(cells) > CELLS_MAX:
        fail(_WORDS[lang]["too_many"].format(most=CELLS_MAX), 2)
    return cells


def read_state(ledger: Ledger, lang: Language = "en") -> PartitionState:
    """What the engine knew at its last commit: a copy to look at and to try things on.

    Raises:
        LedgerError: a policy that something was decided under is not in the ledger.
    """
    try:
        return present(ledger)
    except NothingInForce:
        fail(_WORDS[lang]["no_policy"])


def confirm(question: str, lang: Language, *, yes: bool) -> None:
    """Go on only when `--yes` was said or somebody at a terminal says so."""
    words = _WORDS[lang]
    if yes:
        return
    if not sys.stdin.isatty():
        fail(words["nobody"].format(question=question), 2)
    say(words["ask"].format(question=question))
    if sys.stdin.readline().strip().lower() not in _YES:
        fail(words["declined"])


def send(
    config: Config, ledger: Ledger, name: str, make: Callable[..., Command], what: str, wait_s: float, lang: Language
) -> Sent:
    """Write a command with its number and wait for the engine. A refusal ends the command.

    Args:
        config: whose ledger it is.
        ledger: open for writing.
        name: what the command's id begins with; its number follows.
        make: the command, given its `command_id` and its `number`.
        what: the command in words.
        wait_s: for the answer.
        lang: of what is said.

    Raises:
        LedgerError: the ledger cannot be written, or holds an interrupted replay.
    """
    command_id, written, (end,) = submit(ledger, name, make)
    answer = wait_for(config.ledger, ledger, written, end, wait_s)
    if isinstance(answer, Silence):
        said = _WORDS[lang][answer].format(what=what, name=command_id, wait=wait_s)
        return Sent(command_id, None, end, answer, said)
    if not answer.accepted:
        fail(_WORDS[lang]["no"].format(what=what, detail=answer.detail))
    return Sent(command_id, answer.at, end)


def wait_for(path: Path, ledger: Ledger, written: Written, end: int, wait_s: float) -> Answer | Silence:
    """The engine's answer to a command, or why there is none.

    Args:
        path: the ledger's file.
        ledger: the same, open.
        written: the command.
        end: the `seq` that outputs had come to before it was written.
        wait_s: how long to wait for an engine that runs.
    """
    answer = _wait(ledger, written, end, min(wait_s, PATIENCE_S))
    if answer is None and not _engine_runs(path):
        return Silence.NO_ENGINE
    return answer or _wait(ledger, written, end, wait_s - PATIENCE_S) or Silence.NO_ANSWER


def _wait(ledger: Ledger, written: Written, end: int, wait_s: float) -> Answer | None:
    until_s = time.monotonic() + wait_s
    while (answer := answer_to(ledger, written, end)) is None and time.monotonic() < until_s:
        time.sleep(POLL_S)
    return answer


def _engine_runs(path: Path) -> bool:
    """Whether a process owns the ledger: asked by trying to, for an instant; nothing is worked through."""
    other = SqliteLedger(path)
    try:
        other.own(PARTITION)
    except InUse:
        return True
    else:
        return False
    finally:
        other.close()
