"""`dispatcher mode …`: which mode (平、急) holds where, and with it `reroute` and `outage`: what the centre orders."""

from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings

__all__ = ["mode_app", "outage", "reroute"]

mode_app = typer.Typer(help="Modes: which one holds where and until when; set one, end one.", no_args_is_help=True)

ByOption = Annotated[str | None, typer.Option("--by", help="Who orders it; default the user at the terminal.")]
WaitOption = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the engine's answer.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody is at a terminal.")]


@mode_app.command()
def show(ledger: LedgerOption = None, lang: LangOption = "en", json: JsonOption = False) -> None:
    """Show which modes hold, where, since when and until when."""
    from dispatcher.commands.mode.show import show_command

    show_command(Settings.config, ledger, lang=lang, json=json)


@mode_app.command("set")
def set_mode(
    mode: Annotated[str, typer.Argument(help="A mode of the policy other than its first, ordinary one.")],
    until: Annotated[str, typer.Option("--until", help="RFC 3339 with an offset, or +90m, +6h, +2d from now.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    cells: Annotated[str | None, typer.Option("--cells", help="Cells of any level: a,b.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="In the whole city.")] = False,
    proposal: Annotated[str | None, typer.Option("--proposal", help="The proposal that this confirms.")] = None,
    by: ByOption = None,
    yes: YesOption = False,
    wait_s: WaitOption = 10.0,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Set a mode for some cells, or everywhere, until an instant, after showing what is open there."""
    from dispatcher.commands.mode.set import Wish, set_command

    wish = Wish(mode, cells, everywhere, until, reason, proposal, by, yes, wait_s)
    set_command(Settings.config, ledger, wish, lang=lang, json=json)


@mode_app.command()
def end(
    mode_id: Annotated[str | None, typer.Argument(help="The mode's id: `dispatcher mode show`.")] = None,
    proposal: Annotated[str | None, typer.Option("--proposal", help="Instead: the proposal that it confirmed.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    by: ByOption = None,
    wait_s: WaitOption = 10.0,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """End a mode before its time."""
    from dispatcher.commands.mode.end import Wish, end_command

    end_command(Settings.config, ledger, Wish(mode_id, proposal, reason, by, wait_s), lang=lang, json=json)


def reroute(
    cells: Annotated[str | None, typer.Option("--cells", help="Only in these cells of any level: a,b.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would change.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    by: ByOption = None,
    yes: YesOption = False,
    wait_s: WaitOption = 10.0,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    csv: Annotated[bool, typer.Option("--csv", help="Preview: print CSV.")] = False,
    json: JsonOption = False,
) -> None:
    """Decide open incidents again, under the policy and the modes that hold now; --preview changes nothing."""
    from dispatcher.commands.reroute import Wish, preview_command, reroute_command

    if preview or csv or json:
        preview_command(Settings.config, ledger, cells, csv=csv, json=json, lang=lang, yes=yes)
    else:
        reroute_command(Settings.config, ledger, Wish(cells, reason, by, yes, wait_s), lang=lang)


def outage(
    since: Annotated[str, typer.Argument(metavar="FROM", help="When it began: RFC 3339 with an offset.")],
    until: Annotated[str, typer.Argument(metavar="TO", help="When it was over.")],
    reason: Annotated[str, typer.Option("--reason", help="What had failed.")],
    by: ByOption = None,
    yes: YesOption = False,
    wait_s: WaitOption = 10.0,
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Write an outage down: deadlines that fell into it are left out of the adjusted figures, never of the raw ones."""
    from dispatcher.commands.outage import Wish, outage_command

    outage_command(Settings.config, ledger, Wish(since, until, reason, by, yes, wait_s), lang=lang, json=json)
