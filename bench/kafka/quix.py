"""`python -m bench.kafka.quix CONFIG`: the same decisions as one would write them with Quix Streams.

As its documentation advises: a streaming dataframe of one topic, a function that expands a report into what goes out,
`to_topic` with a function that chooses among topics declared beforehand, a serializer of one's own, and the guarantee
"exactly-once", by which outputs and offsets are one transaction. Decisions are those of our own core, one call for each
report. A checkpoint comes every half second, not every five: nothing that goes out is seen before one. What it has not:
its incidents after a restart (its state is kept by message key; what merges or waits for a deadline has no key in
common), a record on which the code fails, timers, and one order for reports that belong together when partitions move.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from quixstreams import Application, message_context
from quixstreams.models import SerializationContext, Serializer

from bench.kafka.programs import READY
from dispatcher.commands.memory import settle_memory
from dispatcher.config import load_config
from dispatcher.core import CONTROL, Engine, PartitionState, Position, Record, Rulebook
from dispatcher.core.control import Activate
from dispatcher.core.homes import Homes
from dispatcher.core.wire import encode
from dispatcher.hosts.setup import load_setup
from dispatcher.ledger.kafka import topic_specs

CHECKPOINT_S: Final = 0.5
APART: Final = ("state", "work")  # ours, made for batches and for two stages; an application of this kind has neither


class Out(NamedTuple):
    """One record that goes out."""

    topic: str
    key: str
    value: bytes | None
    time_ms: int


class Body(Serializer):
    """The value of a record; it is bytes already."""

    def __call__(self, value: Out, ctx: SerializationContext) -> bytes | None:  # type: ignore[override] # noqa: ARG002
        """Return it; None removes a key of a compacted topic."""
        return value.value


config = load_config(Path(sys.argv[1]), os.environ)
setup = load_setup(config)
kafka, prefix = config.kafka, config.kafka.prefix
books = {setup.policy.sha256: Rulebook(setup.policy)}
homes = Homes(kafka.partitions, kafka.partition_level)
engines = [
    Engine(PartitionState(n, books, partitions=kafka.partitions), Position(), setup.grid.sha256)
    for n in range(kafka.partitions)
]

app = Application(
    broker_address=kafka.bootstrap,
    consumer_group=kafka.application,
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    commit_interval=CHECKPOINT_S,
    auto_create_topics=False,
    loglevel="WARNING",
)
reports = app.topic(f"{prefix}reports", value_deserializer="bytes")
topics = {
    name: app.topic(prefix + name, value_serializer=Body(), key_serializer="str")
    for spec in topic_specs(kafka, setup.policy.departments)
    if (name := spec.name.removeprefix(prefix)) not in (*APART, "reports")
}


def enact_first_policy() -> None:
    """The policy is put in force in each engine before the first report."""
    command = encode(Activate(command_id=f"first-{setup.policy.sha256[:12]}", sha256=setup.policy.sha256))
    for engine in engines:
        engine.process(setup.intake.take([Record(0, CONTROL, 0, 0, 0, None, command)]).work)


def decide(value: bytes, _key: Any, time_ms: int, _headers: Any) -> Iterator[Out]:  # noqa: ANN401 - the library's
    """Everything that a report puts out."""
    at = message_context()
    taken = setup.intake.take([Record(at.offset, "reports", at.partition, at.offset, time_ms, None, value)])
    for key, known in taken.reporters:
        yield Out("reporters", key, known, time_ms)
    for work in taken.work:
        outcome = engines[max(homes.of(work), 0)].process([work])
        for name, key, at_ms, body in outcome.records:
            yield Out(name, key, body, at_ms)
        for (name, key), kept in outcome.compacted.items():
            if name not in APART:
                yield Out(name, key, kept, time_ms)


dispatch = app.dataframe(reports)
dispatch = dispatch.apply(decide, expand=True, metadata=True)
dispatch = dispatch.set_timestamp(lambda out, _key, _time_ms, _headers: out.time_ms)
dispatch.to_topic(lambda out, _key, _time_ms, _headers: topics[out.topic], key=lambda out: out.key)

if __name__ == "__main__":
    enact_first_policy()
    settle_memory()
    sys.stdout.write(f"\n{READY}\n")  # partitions come while the warm-up waits
    sys.stdout.flush()
    app.run()
