"""`dispatcher topics create`: topics, intake epoch, first policy; run again, it makes only what is missing."""

import asyncio
from pathlib import Path

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import print_json, say
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.worker import begin

__all__ = ["create_command"]


def create_command(config_path: Path, *, by: str, json: bool) -> None:
    """Make the topics, begin the ledger, put the first policy in force."""
    config = config_of(config_path)
    setup = load_setup(config)
    made, first = asyncio.run(begin(config, setup, by or None))
    if json:
        print_json({"made": made, "activated": setup.policy.sha256 if first else None})
        return
    say(f"{len(made)} topics made" if made else "every topic was there")
    if first:
        say(f"{setup.policy.name} {setup.policy.version} ({setup.policy.sha256[:12]}) will be in force")
    say("next: `dispatcher worker`, in as many processes as wanted")
