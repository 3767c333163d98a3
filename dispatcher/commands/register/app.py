"""`dispatcher register …`: the commands and their options. Each imports what it needs when it is called."""

from pathlib import Path
from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, Settings

__all__ = ["AsOfOption", "PeopleOption", "register_app"]

register_app = typer.Typer(help="The register: who stands behind each cell.", no_args_is_help=True)

AsOfOption = Annotated[str | None, typer.Option("--as-of", help="An instant with its offset (RFC 3339); default now.")]
PeopleOption = Annotated[bool, typer.Option("--people", help="Show names of persons and telephone numbers.")]


@register_app.command("check")
def register_check(
    directory: Annotated[Path | None, typer.Argument(help="Its CSV files; default from the configuration.")] = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Check a register: every problem at once, with file, line and column."""
    from dispatcher.commands.register.check import check_command

    check_command(Settings.config, directory, lang=lang, json=json)


@register_app.command("show")
def register_show(
    cell: Annotated[str, typer.Argument(help="The code of a cell.")],
    as_of: AsOfOption = None,
    people: PeopleOption = False,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Show the team of a cell (1+1+N), who answers the phone, its visits and its compounds."""
    from dispatcher.commands.register.show import show_command

    show_command(Settings.config, cell, as_of=as_of, people=people, lang=lang, json=json)


@register_app.command("visits")
def register_visits(
    cell: Annotated[str | None, typer.Option("--cell", help="Only this cell and those in it.")] = None,
    as_of: AsOfOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """List the recurring visits that are due or missed."""
    from dispatcher.commands.register.visits import visits_command

    visits_command(Settings.config, cell, as_of=as_of, lang=lang, json=json)


@register_app.command("volunteers")
def register_volunteers(
    first: Annotated[str | None, typer.Option("--from", help="The first day, as 2026-03-02.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day.")] = None,
    cell: Annotated[str | None, typer.Option("--cell", help="Only this cell, by those directly in it.")] = None,
    people: PeopleOption = False,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Count volunteers and the hours they served, by area; with --people, by person."""
    from dispatcher.commands.register.volunteers import volunteers_command

    volunteers_command(Settings.config, first, last, cell, people=people, lang=lang, json=json)


@register_app.command("circle")
def register_circle(
    minutes: Annotated[float, typer.Option("--minutes", help="How long to walk.")] = 15.0,
    speed_m_s: Annotated[float, typer.Option("--speed-m-s", help="How fast; 1.0 where many are old.")] = 1.2,
    detour: Annotated[float, typer.Option("--detour", help="Metres of street to a straight metre.")] = 1.3,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Say how many cells and people can walk to a service centre, by area."""
    from dispatcher.commands.register.circle import circle_command

    circle_command(Settings.config, minutes, speed_m_s, detour, lang=lang, json=json)
