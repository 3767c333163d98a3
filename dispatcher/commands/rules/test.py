"""`dispatcher rules test`: run the policy's own tests, and say how much of the policy they show."""

from pathlib import Path
from typing import Any

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, out, print_json, progress
from dispatcher.core import Placer
from dispatcher.hosts.setup import read_policy
from dispatcher.policies.cases import CaseResult, Outcome, read_suite, run_cases
from dispatcher.policies.coverage import Coverage, Share
from dispatcher.policies.failures import Language, render_failure
from dispatcher.policies.junit import junit_tree
from dispatcher.policies.places import GridCells, grid_placer
from rules import Case, Policy

__all__ = ["test_command"]

BAR_FROM = 200  # tests; fewer are done before a bar could be read

_WORDS: dict[str, tuple[str, str]] = {
    "failed": ("FAIL", "未通过"),
    "summary": ("{n} tests: {passed} passed, {failed} failed", "共 {n} 项测试：通过 {passed}，未通过 {failed}"),
    "rules": ("rules covered: {share}", "规则覆盖：{share}"),
    "keys": ("when keys covered: {share}", "条件键覆盖：{share}"),
    "matter": ("when keys shown to matter: {share}", "证实起作用的条件键：{share}"),
    "share": ("{n} of {of} ({percent} %)", "{n}/{of}（{percent}%）"),
    "uncovered": ("no test makes it win or contribute: {rule}", "没有测试使其生效：{rule}"),
    "not_shown": ("no test shows that it matters: {rule} {key}", "没有测试证实其作用：{rule} {key}"),
    "under": (
        "rule coverage {percent} % is under the {least} % asked for",
        "规则覆盖率 {percent}% 低于要求的 {least}%",
    ),
}


def test_command(
    config_path: Path,
    directory: Path | None,
    *,
    fail_under: float,
    junit: Path | None,
    grid: Path | None,
    only: str | None,
    lang: str,
    json: bool,
) -> None:
    """Run the tests under `tests/` of a policy directory.

    Exit 1 when one fails, when there are none, or when fewer rules are covered than `fail_under` percent. With `only`,
    coverage is neither shown nor judged: it is of the whole suite.
    """
    language = language_of(lang)
    policy_directory = directory or config_of(config_path).policy
    policy = read_policy(policy_directory)
    cells = _cells(config_path, grid)
    cases = read_suite(policy_directory, policy, cells)
    if not cases:
        fail(f"{policy_directory} has no tests; write some under {policy_directory / 'tests'}/*.yaml")
    if only is not None:
        cases = tuple(case for case in cases if only in case.name or only in case.place.file)
        if not cases:
            fail(f"no test's name or file contains {only!r}")
    outcome = _run(policy, cases, cells)
    if junit is not None:
        junit_tree(outcome.results, language).write(junit, encoding="utf-8", xml_declaration=True)
    coverage = outcome.coverage if only is None else None
    if json:
        print_json(_as_json(policy, outcome, coverage, language))
    else:
        out.print(_as_text(outcome, coverage, language), soft_wrap=True)
    under = coverage is not None and coverage.rules.percent < fail_under
    if under and coverage is not None:
        fail(_word("under", language, percent=_percent(coverage.rules), least=f"{fail_under:g}"))
    raise SystemExit(1 if outcome.failed else 0)


def _cells(config_path: Path, grid: Path | None) -> GridCells:
    """Cells of the grid an option names, or else the configuration, when there is one."""
    if grid is not None:
        return GridCells(lambda: grid_placer(grid))
    if not config_path.exists():
        return GridCells()

    def load() -> Placer:
        config = config_of(config_path)
        return grid_placer(config.grid, config.locate.tolerance_m)

    return GridCells(load)


def _run(policy: Policy, cases: tuple[Case, ...], cells: GridCells) -> Outcome:
    if len(cases) <= BAR_FROM:
        return run_cases(policy, cases, cells)
    with progress("tests", len(cases)) as advance:
        return run_cases(policy, cases, cells, None if advance is None else lambda: advance(1))


def _word(word: str, lang: Language, **values: object) -> str:
    return _WORDS[word][lang == "zh"].format(**values)


def _percent(share: Share) -> str:
    """To a tenth, cut: 99.97 is not 100."""
    return f"{int(share.percent * 10) / 10:g}"


def _as_text(outcome: Outcome, coverage: Coverage | None, lang: Language) -> str:
    lines = []
    for result in outcome.results:
        if result.failures:
            lines.append(f"{_word('failed', lang)} {result.case.place} {result.case.name}")
            lines += [f"  {failure.place} {render_failure(failure, lang)}" for failure in result.failures]
    if coverage is not None:
        lines += [f"{place} {_word('uncovered', lang, rule=rule)}" for rule, place in coverage.uncovered_rules]
        lines += [
            f"{place} {_word('not_shown', lang, rule=rule, key=key)}" for rule, key, place in coverage.keys_not_shown
        ]
        shares = (("rules", coverage.rules), ("keys", coverage.keys), ("matter", coverage.keys_that_matter))
        for word, share in shares:
            counted = _word("share", lang, n=share.n, of=share.of, percent=_percent(share))
            lines.append(_word(word, lang, share=counted))
    n, failed = len(outcome.results), outcome.failed
    return "\n".join([*lines, _word("summary", lang, n=n, passed=n - failed, failed=failed)])


def _as_json(policy: Policy, outcome: Outcome, coverage: Coverage | None, lang: Language) -> dict[str, Any]:
    return {
        "policy": policy.sha256,
        "tests": len(outcome.results),
        "failed": outcome.failed,
        "results": [_result_json(result, lang) for result in outcome.results],
        "coverage": None if coverage is None else _coverage_json(coverage),
    }


def _result_json(result: CaseResult, lang: Language) -> dict[str, Any]:
    place = result.case.place
    return {
        "file": place.file,
        "line": place.line,
        "name": result.case.name,
        "passed": not result.failures,
        "failures": [
            {
                "file": failure.place.file,
                "line": failure.place.line,
                "moment": failure.moment or None,
                "what": failure.what,
                "message": render_failure(failure, lang),
            }
            for failure in result.failures
        ],
    }


def _coverage_json(coverage: Coverage) -> dict[str, Any]:
    shares = (
        ("rules", coverage.rules), ("when_keys", coverage.keys), ("when_keys_that_matter", coverage.keys_that_matter),
    )  # fmt: skip
    keys = (("uncovered_when_keys", coverage.uncovered_keys), ("when_keys_not_shown", coverage.keys_not_shown))
    return {
        **{name: {"n": share.n, "of": share.of} for name, share in shares},
        "uncovered_rules": [{"rule": rule, "place": str(place)} for rule, place in coverage.uncovered_rules],
        **{
            name: [{"rule": rule, "key": key, "place": str(place)} for rule, key, place in listed]
            for name, listed in keys
        },
    }
