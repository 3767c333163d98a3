"""`dispatcher topics …`: the topics on Kafka, made and checked."""

from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, Settings

__all__ = ["topics_app"]

topics_app = typer.Typer(help="The topics on Kafka: make them, check them, who may do what.", no_args_is_help=True)


@topics_app.command()
def create(
    by: Annotated[str, typer.Option("--by", help="Who does it, for the record.")] = "",
    json: JsonOption = False,
) -> None:
    """Make what is missing, begin the ledger and put the configured policy in force if there is none."""
    from dispatcher.commands.topics.create import create_command

    create_command(Settings.config, by=by, json=json)


@topics_app.command()
def check(json: JsonOption = False) -> None:
    """Compare every topic with what it must be; exit 1 if anything differs."""
    from dispatcher.commands.topics.check import check_command

    check_command(Settings.config, json=json)


@topics_app.command()
def enact(
    by: Annotated[str, typer.Option("--by", help="Who approves it, for the record.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
) -> None:
    """Put the configured policy in force: its departments' topics, its document, then the command."""
    from dispatcher.commands.topics.create import enact_command

    enact_command(Settings.config, by=by, reason=reason)


@topics_app.command()
def acls() -> None:
    """Print what each department, the gateway and the workers must be allowed, as commands of Kafka's own tool."""
    from dispatcher.commands.topics.acls import acls_command

    acls_command(Settings.config)
