"""A real Apache Kafka of one node, for tests, the bench and trying things out.

with Broker(directory) as broker:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
"""

import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from bench.broker.asking import answers
from bench.broker.certificate import CERTIFICATE, make_certificate
from bench.broker.libraries import LIBRARIES, fetch_libraries
from bench.broker.ports import HOST, choose_ports, is_free
from bench.broker.process import Child, DidNotStart, last_lines
from bench.broker.settings import ADMIN, check_users, server_properties
from bench.broker.storage import DATA, LOG, PROPERTIES, format_storage, kept_ports
from bench.broker.tools import find_java

__all__ = ["Broker"]

START_S: Final = 120.0  # three seconds on two idle cores; machines that run tests are not idle
STOP_S: Final = 20.0
ASK_AGAIN_S: Final = 0.05
# The quick compiler only: three seconds of processor for a start instead of five, and less for each record too over a
# broker's first millions, since the thorough one never earns back here what it takes.
JVM: Final = ("-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class Broker:
    """One node on loopback, its data in a folder: start, stop or kill it, start it again with what it had.

    Its process ends with ours, whatever ends ours. Calls block; from a coroutine, use `asyncio.to_thread`.

    Args:
        directory: for data, settings and the log; one broker's. One used before keeps its data and its ports.
        port: where clients connect; None: a free one, the same in every life.
        heap_mb: Java's heap; the process takes more.
        users: names and passwords for SASL/PLAIN; None: no authentication. `admin` is the super user and is added, with
            a password by chance, when it is not among them; others may do what ACLs let them, at first nothing.
        tls: clients connect by TLS and trust `ca_file`.
        libraries: where Kafka's jars are kept.

    Raises:
        ValueError: a user's name or password cannot be written into the settings.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        heap_mb: int = 768,
        users: Mapping[str, str] | None = None,
        tls: bool = False,
        libraries: Path = LIBRARIES,
    ) -> None:
        if users is not None:
            check_users(users)
        self._users = None if users is None else {ADMIN: uuid4().hex} | dict(users)
        self._tls = tls
        self._directory = directory.absolute()
        self._heap_mb = heap_mb
        self._libraries = libraries
        kept_port, self._controller_port = kept_ports(self._directory) or choose_ports(2)
        self._port = port or kept_port
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{HOST}:{self._port}"

    @property
    def log(self) -> Path:
        """What Kafka said, in all its lives."""
        return self._directory / LOG

    @property
    def ca_file(self) -> Path:
        """What clients trust where they connect by TLS; made at the first start."""
        return self._directory / CERTIFICATE

    @property
    def pid(self) -> int | None:
        """Of the Java process, to freeze it or to measure it; None when it does not run."""
        return None if self._child is None or self._child.returncode is not None else self._child.pid

    def client(self, user: str = ADMIN) -> dict[str, Any]:
        """What an aiokafka client needs to connect: `AIOKafkaProducer(**broker.client())`.

        Raises:
            KeyError: there is no such user.
        """
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if self._tls:
            options |= {"security_protocol": "SSL", "ssl_context": ssl.create_default_context(cafile=self.ca_file)}
        if self._users is not None:
            options |= {
                "security_protocol": "SASL_SSL" if self._tls else "SASL_PLAINTEXT",
                "sasl_mechanism": "PLAIN",
                "sasl_plain_username": user,
                "sasl_plain_password": self._users[user],
            }
        return options

    def start(self) -> None:
        """Start it, or start it again; returns when it answers clients.

        Raises:
            ToolMissing: no Java, no Maven while Kafka has to be downloaded, or no openssl for a certificate.
            DownloadFailed: Kafka could not be downloaded.
            DidNotStart: its ports are taken, it ended, or it does not answer in time.
            RuntimeError: it is running.
        """
        if self.pid is not None:
            raise RuntimeError(f"the broker on {self.bootstrap} is running")
        self.kill()  # one that ended by itself has not been seen off
        java, libraries = find_java(), fetch_libraries(self._libraries)
        for port in (self._port, self._controller_port):
            if not is_free(port):
                raise DidNotStart(f"port {port} of {HOST} is taken: a broker that was left running?")
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._tls:
            make_certificate(self._directory)
        certificates = self._directory if self._tls else None
        text = server_properties(self._directory / DATA, self._port, self._controller_port, self._users, certificates)
        (self._directory / PROPERTIES).write_text(text, encoding="utf-8")
        runtime = [java, *JVM, "-cp", f"{libraries.absolute()}/*"]  # Java itself expands the star
        if kept_ports(self._directory) is None:
            format_storage(runtime, self._directory, (self._port, self._controller_port))
        heap = (f"-Xmx{self._heap_mb}m", "-XX:+ExitOnOutOfMemoryError")
        with self.log.open("ab") as log:
            self._child = Child([*runtime, *heap, "kafka.Kafka", PROPERTIES], log, self._directory)
        try:
            trouble = self._trouble(self._child)
        except BaseException:  # an interrupt: what was started must not stay
            self.kill()
            raise
        if trouble is not None:
            self.kill()
            raise DidNotStart(f"{trouble}; {last_lines(self.log)}")

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does; returns when its ports are free.

        Nothing happens if it is not running.
        """
        if self._child is not None:
            self._child.kill()
            self._child = None

    def stop(self) -> None:
        """End it in good order, or by force after twenty seconds. Nothing happens if it is not running."""
        if self._child is not None:
            self._child.stop(STOP_S)
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _trouble(self, child: Child) -> str | None:
        """Wait until it answers; what went wrong if it never will."""
        give_up_s = time.monotonic() + START_S
        while not answers(self.client()):
            if child.returncode is not None:
                return f"Kafka ended with {child.returncode} while starting"
            if time.monotonic() > give_up_s:
                return f"Kafka does not answer on {self.bootstrap} after {START_S:.0f} s"
            time.sleep(ASK_AGAIN_S)
        return None
