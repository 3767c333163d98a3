"""`python -m bench.kafka.plain CONFIG`: the same decisions as one would write them with Faust alone.

As its documentation advises: one agent, one event at a time, `topic.send` for what goes out, everything else left as
it is. Decisions are those of our own core, one call for each report. What it has not: outputs and offsets in one
transaction (a crash doubles or loses outputs), its incidents after a restart, a record on which the code fails, timers,
and one order for reports that belong together when partitions move.
"""

import sys
from pathlib import Path
from typing import Any

import faust

from bench.kafka.deciding import Deciding
from bench.kafka.programs import READY
from dispatcher.commands.memory import settle_memory

deciding = Deciding(Path(sys.argv[1]))
kafka, prefix = deciding.kafka, deciding.kafka.prefix

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


def topic(name: str) -> Any:  # noqa: ANN401 - Faust's topic
    """One of the topics for outputs."""
    if name not in topics:
        topics[name] = app.topic(prefix + name)
    return topics[name]


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
        reporters, outcomes = deciding.of(message.partition, message.offset, time_ms, message.value)
        for key, value in reporters:
            await topic("reporters").send(key=key, value=value)
        for home, outcome in outcomes:
            for name, key, at_ms, value in outcome.records:
                at = home % kafka.department_partitions if name.startswith("dept.") else home
                await topic(name).send(key=key, value=value, partition=at, timestamp=at_ms / 1000)
            for (name, key), kept in outcome.compacted.items():
                if name == "state":
                    continue  # ours, made for batches; an application of this kind restores nothing from it
                await topic(name).send(key=key, value=kept, partition=home)


if __name__ == "__main__":
    settle_memory()
    faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False).execute_from_commandline()
