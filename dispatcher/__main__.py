"""The command line. Each command imports what it needs when it is called: start-up time matters."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.commands.alerts.app import alerts_app
from dispatcher.commands.keys.app import keys_app
from dispatcher.commands.listing import callbacks, incidents, queue
from dispatcher.commands.mode.app import mode_app, outage, reroute
from dispatcher.commands.notices.app import notices_app
from dispatcher.commands.register.app import register_app
from dispatcher.commands.rules.app import rules_app
from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings
from dispatcher.commands.topics.app import topics_app
from dispatcher.commands.webhooks.app import webhooks_app

__all__ = ["app", "main"]

app = typer.Typer(
    name="dispatcher",
    help="Whistle-blow, multi-response: accept every report once, route it by written policy, follow it, explain it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
grid_app = typer.Typer(help="The grid of cells.", no_args_is_help=True)
app.add_typer(grid_app, name="grid")
app.add_typer(alerts_app, name="alerts")
app.add_typer(keys_app, name="keys")
app.add_typer(mode_app, name="mode")
app.add_typer(notices_app, name="notices")
app.add_typer(register_app, name="register")
app.add_typer(rules_app, name="rules")
app.add_typer(topics_app, name="topics")
app.add_typer(webhooks_app, name="webhooks")
app.command()(incidents)
app.command()(callbacks)
app.command()(queue)
app.command()(reroute)
app.command()(outage)


@app.callback()
def _common(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("config.yaml"),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")] = False,
) -> None:
    import logging

    from dispatcher.logs import write_logs

    Settings.config = config
    write_logs("text", logging.DEBUG if verbose else logging.INFO)
    if not verbose:  # they tell their every step, and each harmless refusal of Kafka 4
        for library in ("aiokafka", "faust", "mode"):
            logging.getLogger(library).setLevel(logging.ERROR)


@app.command()
def run(ledger: LedgerOption = None) -> None:
    """Run the engine and the gateway on one ledger until SIGTERM or Ctrl-C."""
    from dispatcher.commands.run import run_command

    run_command(Settings.config, ledger)


@app.command()
def worker() -> None:
    """Work on a Kafka cluster, as one of however many, until SIGTERM or Ctrl-C; serve /metrics and /health."""
    from dispatcher.commands.worker import worker_command

    worker_command(Settings.config)


@app.command()
def gateway(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Instead of http.port; 0: any.")] = None,
) -> None:
    """Serve the gateway of a Kafka cluster, as one of however many, until SIGTERM or Ctrl-C."""
    from dispatcher.commands.gateway import gateway_command

    gateway_command(Settings.config, port)


@app.command()
def append(
    topic: Annotated[str, typer.Argument(help="reports, updates or updates.<department>.")],
    file: Annotated[Path, typer.Argument(help="JSON Lines; - for standard input.")] = Path("-"),
    ledger: LedgerOption = None,
) -> None:
    """Append records to an input topic; durable when it returns."""
    from dispatcher.commands.append import append_command

    append_command(Settings.config, ledger, topic, file)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV, JSON array or JSON Lines.")],
    mapping: Annotated[Path, typer.Option("--mapping", help="Which column is which field.")],
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Work through history at its own time; an interrupted replay goes on where it stopped."""
    from dispatcher.commands.replay import replay_command

    replay_command(Settings.config, files, mapping, ledger, json=json)


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="An incident id, source/report-id, or a report as a JSON file.")],
    ledger: LedgerOption = None,
    at: Annotated[
        str | None, typer.Option("--at", help="A report: as of this instant (RFC 3339); default now.")
    ] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="A report: in this mode; default the first.")] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", help="A policy directory, or a sha256 (or its start) in the ledger.")
    ] = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Say why: place, rules that held and nearly held, who won and by what, each deadline's arithmetic."""
    from dispatcher.commands.explain import explain_command

    explain_command(Settings.config, ledger, what, at=at, mode=mode, policy=policy, lang=lang, json=json)


@app.command()
def incident(
    incident_id: Annotated[str, typer.Argument(help="An incident id or source/report-id.")],
    ledger: LedgerOption = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Show one incident: state, assignments, targets, history."""
    from dispatcher.commands.incident import incident_command

    incident_command(Settings.config, ledger, incident_id, json=json, lang=lang)


@app.command()
def export(
    topic: Annotated[str, typer.Argument(help="incidents, routed, dept.<code>, dept.*, events, rejected, archive, …")],
    ledger: LedgerOption = None,
) -> None:
    """Print a topic as JSON Lines; of compacted topics the newest value of each key."""
    from dispatcher.commands.export import export_command

    export_command(Settings.config, ledger, topic)


@app.command()
def kpi(
    ledger: LedgerOption = None,
    by: Annotated[
        str | None, typer.Option("--by", help="department, party (units), area, category, major or source.")
    ] = None,
    level: Annotated[int, typer.Option("--level", min=0, help="Of areas: the grid's level; of categories: depth.")] = 0,
    received: Annotated[str | None, typer.Option("--received", help="Cases opened in this period.")] = None,
    filed: Annotated[
        str | None, typer.Option("--filed", help="Cases filed in this period: 2018-10 or FROM..TO.")
    ] = None,
    due: Annotated[str | None, typer.Option("--due", help="Cases due in this period.")] = None,
    basis: Annotated[str | None, typer.Option("--basis", help="received, filed or due, of all cases.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As known at this instant (RFC 3339).")] = None,
    adjusted: Annotated[
        bool, typer.Option("--adjusted", help="Beside the raw rates those without what is exempt.")
    ] = False,
    time: Annotated[bool, typer.Option("--time", help="List: whose time it was.")] = False,
    gaming: Annotated[bool, typer.Option("--gaming", help="List: what looks like working for the figures.")] = False,
    came_back: Annotated[bool, typer.Option("--came-back", help="List: closed cases that came back.")] = False,
    ratings: Annotated[bool, typer.Option("--ratings", help="List: what streets think of departments.")] = False,
    exempt: Annotated[bool, typer.Option("--exempt", help="List: what the adjusted rates leave out.")] = False,
    midnights: Annotated[bool, typer.Option("--midnights", help="List: open and overdue at each midnight.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Write a spreadsheet.")] = None,
    json: JsonOption = False,
    lang: LangOption = "en",
) -> None:
    """Closure rates and their like, each with both of its terms; or one of the lists behind them."""
    from dispatcher.commands.cohorts import Asked
    from dispatcher.commands.kpi import LISTS, kpi_command

    lists = dict(zip(LISTS, (time, gaming, came_back, ratings, exempt, midnights), strict=True))
    kpi_command(
        Settings.config, ledger, asked=Asked(received, filed, due, basis, as_of), by=by, level=level,
        adjusted=adjusted, csv=csv, json=json, xlsx=xlsx, lang=lang, lists=lists,
    )  # fmt: skip


@app.command()
def boards(
    ledger: LedgerOption = None,
    of: Annotated[str, typer.Option("--of", help="department, unit, area, compound or property.")] = "department",
    level: Annotated[int, typer.Option("--level", min=0, help="Of areas: the grid's level.")] = 0,
    received: Annotated[str | None, typer.Option("--received", help="Cases opened in this period.")] = None,
    filed: Annotated[str | None, typer.Option("--filed", help="Cases filed in this period.")] = None,
    due: Annotated[str | None, typer.Option("--due", help="Cases due in this period.")] = None,
    basis: Annotated[str | None, typer.Option("--basis", help="received, filed or due, of all cases.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As known at this instant (RFC 3339).")] = None,
    adjusted: Annotated[bool, typer.Option("--adjusted", help="Without what is exempt.")] = False,
    inspections: Annotated[
        Path | None, typer.Option("--inspections", help="CSV: unit,kind,date,score,max,notes.")
    ] = None,
    firms: Annotated[Path | None, typer.Option("--firms", help="CSV: compound,firm.")] = None,
    red: Annotated[int | None, typer.Option("--red", min=0, help="Length of the red board.")] = None,
    black: Annotated[int | None, typer.Option("--black", min=0, help="Length of the black board.")] = None,
    minimum: Annotated[int | None, typer.Option("--minimum", min=1, help="Cases a rank needs.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Write a spreadsheet.")] = None,
    json: JsonOption = False,
    lang: LangOption = "en",
) -> None:
    """Composite scores by the policy's weights, ranks, the red and the black board."""
    from dispatcher.commands.boards import boards_command
    from dispatcher.commands.cohorts import Asked

    boards_command(
        Settings.config, ledger, asked=Asked(received, filed, due, basis, as_of), of=of, level=level,
        adjusted=adjusted, inspections=inspections, firms=firms, red=red, black=black, minimum=minimum, csv=csv,
        json=json, xlsx=xlsx, lang=lang,
    )  # fmt: skip


@app.command(context_settings={"ignore_unknown_options": True})  # so that -73.9 is a number
def locate(
    lon: Annotated[float, typer.Argument()],
    lat: Annotated[float, typer.Argument()],
    accuracy_m: Annotated[float | None, typer.Option("--accuracy-m", help="Radius of uncertainty.")] = None,
    crs: Annotated[str, typer.Option("--crs", help="wgs84, gcj02 or bd09.")] = "wgs84",
    json: JsonOption = False,
) -> None:
    """Find the cell of a position: longitude, then latitude."""
    from dispatcher.commands.locate import locate_command

    locate_command(Settings.config, lon, lat, accuracy_m, crs, json=json)


@app.command(context_settings={"ignore_unknown_options": True})
def near(
    lon: Annotated[float, typer.Argument()],
    lat: Annotated[float, typer.Argument()],
    crs: Annotated[str, typer.Option("--crs", help="wgs84, gcj02 or bd09.")] = "wgs84",
    minutes: Annotated[float, typer.Option("--minutes", help="How long to walk.")] = 15.0,
    count: Annotated[int, typer.Option("--count", help="How many of each kind.")] = 3,
    people: Annotated[bool, typer.Option("--people", help="Show names of officers and their telephones.")] = False,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Say what is near a position: its units at each level, service centres, officers, compounds, assets."""
    from dispatcher.commands.near import near_command

    near_command(Settings.config, lon, lat, crs=crs, minutes=minutes, count=count, people=people, lang=lang, json=json)


@grid_app.command("check")
def grid_check(file: Annotated[Path | None, typer.Argument(help="GeoJSON; default from the configuration.")] = None,
               json: JsonOption = False) -> None:  # fmt: skip
    """Check a grid: errors refuse it, warnings tell overlaps, gaps and overhang in square metres."""
    from dispatcher.commands.locate import grid_check_command

    grid_check_command(Settings.config, file, json=json)


@app.command()
def audit(
    ledger: LedgerOption = None,
    kafka: Annotated[bool, typer.Option("--kafka", help="Audit the ledger on Kafka.")] = False,
    json: JsonOption = False,
) -> None:
    """Recompute everything from the ledger's inputs and compare; exit 1 if anything differs."""
    from dispatcher.commands.audit import audit_command, audit_kafka_command

    if kafka:
        audit_kafka_command(Settings.config, json=json)
    else:
        audit_command(Settings.config, ledger, json=json)


@app.command()
def doctor(ledger: LedgerOption = None, json: JsonOption = False) -> None:
    """Check the installation, the configuration, the policy, the grid and the ledger."""
    from dispatcher.commands.doctor import doctor_command

    doctor_command(Settings.config, ledger, json=json)


def main() -> None:
    """Run the command line; errors say what, where and the next step."""
    from dispatcher.commands.errors import EXPECTED, describe

    try:
        app()
    except BrokenPipeError:
        os._exit(141)  # whoever read our output has gone: no more words
    except EXPECTED as error:
        import logging

        from dispatcher.commands.talk import fail
        from dispatcher.logs import is_json

        if not is_json():
            fail(describe(error))
        logging.getLogger("dispatcher").critical(describe(error), extra={"event": "failed"})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
