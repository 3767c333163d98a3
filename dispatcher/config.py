"""`config.yaml`: the whole running configuration. Strict; every problem at once, each with its line.

Environment variables override it: `DISPATCHER__HTTP__PORT=9465` sets `http: {port: 9465}`. Secrets come by
environment or file, never in it. Relative paths are relative to the configuration file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["Config", "ConfigError", "load_config"]

PREFIX = "DISPATCHER__"


class ConfigError(Exception):
    """The configuration is wrong; the message lists every problem."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class Http(_Section):
    """Where metrics and health are served; loopback unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65_535)


class Config(_Section):
    """See `config.yaml` for what each key means."""

    policy: Path
    grid: Path
    gazetteer: Path | None = None
    things: Path | None = None
    ledger: Path = Path("var/city.db")
    locate: Locate = Locate()
    sources: dict[str, SourceDefaults] = {}
    engine: EngineSettings = EngineSettings()
    http: Http = Http()

    def below(self, directory: Path) -> "Config":
        """The same with relative paths taken from `directory`."""
        paths = {
            name: directory / value
            for name in ("policy", "grid", "gazetteer", "things", "ledger")
            if (value := getattr(self, name)) is not None
        }
        return self.model_copy(update=paths)


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
