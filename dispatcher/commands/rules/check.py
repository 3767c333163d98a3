"""`dispatcher rules check`: can this directory be put in force, and what is in it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import language_of, out, print_json
from dispatcher.hosts.setup import grid_version, read_policy, unmet
from rules import Policy, PolicyError, Problem
from rules.problems import Language

__all__ = ["check_command", "located"]

_WORDS = {
    "en": {
        "bad": "{count} problem(s): this policy can't be put in force",
        "good": "{name} {version} can be put in force",
        "unmet": "not met: {what}",
        "holds": "{departments} departments, {categories} categories with {standards} filing standards, "
        "{sources} sources, {calendars} calendars, {sla} sets of deadlines, {ladders} ladders",
        "rules": "{guards} guards, {routes} routes, {overlays} overlays",
        "known": "holidays are known until {until}",
    },
    "zh": {
        "bad": "{count} 个问题：此政策不能生效",
        "good": "{name} {version} 可以生效",
        "unmet": "未满足：{what}",
        "holds": "部门 {departments} 个，类别 {categories} 个（立案标准 {standards} 条），来源 {sources} 个，"
        "日历 {calendars} 个，时限 {sla} 套，升级阶梯 {ladders} 个",
        "rules": "守卫规则 {guards} 条，派遣规则 {routes} 条，叠加规则 {overlays} 条",
        "known": "节假日数据到 {until} 为止",
    },
}


def located(directory: Path, problem: Problem, language: Language) -> str:
    """A problem as a line whose file can be opened from where one stands."""
    return f"{directory / problem.file}{problem.render(language).removeprefix(problem.file)}"


def check_command(config_path: Path, directory: Path | None, *, lang: str, json: bool) -> None:
    """Print every problem and warning with its place, then what the policy holds; exit 1 if it can't be activated."""
    language = language_of(lang)
    words = _WORDS[language]
    config = config_of(config_path)
    directory = directory or config.policy
    policy, problems = _load(directory)
    missing = [] if policy is None else _unmet(policy, config.grid)
    if json:
        print_json(
            {
                "sha256": None if policy is None else policy.sha256,
                "problems": [_plain(directory, problem, language) for problem in problems],
                "unmet": missing,
                "holds": None if policy is None else _counts(policy),
            }
        )
    else:
        lines = [located(directory, problem, language) for problem in problems]
        lines += [words["unmet"].format(what=what) for what in missing]
        if policy is None:
            lines.append(words["bad"].format(count=len(problems)))
        else:
            lines += _summary(policy, words)
        out.print("\n".join(lines), soft_wrap=True)
    if policy is None:
        raise SystemExit(1)


def _load(directory: Path) -> tuple[Policy | None, tuple[Problem, ...]]:
    try:
        policy = read_policy(directory)
    except PolicyError as error:
        return None, error.problems
    return policy, policy.warnings


def _unmet(policy: Policy, grid: Path) -> list[str]:
    """What it requires and is not there; a grid that can't be read has no version."""
    try:
        version = grid_version(grid.read_bytes()) if policy.requires else ""
    except OSError:
        version = ""
    return list(unmet(policy, version))


def _counts(policy: Policy) -> dict[str, int]:
    sections = policy.document.sections
    counts = {name: len(getattr(sections, name)) for name in sections.__struct_fields__}
    return counts | {"standards": sum(len(entry.standards or ()) for entry in sections.categories)}


def _summary(policy: Policy, words: dict[str, str]) -> Iterator[str]:
    yield words["good"].format(name=policy.name, version=policy.version)
    yield f"  sha256 {policy.sha256}"
    counts = _counts(policy)
    yield f"  {words['holds'].format(**counts)}"
    yield f"  {words['rules'].format(**counts)}"
    known = [policy.clock(entry.name).coverage_until_ms for entry in policy.document.sections.calendars]
    ends = [until for until in known if until is not None]
    if ends:
        yield f"  {words['known'].format(until=policy.local_date(min(ends)))}"


def _plain(directory: Path, problem: Problem, language: Language) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "code": problem.number,
        "message": located(directory, problem, language),
        "values": dict(msgspec.to_builtins(problem.values)),
    }
