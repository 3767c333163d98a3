"""`dispatcher topics check`: every topic against what it must be."""

import asyncio
import os
from pathlib import Path

from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import out, print_json, say
from dispatcher.hosts.setup import read_policy
from dispatcher.ledger.kafka import check_topics, connection_of, topic_specs

__all__ = ["check_command"]


def check_command(config_path: Path, *, json: bool) -> None:
    """Print what differs; exit 1 if anything does."""
    config = config_of(config_path)
    specs = topic_specs(config.kafka, read_policy(config.policy).departments)
    wrong = asyncio.run(check_topics(connection_of(config.kafka, os.environ), specs))
    if json:
        print_json([each._asdict() for each in wrong])
    elif wrong:
        table = Table("topic", "what is wrong", "what mends it", "a worker starts")
        for each in wrong:
            table.add_row(each.topic, each.problem, each.mend, "yes" if each.tolerable else "no")
        out.print(table)
    else:
        say(f"{len(specs)} topics are as they must be")
    if wrong:
        raise SystemExit(1)
