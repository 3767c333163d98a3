"""How to reach the cluster: one description, for aiokafka's clients and for Faust alike."""

import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from dispatcher.config import Kafka
from dispatcher.ledger.interface import LedgerError

__all__ = ["Connection", "connection_of"]


class Connection(NamedTuple):
    """Where the brokers are and who we are to them."""

    bootstrap: str
    security: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    def options(self) -> dict[str, Any]:
        """What every aiokafka client takes."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security}
        if self.tls is not None:
            options["ssl_context"] = self.tls
        if self.user is not None:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return options


def connection_of(kafka: Kafka, environment: Mapping[str, str]) -> Connection:
    """The connection that a configuration describes.

    Raises:
        LedgerError: it names no brokers, a variable that is not set, or a file that cannot be read.
    """
    if kafka.bootstrap is None:
        raise LedgerError("no Kafka is configured; set kafka.bootstrap, or DISPATCHER__KAFKA__BOOTSTRAP=host:port")
    secrets: list[str | None] = []
    for name in (kafka.user_env, kafka.password_env):
        if name is not None and name not in environment:
            raise LedgerError(f"kafka: the environment has no {name}")
        secrets.append(None if name is None else environment[name])
    tls = None
    if kafka.security.endswith("SSL"):
        try:
            tls = ssl.create_default_context(cafile=None if kafka.ca_file is None else str(kafka.ca_file))
            if kafka.certificate_file is not None and kafka.key_file is not None:
                tls.load_cert_chain(str(kafka.certificate_file), str(kafka.key_file))
        except (OSError, ssl.SSLError) as error:
            raise LedgerError(f"kafka: {error}; see ca_file, certificate_file and key_file") from error
    return Connection(kafka.bootstrap, kafka.security, kafka.mechanism, secrets[0], secrets[1], tls)
