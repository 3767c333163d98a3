"""`dispatcher keys …`: who is let in over HTTP."""

from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LedgerOption, Settings

__all__ = ["keys_app"]

keys_app = typer.Typer(help="Keys of people and systems: give, list, take back.", no_args_is_help=True)


@keys_app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose it is: a person or a system.")],
    role: Annotated[list[str], typer.Option("--role", help="A role, e.g. dispatcher or department:gas-company.")],
    unit: Annotated[str, typer.Option("--unit", help="Of a department's person: the unit they work in.")] = "",
    area: Annotated[
        list[str] | None, typer.Option("--area", help="A cell the key reaches, with all in it; * is the city.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="A source the key may report as; * is any.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Give somebody a key; it is printed once and never again."""
    from dispatcher.commands.keys.commands import add_command

    add_command(Settings.config, ledger, name, role, unit=unit, areas=area or [], sources=source or [])


@keys_app.command("list")
def list_(ledger: LedgerOption = None, json: JsonOption = False) -> None:
    """List all keys, those taken back too; the keys themselves are kept nowhere."""
    from dispatcher.commands.keys.commands import list_command

    list_command(Settings.config, ledger, json=json)


@keys_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")], ledger: LedgerOption = None
) -> None:
    """Take a key back at once; streams it has open end."""
    from dispatcher.commands.keys.commands import revoke_command

    revoke_command(Settings.config, ledger, key_id)
