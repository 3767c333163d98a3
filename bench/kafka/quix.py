"""`python -m bench.kafka.quix CONFIG`: the same decisions as one would write them with Quix Streams.

As its documentation advises: a streaming dataframe of one topic, a function that expands a report into what goes out,
`to_topic` with a function that chooses among topics declared beforehand, a serializer of one's own, and the guarantee
"exactly-once", by which outputs and offsets are one transaction. Decisions are those of our own core, one call for each
report. A checkpoint comes every half second, not every five: nothing that goes out is seen before one. What it has not:
its incidents after a restart (its state is kept by message key; what merges or waits for a deadline has no key in
common), a record on which the code fails, timers, and one order for reports that belong together when partitions move.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from quixstreams import Application, message_context
from quixstreams.models import SerializationContext, Serializer

from bench.kafka.deciding import Deciding
from bench.kafka.programs import READY
from dispatcher.commands.memory import settle_memory
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


deciding = Deciding(Path(sys.argv[1]))
kafka, prefix = deciding.kafka, deciding.kafka.prefix

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
    for spec in topic_specs(kafka, deciding.setup.policy.departments)
    if (name := spec.name.removeprefix(prefix)) not in (*APART, "reports")
}


def decide(value: bytes, _key: Any, time_ms: int, _headers: Any) -> Iterator[Out]:  # noqa: ANN401 - the library's
    """Everything that a report puts out."""
    at = message_context()
    reporters, outcomes = deciding.of(at.partition, at.offset, time_ms, value)
    for key, known in reporters:
        yield Out("reporters", key, known, time_ms)
    for _, outcome in outcomes:
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
    settle_memory()
    sys.stdout.write(f"\n{READY}\n")  # partitions come while the warm-up waits
    sys.stdout.flush()
    app.run()
