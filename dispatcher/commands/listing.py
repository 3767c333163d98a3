"""Declarations of the commands that list things; what they do is imported when they are called."""

from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings

__all__ = ["callbacks", "incidents", "queue"]


def incidents(
    asset: Annotated[str | None, typer.Option("--asset", help="About this registered thing.")] = None,
    cell: Annotated[str | None, typer.Option("--cell", help="In this cell of any level.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Of this category or one below it.")] = None,
    department: Annotated[str | None, typer.Option("--department", help="Led by it.")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="The newest so many.", min=1, max=1000)] = 50,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """List incidents, the last opened first: of an asset, a cell, a category, a department."""
    from dispatcher.commands.incidents import Wanted, incidents_command

    wanted = Wanted(asset, cell, category, department, only_open)
    incidents_command(Settings.config, ledger, wanted, limit=limit, lang=lang, json=json)


def callbacks(
    limit: Annotated[int, typer.Option("--limit", help="Lines in the table.", min=1)] = 50,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """List the reporters that are still to be called back, those an incident waits for first."""
    from dispatcher.commands.callbacks import callbacks_command

    callbacks_command(Settings.config, ledger, lang=lang, limit=limit, json=json)


def queue(
    cell: Annotated[str | None, typer.Option("--cell", help="In this cell of any level.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Of this category or one below it.")] = None,
    department: Annotated[str | None, typer.Option("--department", help="Led by it.")] = None,
    severity: Annotated[list[int] | None, typer.Option("--severity", help="1 (worst) to 4.", min=1, max=4)] = None,
    limit: Annotated[int, typer.Option("--limit", help="The first so many.", min=1, max=1000)] = 50,
    once: Annotated[bool, typer.Option("--once", help="Print it and end, on a terminal too.")] = False,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """The operators' queue, in the order to work on it; on a terminal kept current until Ctrl-C."""
    from dispatcher.commands.queue import queue_command
    from dispatcher.views import Filter

    where = Filter(cell=cell, category=category, department=department, severities=tuple(severity or ()))
    queue_command(Settings.config, ledger, where, limit=limit, once=once, lang=lang, json=json)
