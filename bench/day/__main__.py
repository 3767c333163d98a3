"""`make serve`: the console over a made-up town that is alive. Everything it keeps lies in one directory, made anew."""

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench.day.life import Life
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import out, progress, say
from dispatcher.gateway import Keys
from dispatcher.hosts.setup import load_setup
from geo import load_things

CONFIG: Final = Path(__file__).parents[2] / "examples" / "city" / "config.yaml"
START_S: Final = 60.0
STREET: Final = "530003001"
# Who may sign in, what for: (name, in Chinese, first page, what the key opens).
PEOPLE: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("operator", "值班员", "queue", {"roles": ["dispatcher", "acceptor"], "areas": ["*"]}),
    ("shift lead", "值班长", "queue", {"roles": ["shift_lead", "supervisor"], "areas": ["*"]}),
    ("checker", "核查员", "queue", {"roles": ["checker", "callback"], "areas": ["*"]}),
    ("sanitation", "市容环卫中心", "department", {"roles": ["department:sanitation-centre"], "areas": ["*"]}),
    ("police", "公安局", "department", {"roles": ["department:police"], "areas": ["*"]}),
    ("grid officer", "网格员", "officer", {"roles": [f"officer:{STREET}", f"street:{STREET}"], "areas": ["*"]}),
    ("resident", "居民（接口）", "/v1/reports", {"roles": ["reporter"], "sources": ["*"]}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code."""
    options = _parser().parse_args(arguments)
    ledger: Path = options.directory / "city.db"
    options.directory.mkdir(parents=True, exist_ok=True)
    for old in options.directory.glob("city.db*"):
        old.unlink()
    ended = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: ended.set())
    config = config_of(CONFIG)
    things = () if config.things is None else load_things(config.things.read_bytes())
    life = Life(ledger, load_setup(config), things, options.matters, options.seed)
    say(f"since yesterday {options.matters} matters a day are reported and worked on in a made-up town …")
    with progress("hours", life.hours) as on_hour:
        life.catch_up(on_hour or (lambda _: None))
    given = _keys(ledger)
    environment = {**os.environ, "DISPATCHER__HTTP__PORT": str(options.port)}
    command = [sys.executable, "-m", "dispatcher", "-c", str(CONFIG), "run", "--ledger", str(ledger)]
    log = options.directory / "run.log"
    with log.open("wb") as told:
        running = subprocess.Popen(command, stderr=told, env=environment)  # noqa: S603 - our own program
    try:
        _show(_address(running, log), given)
        life.go_on(lambda wait_s: ended.wait(wait_s) or running.poll() is not None)
    finally:
        running.terminate()
        code = running.wait()
    if not ended.is_set():
        say(f"`dispatcher run` has ended by itself ({code}); what it said is in {log}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.day", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("var/serve"), help="what lies there is replaced")
    parser.add_argument("--port", type=int, default=8000, help="of the console; 0 is any free one")
    parser.add_argument("--matters", type=int, default=600, help="reported on an ordinary day")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _keys(ledger: Path) -> list[tuple[str, str, str, str]]:
    keys = Keys(ledger.with_name(f"{ledger.name}.keys"))
    given = [(name, zh, page, keys.add(name, **opens)) for name, zh, page, opens in PEOPLE]
    keys.close()
    return given


def _address(running: "subprocess.Popen[bytes]", log: Path) -> str:
    """Where it serves, once it does. Raises SystemExit: it has ended, or does not begin."""
    until_s = time.monotonic() + START_S
    while running.poll() is None and time.monotonic() < until_s:
        found = re.search(r"http://[\w.:\[\]]+", log.read_text())
        if found is not None:
            return found.group()
        time.sleep(0.05)
    sys.stderr.write(log.read_text())
    raise SystemExit(1)


def _show(address: str, given: Sequence[tuple[str, str, str, str]]) -> None:
    table = Table("who", "谁", "begins at", "key 密钥", title=f"{address}/  —  sign in with a key 用密钥登录")
    for name, zh, page, key in given:
        table.add_row(name, zh, page if page.startswith("/") else f"/console/{page}", key)
    out.print(table, soft_wrap=True)
    say("Ctrl-C ends it")


if __name__ == "__main__":
    sys.exit(main())
