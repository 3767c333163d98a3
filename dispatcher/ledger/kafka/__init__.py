"""The ledger on Apache Kafka: topics, transactions that end or are fatal, partitions held by one process each."""

from dispatcher.ledger.kafka.admin import Wrong, check_topics, create_topics, topic_names
from dispatcher.ledger.kafka.connection import Connection, connection_of
from dispatcher.ledger.kafka.epoch import Epoch, begin_epoch, begun, put_values, require_epoch
from dispatcher.ledger.kafka.holding import LOG, Holding, Marks, Place, Standing
from dispatcher.ledger.kafka.ledger import KafkaLedger
from dispatcher.ledger.kafka.producing import Out, Unanswered, idempotent_producer, write
from dispatcher.ledger.kafka.reading import bounds, consumer, newest_values, read_whole
from dispatcher.ledger.kafka.topics import DEPARTMENT, DEPARTMENT_UPDATES, WORK, TopicSpec, topic_specs

__all__ = [
    "DEPARTMENT",
    "DEPARTMENT_UPDATES",
    "LOG",
    "WORK",
    "Connection",
    "Epoch",
    "Holding",
    "KafkaLedger",
    "Marks",
    "Out",
    "Place",
    "Standing",
    "TopicSpec",
    "Unanswered",
    "Wrong",
    "begin_epoch",
    "begun",
    "bounds",
    "check_topics",
    "connection_of",
    "consumer",
    "create_topics",
    "idempotent_producer",
    "newest_values",
    "put_values",
    "read_whole",
    "require_epoch",
    "topic_names",
    "topic_specs",
    "write",
]
