"""The channels against real servers: what arrives, what is signed, what is tried again, what is never said."""

import json
import logging
import ssl
import time
from pathlib import Path

import msgspec
import pytest
from notices_cases import VOICE, record, to_reporter
from notices_servers import dripping_server, free_port, hook_server, mail_server, silent_server

from dispatcher.config import ConfigError, LogChannel, SmtpChannel, WebhookChannel
from dispatcher.logs import JsonLines
from dispatcher.notices import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Delivered,
    Failed,
    Message,
    Notice,
    compose,
    open_channels,
    signature_of,
    verify,
)
from dispatcher.notices.smtp import Smtp
from dispatcher.notices.webhook import Webhook

CERTIFICATE = Path(__file__).with_name("loopback.pem")
SECRET = "between us"
NOW_S = 1_772_424_000


def message(address: str | None, count: int = 1, make=record) -> Message:
    return compose("gas-company", [msgspec.convert(make(n), Notice) for n in range(count)], VOICE, address=address)


@pytest.fixture
def webhook(monkeypatch) -> Webhook:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return Webhook(
        "hub", WebhookChannel(kind="webhook", secret_env="HOOK_SECRET", timeout_s=0.3), clock_s=lambda: NOW_S
    )


def test_webhook_is_signed_and_says_everything(webhook: Webhook) -> None:
    with hook_server() as server:
        sent = message(f"{server.url}/notices?unit=1", 3)
        assert webhook.deliver(sent) == Delivered()
    (hook,) = server.hooks
    assert hook.path == "/notices?unit=1"
    assert hook.headers["X-Dispatch-Message"] == sent.message_id
    stamp, signature = hook.headers[TIMESTAMP_HEADER], hook.headers[SIGNATURE_HEADER]
    assert verify(SECRET.encode(), stamp, hook.body, signature, now_s=NOW_S + 300)
    body = json.loads(hook.body)
    assert [each["notice_id"] for each in body["notices"]] == [record(n)["notice_id"] for n in range(3)]
    assert (body["to"], body["subject"], body["text"]) == ("gas-company", sent.subject, sent.text)
    assert body["late"] is False


def test_a_signature_of_something_else_is_refused() -> None:
    secret, body = b"s", b'{"a":1}'
    signature = signature_of(secret, str(NOW_S), body)
    assert verify(secret, str(NOW_S), body, signature, now_s=NOW_S)
    refused = [
        (b"t", str(NOW_S), body, signature, NOW_S),
        (secret, str(NOW_S + 1), body, signature, NOW_S),
        (secret, str(NOW_S), body + b" ", signature, NOW_S),
        (secret, str(NOW_S), body, signature.upper(), NOW_S),
        (secret, str(NOW_S), body, "", NOW_S),
        (secret, str(NOW_S), body, "ü", NOW_S),
        (secret, str(NOW_S), body, signature, NOW_S + 301),
        (secret, str(NOW_S), body, signature, NOW_S - 301),
    ]
    assert not any(verify(s, t, b, given, now_s=now_s) for s, t, b, given, now_s in refused)
    for odd in ("", "now", "-5", "١", "9" * 400):
        assert not verify(secret, odd, body, signature_of(secret, odd, body), now_s=NOW_S)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Delivered()), (299, Delivered()), (302, Failed("http 302", retry=False)),
     (307, Failed("http 307", retry=False)), (400, Failed("http 400", retry=False)),
     (408, Failed("http 408", retry=True)), (410, Failed("http 410", retry=False)),
     (429, Failed("http 429", retry=True)), (500, Failed("http 500", retry=True)),
     (503, Failed("http 503", retry=True))],
)  # fmt: skip
def test_webhook_answers(webhook: Webhook, status: int, expected) -> None:
    with hook_server() as server:
        server.answers = [status]
        assert webhook.deliver(message(server.url)) == expected
        assert len(server.hooks) == 1  # a redirect is not followed
        assert server.hooks[0].path == "/"


def test_webhook_whose_other_side_is_gone_silent_or_no_web_server(webhook: Webhook) -> None:
    assert webhook.deliver(message(f"http://127.0.0.1:{free_port()}/")) == Failed(
        "connection: Connection refused", True
    )
    with silent_server() as port:
        assert webhook.deliver(message(f"http://127.0.0.1:{port}/")) == Failed("timeout", retry=True)
    with mail_server() as mail:
        answer = webhook.deliver(message(f"http://127.0.0.1:{mail.port}/"))
        assert answer == Failed("answer: BadStatusLine", retry=True)


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [(b"", Failed("timeout", retry=True)), (b"HTTP/1.1 ", Failed("timeout", retry=True)),
     (b"HTTP/1.1 100 Continue\r\nA: ", Failed("timeout", retry=True)), (b"HTTP/1.1 204 Taken\r\nA: ", Delivered()),
     (b"HTTP/1.1 503 Not now\r\nA: ", Failed("http 503", retry=True))],
)  # fmt: skip
def test_webhook_that_drips_has_one_deadline(webhook: Webhook, greeting: bytes, expected) -> None:
    with dripping_server(greeting) as port:
        began = time.monotonic()
        assert webhook.deliver(message(f"http://127.0.0.1:{port}/")) == expected
        assert time.monotonic() - began < 5  # a read waits 20 ms, far from its time-out


def test_webhook_over_tls_goes_to_whom_we_trust_only(webhook: Webhook, monkeypatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with hook_server(str(CERTIFICATE)) as server:
        answer = webhook.deliver(message(server.url))
        assert isinstance(answer, Failed)
        assert answer.retry
        assert answer.reason.startswith("connection: ")
        assert not server.hooks
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert webhook.deliver(message(server.url)) == Delivered()


def test_a_channel_without_its_secret_does_not_open(monkeypatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(ConfigError, match=r"channels\.hub: the environment has no NO_SUCH"):
        Webhook("hub", WebhookChannel(kind="webhook", secret_env="NO_SUCH"))
    with pytest.raises(ConfigError, match=r"channels\.mail: the environment has no NO_SUCH or NOT_THIS"):
        Smtp("mail", smtp(25, user_env="NO_SUCH", password_env="NOT_THIS"))


def smtp(port: int, **more) -> SmtpChannel:
    made = {"kind": "smtp", "host": "127.0.0.1", "port": port, "sender": "dispatch@city.example", "timeout_s": 2}
    return SmtpChannel.model_validate({"starttls": False, **made, **more})


def test_mail_arrives_whole() -> None:
    with mail_server() as server:
        sent = message("li@example.org", make=to_reporter)
        assert Smtp("mail", smtp(server.port)).deliver(sent) == Delivered()
    (mail,) = server.mails
    assert server.recipients == ["TO:<li@example.org>"]
    assert mail["Subject"] == sent.subject
    assert mail.get_content().strip() == sent.text
    assert (mail["From"], mail["To"]) == ("dispatch@city.example", "li@example.org")
    assert mail["Message-ID"] == f"<{sent.message_id}@city.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert server.logins == []


def test_mail_over_starttls_with_a_login(monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setenv("MAIL_USER", "city")
    monkeypatch.setenv("MAIL_PASSWORD", "pass")
    with mail_server(str(CERTIFICATE)) as server:
        settings = smtp(server.port, starttls=True, user_env="MAIL_USER", password_env="MAIL_PASSWORD")
        assert Smtp("mail", settings).deliver(message("duty@gas.example")) == Delivered()
        assert server.secure == [True]
        assert len(server.logins) == 1
        server.refuse = {"AUTH": 535}
        assert Smtp("mail", settings).deliver(message("duty@gas.example")) == Failed("smtp login 535", retry=True)


def test_mail_is_not_sent_in_the_clear_when_tls_is_asked_for(monkeypatch) -> None:
    with mail_server() as server:
        answer = Smtp("mail", smtp(server.port, starttls=True)).deliver(message("duty@gas.example"))
        assert answer == Failed("smtp SMTPNotSupportedError", retry=True)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with mail_server(str(CERTIFICATE)) as server:  # somebody in the middle
        answer = Smtp("mail", smtp(server.port, starttls=True)).deliver(message("duty@gas.example"))
        assert answer == Failed(f"connection: {ssl.SSLCertVerificationError.__name__}", retry=True)
        assert server.mails == []


@pytest.mark.parametrize(
    ("refuse", "expected"),
    [({"RCPT": 550}, Failed("smtp recipient 550", retry=False)), ({"RCPT": 451}, Failed("smtp recipient 451", True)),
     ({"MAIL": 553}, Failed("smtp 553", retry=False)), ({"MAIL": 451}, Failed("smtp 451", retry=True)),
     ({"DATA": 554}, Failed("smtp 554", retry=False)), ({".": 552}, Failed("smtp 552", retry=False)),
     ({".": 451}, Failed("smtp 451", retry=True)), ({"EHLO": 554, "HELO": 554}, Failed("smtp SMTPHeloError", True))],
)  # fmt: skip
def test_mail_refused(refuse: dict[str, int], expected: Failed) -> None:
    with mail_server() as server:
        server.refuse = refuse
        assert Smtp("mail", smtp(server.port)).deliver(message("li@example.org")) == expected
        assert server.mails == []


def test_mail_that_was_accepted_is_delivered_whatever_is_said_to_quit() -> None:
    """Otherwise the same mail would be sent again."""
    with mail_server() as server:
        server.refuse = {"QUIT": 421}
        assert Smtp("mail", smtp(server.port)).deliver(message("li@example.org")) == Delivered()
        server.refuse, server.drops_at_quit = {}, True
        assert Smtp("mail", smtp(server.port)).deliver(message("li@example.org")) == Delivered()
        assert len(server.mails) == 2


def test_mail_server_that_drips_has_one_deadline() -> None:
    with dripping_server(b"220 sink\r\n250-sink\r\n", b"250-x\r\n") as port:
        began = time.monotonic()
        answer = Smtp("mail", smtp(port, timeout_s=0.3)).deliver(message("li@example.org"))
        assert answer == Failed("connection: TimeoutError", retry=True)
        assert time.monotonic() - began < 5


def test_mail_server_gone_or_silent() -> None:
    answer = Smtp("mail", smtp(free_port())).deliver(message("li@example.org"))
    assert answer == Failed("connection: ConnectionRefusedError", retry=True)
    with silent_server() as port:
        answer = Smtp("mail", smtp(port, timeout_s=0.3)).deliver(message("li@example.org"))
        assert answer == Failed("smtp SMTPServerDisconnected", retry=True)


def test_an_address_cannot_add_a_header() -> None:
    with mail_server() as server:
        answer = Smtp("mail", smtp(server.port)).deliver(message("li@example.org\nBcc: all@example.org"))
        assert answer == Failed("address", retry=False)
        assert server.recipients == []


def test_log_says_who_and_what_but_not_the_text(caplog) -> None:
    caplog.set_level(logging.INFO)
    sent = message("li@example.org", 150, make=to_reporter)
    channels = open_channels(_settings({"quiet-log": LogChannel(kind="log")}))
    assert list(channels) == ["log", "quiet-log"]
    assert channels["quiet-log"].deliver(sent) == Delivered()
    (record,) = caplog.records
    said = json.loads(line := JsonLines().format(record))
    assert (said["notice_to"], said["count"], len(said["notices"])) == ("gas-company", 150, 100)
    assert said["notices"][0]["notice_id"] == to_reporter(0)["notice_id"]
    assert "example.org" not in line
    assert "编号" not in line


def _settings(channels):
    from dispatcher.config import Notices

    return Notices(channels=channels)
