"""Options that many commands share, and what those before the command said."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["JsonOption", "LangOption", "LedgerOption", "Settings"]

LedgerOption = Annotated[Path | None, typer.Option("--ledger", help="The ledger file; default from the configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
LangOption = Annotated[str, typer.Option("--lang", help="zh or en.")]


class Settings:
    """What the options before the command say."""

    config: Path = Path("config.yaml")
