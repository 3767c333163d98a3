"""`python -m bench.kafka.plain CONFIG`: the same decisions as one would write them with Faust alone.

As its documentation advises: one agent, one event at a time, `topic.send` for what goes out, everything else left as
it is. Decisions are those of our own core, one call for each report. What it has not: outputs and offsets in one
transaction (a crash doubles or loses outputs), its incidents after a restart, a record on which the code fails, timers,
and one order for reports that belong together when partitions move.
"""

import os
import sys
from pathlib import Path
from typing import Any

import faust

from bench.kafka.programs import READY
from dispatcher.commands.memory import settle_memory
from dispatcher.config import load_config
from dispatcher.core import CONTROL, Engine, Outcome, PartitionState, Position, Record, Rulebook
from dispatcher.core.control import Activate
from dispatcher.core.homes import Homes
from dispatcher.core.wire import encode
from dispatcher.core.work import Work
from dispatcher.hosts.setup import load_setup

config = load_config(Path(sys.argv[1]), os.environ)
setup = load_setup(config)
kafka, prefix = config.kafka, config.kafka.prefix
books = {setup.policy.sha256: Rulebook(setup.policy)}
homes = Homes(kafka.partitions, kafka.partition_level)
engines = [
    Engine(PartitionState(n, books, partitions=kafka.partitions), Position(), setup.grid.sha256)
    for n in range(kafka.partitions)
]

app = faust.App(
    kafka.application,
    broker=f"kafka://{kafka.bootstrap}",
    value_serializer="raw",
    key_serializer="raw",
    store="memory://",
    topic_allow_declare=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)
reports = app.topic(f"{prefix}reports")
topics: dict[str, Any] = {}


def decide(work: Work) -> tuple[int, Outcome]:
    """The home of what stage 1 has read, and what becomes of it there."""
    home = max(homes.of(work), 0)
    return home, engines[home].process([work])


def topic(name: str) -> Any:  # noqa: ANN401 - Faust's topic
    """One of the topics for outputs."""
    if name not in topics:
        topics[name] = app.topic(prefix + name)
    return topics[name]


def enact_first_policy() -> None:
    """The policy is put in force in each engine before the first report."""
    command = encode(Activate(command_id=f"first-{setup.policy.sha256[:12]}", sha256=setup.policy.sha256))
    for engine in engines:
        engine.process(setup.intake.take([Record(0, CONTROL, 0, 0, 0, None, command)]).work)


@app.on_partitions_assigned.connect  # type: ignore[arg-type]
async def assigned(_app: Any, assigned: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signal
    """Say so."""
    if assigned:
        sys.stdout.write(f"\n{READY}\n")  # Faust has moved the cursor
        sys.stdout.flush()


@app.agent(reports)
async def dispatch(stream: Any) -> None:  # noqa: ANN401 - Faust's stream
    """Read, decide, send."""
    async for event in stream.events():
        message = event.message
        time_ms = int(message.timestamp * 1000)
        record = Record(message.offset, "reports", message.partition, message.offset, time_ms, None, message.value)
        taken = setup.intake.take([record])
        for key, value in taken.reporters:
            await topic("reporters").send(key=key, value=value)
        for work in taken.work:
            home, outcome = decide(work)
            for name, key, at_ms, value in outcome.records:
                at = home % kafka.department_partitions if name.startswith("dept.") else home
                await topic(name).send(key=key, value=value, partition=at, timestamp=at_ms / 1000)
            for (name, key), kept in outcome.compacted.items():
                if name == "state":
                    continue  # ours, made for batches; an application of this kind restores nothing from it
                await topic(name).send(key=key, value=kept, partition=home)


if __name__ == "__main__":
    enact_first_policy()
    settle_memory()
    faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False).execute_from_commandline()
