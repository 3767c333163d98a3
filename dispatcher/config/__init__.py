"""`config.yaml`: the whole running configuration. Strict; every problem at once, each with its line.

Environment variables override it: `DISPATCHER__HTTP__PORT=9465` sets `http: {port: 9465}`. Secrets come by
environment or file, never in it. Relative paths are relative to the configuration file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from dispatcher.config.basis import Section as _Section
from dispatcher.config.basis import Timeout as _Timeout
from dispatcher.config.basis import Variable as _Variable
from dispatcher.config.basis import is_url as _is_url
from dispatcher.config.outward import ConsoleSettings, Gateway, Http, Media, Open311, Webhook

__all__ = [
    "Channel",
    "Config",
    "ConfigError",
    "ConsoleSettings",
    "Gateway",
    "Kafka",
    "LogChannel",
    "Media",
    "NoticeRoute",
    "Notices",
    "Open311",
    "SmtpChannel",
    "Webhook",
    "WebhookChannel",
    "load_config",
]

PREFIX = "DISPATCHER__"


class ConfigError(Exception):
    """The configuration is wrong; the message lists every problem."""


class Locate(_Section):
    """How positions become cells."""

    tolerance_m: float = Field(default=50.0, ge=0, le=10_000)


class SourceDefaults(_Section):
    """What a source does not say of its positions."""

    crs: Literal["wgs84", "cgcs2000", "gcj02", "bd09"] = "wgs84"


class EngineSettings(_Section):
    """Batches of the engine."""

    batch_records: int = Field(default=1_000, ge=1, le=10_000)
    poll_ms: int = Field(default=50, ge=1, le=60_000)


class Log(_Section):
    """How lines of the log are written: `auto` is text on a terminal, JSON elsewhere."""

    format: Literal["auto", "json", "text"] = "auto"


class Kafka(_Section):
    """A Kafka cluster as the ledger; without `bootstrap` the ledger is the one file."""

    bootstrap: str | None = None
    prefix: str = Field(default="", pattern=r"^[a-zA-Z0-9._-]{0,100}$")
    application: str = Field(default="dispatcher", pattern=r"^[a-zA-Z0-9._-]{1,100}$")
    partitions: int = Field(default=32, ge=1, le=1_000)
    partition_level: int = Field(default=2, ge=1, le=5)
    input_partitions: int = Field(default=8, ge=1, le=1_000)
    department_partitions: int = Field(default=4, ge=1, le=1_000)
    replication: int = Field(default=3, ge=1, le=7)
    session_timeout_s: float = Field(default=10.0, ge=1, le=300)
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-256"
    user_env: str | None = None
    password_env: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Kafka":
        if self.security.startswith("SASL") and not (self.user_env and self.password_env):
            raise ValueError(f"{self.security} needs user_env and password_env")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        return self


_TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Mailbox = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\"]+@[^\s@<>,;:\"]+$", max_length=254)]


class LogChannel(_Section):
    """A line in the log."""

    kind: Literal["log"]


class WebhookChannel(_Section):
    """A signed POST to each route's address."""

    kind: Literal["webhook"]
    secret_env: _Variable
    timeout_s: _Timeout = 10.0


class SmtpChannel(_Section):
    """E-mail by one server; user and password, when named, are read from the environment."""

    kind: Literal["smtp"]
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65_535)
    sender: _Mailbox
    starttls: bool = True
    user_env: _Variable | None = None
    password_env: _Variable | None = None
    timeout_s: _Timeout = 10.0

    @model_validator(mode="after")
    def _both_or_neither(self) -> "SmtpChannel":
        if (self.user_env is None) != (self.password_env is None):
            raise ValueError("user_env and password_env go together")
        return self


Channel = Annotated[LogChannel | WebhookChannel | SmtpChannel, Field(discriminator="kind")]


class NoticeRoute(_Section):
    """Recipients, exactly or by their beginning and `*`; the channel that reaches them; where: a URL or a mailbox."""

    to: str = Field(min_length=1)
    channel: str = "log"
    address: str | None = None


class Notices(_Section):
    """How departments, officers and reporters are told."""

    language: Literal["zh", "en"] = "zh"
    poll_ms: int = Field(default=1_000, ge=10, le=60_000)
    digest_minutes: float = Field(default=10, ge=0, le=1_440)
    late_minutes: float = Field(default=30, gt=0, le=10_080)
    expire_days: float = Field(default=7, gt=0, le=366)
    quiet_from: _TimeOfDay = "22:00"
    quiet_until: _TimeOfDay = "07:00"
    attempts_max: int = Field(default=10, ge=1, le=100)
    retry_first_s: float = Field(default=30, gt=0, le=3_600)
    retry_longest_s: float = Field(default=3_600, gt=0, le=86_400)
    channels: dict[str, Channel] = Field(default_factory=dict)
    routes: tuple[NoticeRoute, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Notices":
        wrong = [f"routes.{n} ({route.to}): {said}" for n, route in enumerate(self.routes) if (said := self._of(route))]
        if "log" in self.channels:
            wrong.append("channels.log: the name log is taken by the log itself")
        if self.late_minutes < self.digest_minutes:
            wrong.append("late_minutes must be at least digest_minutes")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _of(self, route: NoticeRoute) -> str | None:
        """What is wrong with a route."""
        channel = self.channels.get(route.channel)
        if channel is None:
            return None if route.channel == "log" else f"there is no channel {route.channel}"
        if isinstance(channel, WebhookChannel):
            return None if _is_url(route.address) else "a webhook needs an address: an http or https URL"
        if isinstance(channel, SmtpChannel) and route.address is None and not route.to.startswith("report:"):
            return "mail needs an address (reporters, report:*, are written to at their own)"
        return None


class Config(_Section):
    """See `config.yaml` for what each key means."""

    policy: Path
    grid: Path
    gazetteer: Path | None = None
    things: Path | None = None
    register_directory: Path | None = Field(default=None, alias="register")  # `register` is taken by the model itself
    ledger: Path = Path("var/city.db")
    locate: Locate = Locate()
    sources: dict[str, SourceDefaults] = Field(default_factory=dict)
    engine: EngineSettings = EngineSettings()
    http: Http = Http()
    gateway: Gateway = Gateway()
    console: ConsoleSettings = ConsoleSettings()
    log: Log = Log()
    open311: Open311 = Open311()
    media: Media = Media()
    kafka: Kafka = Kafka()
    notices: Notices = Notices()
    webhooks: tuple[Webhook, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _named_once(self) -> "Config":
        names = [each.name for each in self.webhooks]
        if len(set(names)) < len(names):
            raise ValueError("webhooks: each has a name of its own")
        return self

    def below(self, directory: Path) -> "Config":
        """The same with relative paths taken from `directory`."""
        paths = {
            name: directory / value
            for name in ("policy", "grid", "gazetteer", "things", "register_directory", "ledger")
            if (value := getattr(self, name)) is not None
        }
        certificates = {
            name: directory / value
            for name in ("ca_file", "certificate_file", "key_file")
            if (value := getattr(self.kafka, name)) is not None
        }
        gateway = {
            name: directory / value
            for name in ("keys", "projection")
            if (value := getattr(self.gateway, name)) is not None
        }
        media = None if self.media.directory is None else directory / self.media.directory
        sections = {
            "kafka": self.kafka.model_copy(update=certificates),
            "gateway": self.gateway.model_copy(update=gateway),
            "media": self.media.model_copy(update={"directory": media}),
        }
        webhooks = tuple(
            each if each.secret_file is None else each.model_copy(update={"secret_file": directory / each.secret_file})
            for each in self.webhooks
        )
        return self.model_copy(update={**paths, **sections, "webhooks": webhooks})


def load_config(path: Path, environment: Mapping[str, str]) -> Config:
    """Read a configuration file and the overrides of the environment.

    Raises:
        ConfigError: it cannot be read, or holds anything this version does not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: {said}; name another with --config") from None
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        document = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, as in the config.yaml that is shipped")
    overridden = _override(document, environment)
    try:
        return Config.model_validate(document).below(path.parent)
    except ValidationError as error:
        problems = [
            f"{_place(path, node, item['loc'], overridden)} {'.'.join(map(str, item['loc']))}: {item['msg']}"
            for item in error.errors()
        ]
        raise ConfigError("\n".join(problems)) from None


def _override(document: dict[str, Any], environment: Mapping[str, str]) -> set[str]:
    """Set the environment's values into the document; returns the dotted names that were set."""
    overridden = set()
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        place = document
        for section in sections:
            inner = place.setdefault(section, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"environment {name}: {section} is not a section")
            place = inner
        place[key] = value
        overridden.add(".".join([*sections, key]))
    return overridden


def _place(path: Path, node: yaml.Node | None, location: tuple[int | str, ...], overridden: set[str]) -> str:
    if ".".join(map(str, location)) in overridden:
        return "environment:"
    line = 1
    for step in location:
        if not isinstance(node, yaml.MappingNode):
            break
        for key, value in node.value:
            if key.value == step:
                line, node = key.start_mark.line + 1, value
                break
        else:
            break
    return f"{path}:{line}:"
