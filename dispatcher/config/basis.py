"""What the sections of the configuration are made of."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["Section", "Timeout", "Variable", "is_url"]

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Timeout = Annotated[float, Field(gt=0, le=60)]


class Section(BaseModel):
    """Strict: a key it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_url(address: str | None) -> bool:
    """Whether it is an http or https URL without a user in it."""
    try:
        parts = urlsplit(address or "")
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:  # a port that is no number
        return False
