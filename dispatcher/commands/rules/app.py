"""`dispatcher rules …`: the policy as something to check, test, compare, try on history and put in force."""

from pathlib import Path
from typing import Annotated

import typer

from dispatcher.commands.settings import JsonOption, LangOption, LedgerOption, Settings

__all__ = ["rules_app"]

rules_app = typer.Typer(
    help="The written policy: check, test, compare, try on history, activate.", no_args_is_help=True
)

DirArgument = Annotated[Path | None, typer.Argument(help="A policy directory; default from the configuration.")]
PolicyArgument = Annotated[str, typer.Argument(help="A policy directory, or a sha256 (or its start) in the ledger.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
GridOption = Annotated[Path | None, typer.Option("--grid", help="GeoJSON; default from the configuration.")]


@rules_app.command()
def check(directory: DirArgument = None, lang: LangOption = "en", json: JsonOption = False) -> None:
    """Load it: every problem with file, line and what to do; exit 1 if it can't be activated."""
    from dispatcher.commands.rules.check import check_command

    check_command(Settings.config, directory, lang=lang, json=json)


@rules_app.command()
def lint(
    directory: DirArgument = None,
    at: Annotated[str | None, typer.Option("--at", help="Judge dates as of this day; default today.")] = None,
    grid: GridOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on any finding.")] = False,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Find what loads but is not meant: shadowed and dead rules, ties, holes, contradicting deadlines."""
    from dispatcher.commands.rules.lint import lint_command

    lint_command(Settings.config, directory, at=at, grid=grid, strict=strict, lang=lang, json=json)


@rules_app.command("test")
def run_tests(
    directory: DirArgument = None,
    fail_under: Annotated[float, typer.Option("--fail-under", help="Least coverage in percent.")] = 0.0,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit XML file.")] = None,
    grid: GridOption = None,
    only: Annotated[
        str | None, typer.Option("--only", "-k", help="Only tests whose name or file contains this.")
    ] = None,
    lang: LangOption = "en",
    json: JsonOption = False,
) -> None:
    """Run the policy's own tests; timelines go through the real engine."""
    from dispatcher.commands.rules.test import test_command

    test_command(
        Settings.config, directory, fail_under=fail_under, junit=junit, grid=grid, only=only, lang=lang, json=json
    )


@rules_app.command()
def diff(
    before: PolicyArgument,
    after: PolicyArgument,
    ledger: LedgerOption = None,
    grid: GridOption = None,
    lang: LangOption = "en",
    csv: CsvOption = False,
    json: JsonOption = False,
) -> None:
    """Show which combinations of category and area change their lead, support or SLA."""
    from dispatcher.commands.rules.diff import diff_command

    diff_command(Settings.config, ledger, before, after, grid=grid, lang=lang, csv=csv, json=json)


@rules_app.command()
def backtest(
    policy: Annotated[Path, typer.Option("--policy", help="The candidate: a policy directory.")],
    ledger: LedgerOption = None,
    period: Annotated[
        str | None, typer.Option("--period", help="Only incidents opened in it: 2018-10 or FROM..TO.")
    ] = None,
    fail_if_changed: Annotated[
        str | None, typer.Option("--fail-if-changed", help="Exit 1 if more than this share changes, such as 2%.")
    ] = None,
    lang: LangOption = "en",
    csv: CsvOption = False,
    json: JsonOption = False,
) -> None:
    """Decide past incidents again under a candidate: what would change, by rule, department and area."""
    from dispatcher.commands.rules.backtest import backtest_command

    backtest_command(Settings.config, ledger, policy, period, fail_if_changed, lang=lang, csv=csv, json=json)


@rules_app.command()
def matrix(
    directory: DirArgument = None,
    grid: GridOption = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Write a spreadsheet.")] = None,
    lang: LangOption = "en",
    csv: CsvOption = False,
    json: JsonOption = False,
) -> None:
    """Print who answers for what: category by township, with lead, support and limit."""
    from dispatcher.commands.rules.matrix import matrix_command

    matrix_command(Settings.config, directory, grid=grid, xlsx=xlsx, lang=lang, csv=csv, json=json)


@rules_app.command()
def report(
    rule: Annotated[str | None, typer.Argument(help="A rule's id; default all of them.")] = None,
    ledger: LedgerOption = None,
    as_test: Annotated[
        str | None, typer.Option("--as-test", help="Turn an incident's upheld return into a policy test.")
    ] = None,
    lang: LangOption = "en",
    csv: CsvOption = False,
    json: JsonOption = False,
) -> None:
    """Show each rule's report card: hits, overrides, returns upheld, how often the first lead stayed."""
    from dispatcher.commands.rules.report import report_command

    report_command(Settings.config, ledger, rule, as_test=as_test, lang=lang, csv=csv, json=json)


@rules_app.command()
def lookahead(
    ledger: LedgerOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How far to look.")] = 30,
    as_of: Annotated[str | None, typer.Option("--as-of", help="From this instant (RFC 3339); default now.")] = None,
    lang: LangOption = "en",
    csv: CsvOption = False,
    json: JsonOption = False,
) -> None:
    """Show what falls due around the next holidays."""
    from dispatcher.commands.rules.lookahead import lookahead_command

    lookahead_command(Settings.config, ledger, days=days, as_of=as_of, lang=lang, csv=csv, json=json)


@rules_app.command()
def activate(
    directory: DirArgument = None,
    ledger: LedgerOption = None,
    expects: Annotated[
        str | None, typer.Option("--expects", help="The sha256 (or its start) it replaces; default what is in force.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who approves it.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the history.")] = "",
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the engine's answer.")] = 10.0,
    lang: LangOption = "en",
) -> None:
    """Put a policy in force, once everything about it has been checked; otherwise the last good one stays."""
    from dispatcher.commands.rules.activate import activate_command

    activate_command(
        Settings.config, ledger, directory, expects=expects, by=by, reason=reason, wait_s=wait_s, lang=lang
    )


@rules_app.command()
def history(ledger: LedgerOption = None, lang: LangOption = "en", json: JsonOption = False) -> None:
    """List which policy was in force when, who put it there and why."""
    from dispatcher.commands.rules.activate import history_command

    history_command(Settings.config, ledger, lang=lang, json=json)


@rules_app.command()
def rollback(
    sha256: Annotated[str, typer.Argument(help="A policy of the history: its sha256 or the start of it.")],
    ledger: LedgerOption = None,
    by: Annotated[str | None, typer.Option("--by", help="Who approves it.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the history.")] = "",
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the engine's answer.")] = 10.0,
    lang: LangOption = "en",
) -> None:
    """Put an earlier policy in force again."""
    from dispatcher.commands.rules.activate import rollback_command

    rollback_command(Settings.config, ledger, sha256, by=by, reason=reason, wait_s=wait_s, lang=lang)


@rules_app.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from dispatcher.commands.rules.schema import schema_command

    schema_command()


@rules_app.command()
def fmt(
    directory: DirArgument = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if something would change.")] = False,
    lang: LangOption = "en",
) -> None:
    """Tidy the files: quotes where YAML needs them, white space; never what the policy says."""
    from dispatcher.commands.rules.fmt import fmt_command

    fmt_command(Settings.config, directory, check=check, lang=lang)
