"""`dispatcher notices …`: the commands and their options. Each imports what it needs when it is called."""

from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings

__all__ = ["notices_app"]

notices_app = typer.Typer(help="What departments, officers and reporters were told, and what failed.")


@notices_app.callback(invoke_without_command=True)
def notices(
    context: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="Only those given up or refused.")] = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that have not gone out, held ones too.")
    ] = False,
    to: Annotated[str | None, typer.Option("--to", help="Only those to this recipient.")] = None,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """List notices with what became of each."""
    if context.invoked_subcommand is not None:
        return
    from dispatcher.commands.notices.listing import notices_command

    notices_command(Settings.config, ledger, failed=failed, waiting=waiting, to=to, lang=lang, json=json)


@notices_app.command("retry")
def notices_retry(
    to: Annotated[str | None, typer.Option("--to", help="Only those to this recipient.")] = None,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Let failed notices be tried again by the engine that runs, or the next one."""
    from dispatcher.commands.notices.listing import retry_command

    retry_command(Settings.config, ledger, to, lang=lang, json=json)


@notices_app.command("test")
def notices_test(
    to: Annotated[
        str, typer.Argument(help="A recipient: gas-company, street-office@…, cell:…, report:source/id, city.")
    ],
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Send one test message the way a notice would go, and say what happened."""
    from dispatcher.commands.notices.sending import test_command

    test_command(Settings.config, ledger, to, lang=lang, json=json)
