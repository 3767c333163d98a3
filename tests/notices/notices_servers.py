"""Real servers on loopback ports of their own: one that takes webhooks, one that takes mail."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Hook(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class _Hooks(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed or does not trust us: part of the tests."""


class HookServer:
    """Keeps every request; `answers` are the next statuses, 204 when there are none; `before` is called before each."""

    def __init__(self) -> None:
        self.hooks: list[Hook] = []
        self.answers: list[int] = []
        self.before: Callable[[Hook], None] = lambda _: None
        self.url = ""


@contextmanager
def hook_server(certificate: str | None = None) -> Iterator[HookServer]:
    """With a certificate (PEM, key included) it speaks TLS."""
    kept = HookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook = Hook(self.path, dict(self.headers.items()), body)
            kept.hooks.append(hook)
            kept.before(hook)
            status = kept.answers.pop(0) if kept.answers else 204
            try:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{kept.url}/elsewhere")
                self.end_headers()
            except OSError:  # the sender was killed
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = _Hooks(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    kept.url = f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer:
    """Keeps every mail. `refuse` maps a command (`RCPT`, `DATA`, `AUTH`, `.` …) to the code it is refused with."""

    def __init__(self, certificate: str | None) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.logins: list[str] = []
        self.secure: list[bool] = []
        self.refuse: dict[str, int] = {}
        self.drops_at_quit = False
        self.certificate = certificate
        self.port = 0


class _Session(socketserver.StreamRequestHandler):
    server: "_Smtp"

    def handle(self) -> None:
        kept, secure = self.server.kept, False
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            command, _, rest = line.partition(" ")
            command = command.upper()
            if command in kept.refuse:
                self._say(f"{kept.refuse[command]} no mail for {rest}")
            elif command == "EHLO":
                starttls = ["250-STARTTLS"] if kept.certificate and not secure else []
                self._say("250-sink", *starttls, "250-AUTH PLAIN", "250 8BITMIME")
            elif command == "STARTTLS":
                self._say("220 go on")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(kept.certificate or "")
                try:
                    self.connection = context.wrap_socket(self.connection, server_side=True)
                except OSError:  # the client does not trust us
                    return
                self.rfile, secure = self.connection.makefile("rb"), True
            elif command == "AUTH":
                kept.logins.append(rest)
                self._say("235 welcome")
            elif command == "RCPT":
                kept.recipients.append(rest)
                self._say("250 ok")
            elif command == "DATA":
                self._say("354 go on")
                self._take_mail(kept, secure)
            elif command == "QUIT" and kept.drops_at_quit:
                return
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take_mail(self, kept: MailServer, secure: bool) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        if "." in kept.refuse:
            self._say(f"{kept.refuse['.']} not today")
            return
        kept.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
        kept.secure.append(secure)
        self._say("250 taken")

    def finish(self) -> None:
        super().finish()
        self.rfile.close()
        self.connection.close()  # the one that TLS has put in place of the first

    def _say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())


class _Smtp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    kept: MailServer


@contextmanager
def mail_server(certificate: str | None = None) -> Iterator[MailServer]:
    """With a certificate (PEM, key included) it offers STARTTLS."""
    server = _Smtp(("127.0.0.1", 0), _Session)
    server.kept = MailServer(certificate)
    server.kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def dripping_server(greeting: bytes, drop: bytes = b"x") -> Iterator[int]:
    """A port that says the greeting to the first that connects, and then a little for ever, one bit every 20 ms."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                connection.sendall(greeting)
                while not over.wait(0.02):
                    connection.sendall(drop)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
