"""`dispatcher alerts …`: the commands and their options. Each imports what it needs when it is called."""

from pathlib import Path
from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings

__all__ = ["alerts_app"]

alerts_app = typer.Typer(help="Public alerts (CAP 1.2) and the mode they propose.", no_args_is_help=True)


@alerts_app.command("propose")
def alerts_propose(
    file: Annotated[Path, typer.Argument(help="A CAP 1.2 alert (XML); - for standard input.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="As at this instant (RFC 3339); default now.")] = None,
    severity: Annotated[
        list[str] | None,
        typer.Option("--severity", help="Which mode a severity proposes, as Moderate=emergency; may be repeated."),
    ] = None,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Say which mode an alert proposes, where and how long, and the command that confirms it; nothing is changed."""
    from dispatcher.commands.alerts.propose import propose_command

    propose_command(Settings.config, ledger, file, as_of=as_of, severities=severity or [], lang=lang, json=json)
