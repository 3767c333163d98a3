"""The topics of one run, under a prefix of their own, and the configuration by which processes work on them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from aiokafka import TopicPartition

from bench.kafka.scene import INPUT_PARTITIONS, Scene
from dispatcher.config import Config, load_config
from dispatcher.hosts.worker import begin
from dispatcher.ledger.kafka import Connection, Place, create_topics, topic_specs

__all__ = ["PARTITIONS", "KafkaLedger", "bare_topics", "begin_ledger"]

PARTITIONS: Final = 4
DEPARTMENT_PARTITIONS: Final = 4
PARTITION_LEVEL: Final = 2
SESSION_S: Final = 10


class KafkaLedger(NamedTuple):
    """One run's."""

    place: Place
    config: Path
    topics: Sequence[str]  # without the prefix

    def partitions(self, *topics: str) -> list[TopicPartition]:
        """All partitions of topics that have one for each partition of `work`."""
        return [TopicPartition(self.place.prefix + topic, n) for topic in topics for n in range(PARTITIONS)]


async def begin_ledger(scene: Scene, prefix: str) -> KafkaLedger:
    """As `dispatcher topics create` leaves it: topics, epoch, the first policy. Raises LedgerError."""
    ledger = _described(scene, prefix)
    await begin(_loaded(ledger), scene.setup, "bench")
    return ledger


async def bare_topics(scene: Scene, prefix: str) -> KafkaLedger:
    """The same topics with nothing on them. Raises LedgerError."""
    ledger = _described(scene, prefix)
    specs = topic_specs(_loaded(ledger).kafka, scene.setup.policy.departments)
    await create_topics(Connection(scene.bootstrap), specs)
    return ledger


def _loaded(ledger: KafkaLedger) -> Config:
    return load_config(ledger.config, {})


def _described(scene: Scene, prefix: str) -> KafkaLedger:
    kafka = {
        "bootstrap": scene.bootstrap,
        "prefix": prefix,
        "application": f"{prefix}app",
        "partitions": PARTITIONS,
        "partition_level": PARTITION_LEVEL,
        "input_partitions": INPUT_PARTITIONS,
        "department_partitions": DEPARTMENT_PARTITIONS,
        "replication": 1,
        "session_timeout_s": SESSION_S,
    }
    files = {"policy": "policy", "grid": "grid.geojson", "gazetteer": "gazetteer.csv", "things": "things.csv"}
    config = scene.directory / f"{prefix}config.yaml"
    config.write_text(json.dumps({**files, "kafka": kafka, "engine": {"poll_ms": 20}}), encoding="utf-8")
    place = Place(Connection(scene.bootstrap), prefix, f"{prefix}app", PARTITIONS, DEPARTMENT_PARTITIONS)
    specs = topic_specs(load_config(config, {}).kafka, scene.setup.policy.departments)
    return KafkaLedger(place, config, [spec.name.removeprefix(prefix) for spec in specs])
