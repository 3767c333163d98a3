"""`dispatcher webhooks …`: the commands and their options. Each imports what it needs when it is called."""

from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings

__all__ = ["webhooks_app"]

webhooks_app = typer.Typer(help="Topics sent to other systems: how far each has come, and what was given up.")
_Name = Annotated[str, typer.Argument(help="The webhook's name, as the configuration has it.")]


@webhooks_app.callback(invoke_without_command=True)
def webhooks(
    context: typer.Context, ledger: LedgerOption = None, lang: LangOption = "en", json: JsonOption = False
) -> None:
    """List the webhooks with what waits and what was given up."""
    if context.invoked_subcommand is not None:
        return
    from dispatcher.commands.webhooks.commands import list_command

    list_command(Settings.config, ledger, lang=lang, json=json)


@webhooks_app.command("dead")
def webhooks_dead(name: _Name, ledger: LedgerOption = None, lang: LangOption = "en", json: JsonOption = False) -> None:
    """List the records that were given up, with what the last try said."""
    from dispatcher.commands.webhooks.commands import dead_command

    dead_command(Settings.config, ledger, name, lang=lang, json=json)


@webhooks_app.command("retry")
def webhooks_retry(name: _Name, ledger: LedgerOption = None, lang: LangOption = "en", json: JsonOption = False) -> None:
    """Let what was given up be tried again by the engine that runs, or the next one."""
    from dispatcher.commands.webhooks.commands import retry_command

    retry_command(Settings.config, ledger, name, lang=lang, json=json)


@webhooks_app.command("test")
def webhooks_test(name: _Name, lang: LangOption = "en", json: JsonOption = False) -> None:
    """Send one event without a record, the way a record would go, and say what happened."""
    from dispatcher.commands.webhooks.commands import test_command

    test_command(Settings.config, name, lang=lang, json=json)
