"""Sections about those outside: whoever asks over HTTP, residents' applications, pictures, other systems."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from dispatcher.config.basis import Section, Timeout, Variable, is_url

__all__ = ["ConsoleSettings", "Gateway", "Http", "Media", "Open311", "Webhook"]


class Http(Section):
    """Where metrics and health are served; loopback unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65_535)


class Gateway(Section):
    """Who is let in over HTTP, and how much each may ask for."""

    keys: Path | None = None
    projection: Path = Path("var/gateway.view")
    proxies: tuple[str, ...] = ("127.0.0.1",)
    rate_per_s: float = Field(default=5_000, gt=0, le=1_000_000)
    burst: int = Field(default=20_000, ge=1_000, le=1_000_000)
    strangers_per_s: float = Field(default=20, gt=0, le=1_000_000)
    strangers_burst: int = Field(default=200, ge=1, le=1_000_000)
    four_eyes: bool = True


class ConsoleSettings(Section):
    """What the pages of the console fetch from elsewhere: nothing, unless a map's background is named."""

    tiles: str | None = Field(
        default=None, max_length=500, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[^\s\"'<>;,]*$"
    )
    tiles_credit: str = Field(default="", max_length=200)


class Open311(Section):
    """What the city says of itself to applications that speak Open311."""

    jurisdiction_id: str | None = Field(default=None, min_length=1, max_length=200)
    url: str | None = None
    contact: str = "Ask whoever runs this service."
    key_service: str = "Keys are given by whoever runs this service."
    language: Literal["zh", "en"] = "zh"

    @model_validator(mode="after")
    def _consistent(self) -> "Open311":
        if self.url is not None and not is_url(self.url):
            raise ValueError("url must be an http or https URL, such as https://city.example/open311/v2")
        return self


class Media(Section):
    """Pictures: where they lie, how large they may be, and where links may lead besides."""

    directory: Path | None = None
    bytes_max: int = Field(default=10_000_000, ge=100_000, le=50_000_000)
    store_bytes_max: int = Field(default=20_000_000_000, ge=0)
    url: str | None = None
    hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Media":
        if self.url is not None and not is_url(self.url):
            raise ValueError("url must be an http or https URL, such as https://city.example")
        return self


class Webhook(Section):
    """A topic sent to another system, record by record; its secret is in the environment or in a file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    topic: str = Field(pattern=r"^(routed|events|dept\.\w[\w.-]{0,63})$")
    url: str
    secret_env: Variable | None = None
    secret_file: Path | None = None
    begin: Literal["now", "beginning"] = "now"
    timeout_s: Timeout = 10.0
    attempts_max: int = Field(default=10, ge=1, le=100)
    retry_first_s: float = Field(default=5, gt=0, le=3_600)
    retry_longest_s: float = Field(default=600, gt=0, le=86_400)

    @model_validator(mode="after")
    def _consistent(self) -> "Webhook":
        if not is_url(self.url):
            raise ValueError("url must be an http or https URL")
        if (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("give secret_env or secret_file, one of the two")
        return self
