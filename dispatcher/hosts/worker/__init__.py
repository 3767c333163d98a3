"""A worker on Kafka: Faust for membership and fetching, our own two stages for everything that must be exact."""

from dispatcher.hosts.worker.audit import audit_kafka
from dispatcher.hosts.worker.begin import begin, enact
from dispatcher.hosts.worker.run import run_worker

__all__ = ["audit_kafka", "begin", "enact", "run_worker"]
