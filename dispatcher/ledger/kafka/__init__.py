"""The ledger on Apache Kafka: topics, transactions that end or are fatal, partitions held by one process each."""

from dispatcher.ledger.kafka.admin import Wrong, check_topics, create_topics, require_topics, topic_names
from dispatcher.ledger.kafka.connection import Connection, connection_of
from dispatcher.ledger.kafka.epoch import Epoch, begin_epoch, begun, ledger_mark, put_values, require_epoch
from dispatcher.ledger.kafka.following import Follower, Lane, Readers, follow
from dispatcher.ledger.kafka.holding import LOG, Holding, Marks, Place, Standing
from dispatcher.ledger.kafka.ledger import KafkaLedger
from dispatcher.ledger.kafka.producing import Out, Unanswered, idempotent_producer, write
from dispatcher.ledger.kafka.reading import bounds, consumer, newest_values, read_whole
from dispatcher.ledger.kafka.topics import DEPARTMENT, DEPARTMENT_UPDATES, ERASED_MS, WORK, TopicSpec, topic_specs
from dispatcher.ledger.kafka.writing import Keyed, Writer

__all__ = [
    "DEPARTMENT",
    "DEPARTMENT_UPDATES",
    "ERASED_MS",
    "LOG",
    "WORK",
    "Connection",
    "Epoch",
    "Follower",
    "Holding",
    "KafkaLedger",
    "Keyed",
    "Lane",
    "Marks",
    "Out",
    "Place",
    "Readers",
    "Standing",
    "TopicSpec",
    "Unanswered",
    "Writer",
    "Wrong",
    "begin_epoch",
    "begun",
    "bounds",
    "check_topics",
    "connection_of",
    "consumer",
    "create_topics",
    "follow",
    "idempotent_producer",
    "ledger_mark",
    "newest_values",
    "put_values",
    "read_whole",
    "require_epoch",
    "require_topics",
    "topic_names",
    "topic_specs",
    "write",
]
