"""A broker's `server.properties`: one node that is broker and controller, on loopback only."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.broker.certificate import CERTIFICATE, KEYSTORE
from bench.broker.ports import HOST

__all__ = ["ADMIN", "check_users", "server_properties"]

ADMIN: Final = "admin"  # the super user of a broker with users; the broker's own connections are its

# Everything else is Kafka's default, what production has.
ALWAYS: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    # A topic that exists by mistake hides the mistake.
    "auto.create.topics.enable": "false",
    # One node: internal topics cannot have copies. Fewer partitions: starting and stopping touches each.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # Nobody is waited for: the first member of a group starts at once, and tests may want short sessions.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # What a killed producer left open holds up readers: at most a minute, looked for every second (default 10 s).
    "transaction.max.timeout.ms": "60000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # A killed broker may register again only when the session of its former life is over (default 9 s).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Compaction is looked for every second (default 15 s): what depends on it can be seen in a test.
    "log.cleaner.backoff.ms": "1000",
    # Two cores and a small heap: the cleaner's buffer alone takes 128 MiB of it by default.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": str(16 * 2**20),
}


def server_properties(
    data: Path, port: int, controller_port: int, users: Mapping[str, str] | None, certificates: Path | None = None
) -> str:
    """The file's text.

    Args:
        data: the folder for the logs.
        port: where clients connect.
        controller_port: where the node speaks with itself.
        users: names and passwords that clients must give (SASL/PLAIN), the admin's among them; who is not the admin
            may do nothing until an ACL lets them. None: everybody may do everything.
        certificates: the folder with what `make_certificate` makes; clients must connect by TLS. The node speaks with
            itself as controller in the clear. None: everything is in the clear.
    """
    clear = "PLAINTEXT" if users is None else "SASL_PLAINTEXT"
    listener = clear if certificates is None else clear.replace("PLAINTEXT", "SSL")
    settings = ALWAYS | {
        "log.dirs": str(data.absolute()),
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
        "listeners": f"{listener}://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"{listener}://{HOST}:{port}",
        "listener.security.protocol.map": f"{listener}:{listener},CONTROLLER:{clear}",
        "security.inter.broker.protocol": listener,
    }
    if users is not None:
        settings |= _secured(users, listener)
    if certificates is not None:
        settings |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(certificates.absolute() / KEYSTORE),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(certificates.absolute() / CERTIFICATE),  # it is a client of itself
        }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _secured(users: Mapping[str, str], listener: str) -> dict[str, str]:
    known = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    login = (
        f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{ADMIN}" '
        f'password="{users[ADMIN]}" {known};'
    )
    return {
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        f"listener.name.{listener.lower()}.plain.sasl.jaas.config": login,
        "listener.name.controller.plain.sasl.jaas.config": login,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
    }


def check_users(users: Mapping[str, str]) -> None:
    """Raises ValueError for a name or password that would have to be quoted in the file."""
    for name, password in users.items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or not re.fullmatch(r"[!#-\[\]-~]+", password):
            raise ValueError(f"user {name!r}: letters, digits and _.- in a name; no space, quote or \\ in a password")
