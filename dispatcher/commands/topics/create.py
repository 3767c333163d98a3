"""`dispatcher topics create`: topics, intake epoch, first policy; again, only what is missing. `enact`: the next."""

import asyncio
from pathlib import Path

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, print_json, say
from dispatcher.hosts.setup import load_setup, unmet
from dispatcher.hosts.worker import begin, enact

__all__ = ["create_command", "enact_command"]


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


def enact_command(config_path: Path, *, by: str, reason: str) -> None:
    """Put the configured policy in force."""
    config = config_of(config_path)
    setup = load_setup(config)
    policy = setup.policy
    missing = unmet(policy, setup.grid_version)
    if missing:
        fail(f"{policy.name} {policy.version} requires {'; '.join(missing)}; the policy in force stays")
    before = asyncio.run(enact(config, setup, by or None, reason or None))
    named = f"{policy.name} {policy.version} ({policy.sha256[:12]})"
    if before is None:
        say(f"{named} is in force already")
        return
    say(
        f"{named} follows {before[:12]} as soon as the workers come to it; open incidents keep the policy of their time"
    )
    say("departments that are new: restart the workers, one after the other, so that they follow their updates")
