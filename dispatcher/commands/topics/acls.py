"""`dispatcher topics acls`: the least that each party must be allowed, as commands of Kafka's own tool.

Names of principals are examples: a department's is its code. Topics and the ledger's beginning are the administrator's.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from dispatcher.commands.opening import config_of
from dispatcher.config import Kafka
from dispatcher.core import COMPACTED_TOPICS, CONTROL, REPORTS, UPDATES
from dispatcher.hosts.setup import read_policy
from dispatcher.ledger.kafka import DEPARTMENT, DEPARTMENT_UPDATES, WORK

__all__ = ["acls_command"]

_READ_BY_GATEWAYS = (
    "incidents", "archive", "events", "rejected", "reporters", "routed", "policies", "imports", "state", CONTROL,
)  # fmt: skip


def acls_command(config_path: Path) -> None:
    """Print the commands."""
    config = config_of(config_path)
    for line in _lines(config.kafka, sorted(read_policy(config.policy).departments)):
        sys.stdout.write(line + "\n")


def _lines(kafka: Kafka, departments: list[str]) -> Iterator[str]:
    name = kafka.prefix
    brokers = kafka.bootstrap or "BROKER:9092"
    tool = f"kafka-acls.sh --bootstrap-server {brokers} --command-config admin.properties --add"
    prefixed = "--resource-pattern-type prefixed"
    worker = f"{tool} --allow-principal User:worker"
    yield "# admin.properties says how an administrator connects: security.protocol, sasl.mechanism, sasl.jaas.config"
    yield "# workers: read what comes in, write everything else, in transactions"
    yield f"{worker} --operation Read {_topics(name, (REPORTS, UPDATES, CONTROL))} --group {kafka.application}"
    yield f"{worker} --operation Read {prefixed} --topic {name}{DEPARTMENT_UPDATES}"
    yield f"{worker} --operation Read --operation Write {_topics(name, (WORK, *sorted(COMPACTED_TOPICS)))}"
    yield f"{worker} --operation Write {_topics(name, ('routed', 'events', 'rejected', 'notices', 'archive'))}"
    yield f"{worker} --operation Write {prefixed} --topic {name}{DEPARTMENT}"
    every = f"{prefixed} --topic {name}" if name else "--topic '*'"
    yield f"{worker} --operation DescribeConfigs {every}"
    ids = f"{prefixed} --transactional-id {kafka.application}-{WORK}-"
    yield f"{worker} --operation Write --operation Describe {ids}"
    yield "# gateways: write what they have authenticated, read what is put out, see how all topics are set"
    gateway = f"{tool} --allow-principal User:gateway"
    yield f"{gateway} --operation Write {_topics(name, (REPORTS, UPDATES, CONTROL, 'policies'))}"
    yield f"{gateway} --operation Read {_topics(name, _READ_BY_GATEWAYS)}"
    yield f"{gateway} --operation Read {prefixed} --topic {name}{DEPARTMENT}"
    yield f"{gateway} --operation Describe --operation DescribeConfigs {every}"
    yield "# departments: write their own updates, read their own orders in the group of that name, nothing else"
    for code in departments:
        mine, orders = f"{tool} --allow-principal User:{code}", f"{name}{DEPARTMENT}{code}"
        yield f"{mine} --operation Write --topic {name}{DEPARTMENT_UPDATES}{code}"
        yield f"{mine} --operation Read --topic {orders} --group {orders}"


def _topics(prefix: str, names: Iterable[str]) -> str:
    return " ".join(f"--topic {prefix}{topic}" for topic in names)
