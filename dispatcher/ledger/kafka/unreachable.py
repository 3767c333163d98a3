"""Why a cluster cannot be reached, and what to do about it.

aiokafka's clients tell in their log what went wrong, and raise only that they could not connect. So after a failure one
connection is tried again, where what goes wrong can be seen.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from dispatcher.ledger.kafka.connection import Connection

__all__ = ["why_unreachable"]

TRY_MS = 5_000


async def why_unreachable(connection: Connection, error: Exception) -> str:
    """A message with the next step, by trying the brokers named in the configuration; `error` is what a client said."""
    options = connection.options()
    said = f"cannot be used: {error}"
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers")):
        try:
            await _ask(host, port, options)
        except (OSError, KafkaError) as failed:
            said = _said(connection, failed)
            if not isinstance(failed, ConnectionError | TimeoutError):  # what it answers tells more than silence
                break
        else:
            break
    return f"Kafka at {connection.bootstrap} {said}"


async def _ask(host: str, port: int, options: Mapping[str, Any]) -> None:
    """What a client asks first: brokers that want a user close the connection only then."""
    tried = await create_conn(host, port, request_timeout_ms=TRY_MS, **options)
    try:
        await tried.send(MetadataRequest([]))
    finally:
        await tried.close()


def _said(connection: Connection, error: Exception) -> str:
    match error:
        case SaslAuthenticationFailed() | AuthenticationFailedError():
            return (
                f"refuses the user {connection.user}: is the password right? Both are read from the variables that"
                " kafka.user_env and kafka.password_env name"
            )
        case UnsupportedSaslMechanismError():
            return f"does not offer {connection.mechanism}; set kafka.mechanism to what it offers"
        case ssl.SSLCertVerificationError():
            return (
                f"shows a certificate that is not trusted ({error.verify_message}); set kafka.ca_file to who signed it"
            )
        case ssl.SSLError() | KafkaConnectionError() | IllegalSaslStateError() | ConnectionResetError():
            return (
                f"answers, but not to {connection.security} ({error}); set kafka.security to what it speaks, and the"
                " certificate if it asks clients for one"
            )
        case TimeoutError():
            return f"does not answer within {TRY_MS // 1000} s; see kafka.bootstrap and kafka.security"
        case _:
            return f"does not answer ({error}); does it run there? See kafka.bootstrap"
