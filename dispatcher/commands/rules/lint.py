"""`dispatcher rules lint`: what a policy that loads may still get wrong."""

from collections import Counter
from pathlib import Path
from time import time_ns
from typing import Any

import msgspec
from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.rules.check import located
from dispatcher.commands.rules.grids import cell_paths
from dispatcher.commands.talk import fail, language_of, out, print_json, say
from dispatcher.hosts.setup import read_policy
from rules import Policy, PolicyError
from rules.lint import Finding, Hole, Lint, lint
from rules.problems import Language

__all__ = ["lint_command"]

SHOWN_CATEGORIES, SHOWN_AREAS = 30, 20
"""Of the table of what the fallback serves; --json has all."""

_WORDS = {
    "en": {
        "clean": "nothing to report",
        "found": "{count} finding(s): {each}",
        "holes": "what the fallback serves (● always, ○ some cases, ? not found out)",
        "category": "category",
        "more": "… and more: --json has all",
        "tests": "the tests can't be read, so rules are not judged by them; see `dispatcher rules test`",
        "bad": "{count} problem(s): this policy can't be put in force",
    },
    "zh": {
        "clean": "未发现问题",
        "found": "共 {count} 项：{each}",
        "holes": "由兜底受理的情形（● 全部，○ 部分，? 未能判定）",
        "category": "类别",
        "more": "……其余见 --json",
        "tests": "测试文件无法读取，未据此判定规则；见 `dispatcher rules test`",
        "bad": "{count} 个问题：此政策不能生效",
    },
}


def lint_command(
    config_path: Path,
    directory: Path | None,
    *,
    at: str | None,
    grid: Path | None,
    strict: bool,
    lang: str,
    json: bool,
) -> None:
    """Print every finding with its place, then the table of what the fallback serves.

    Exit 1 when the policy doesn't load, and with `strict` when there is any finding or warning.
    """
    language = language_of(lang)
    folder = directory or config_of(config_path).policy
    try:
        policy = read_policy(folder)
    except PolicyError as error:
        lines = [located(folder, problem, language) for problem in error.problems]
        if json:
            print_json({"policy": None, "problems": lines})
        else:
            out.print("\n".join(lines), soft_wrap=True)
        fail(_WORDS[lang]["bad"].format(count=len(lines)))
    at_ms = _instant_ms(policy, at)
    judged = lint(
        policy, at_ms, paths=cell_paths(config_path, grid, policy.grid_levels, lang), covered=_covered(folder, lang)
    )
    warnings = [located(folder, problem, language) for problem in policy.warnings]
    if json:
        print_json(_as_json(policy, at_ms, warnings, judged, language))
    else:
        _show(folder, warnings, judged, lang, language)
    if strict and (judged.findings or warnings):
        raise SystemExit(1)


def _instant_ms(policy: Policy, at: str | None) -> int:
    """The midnight at which a day of the policy's zone begins; now, without one."""
    if at is None:
        return time_ns() // 1_000_000
    try:
        return policy.midnight_ms(at)
    except ValueError:
        fail(f"--at takes a day such as 2026-11-22, not {at}", 2)


def _covered(folder: Path, lang: str) -> frozenset[str] | None:
    from dispatcher.policies.cases import covered_rules

    try:
        return covered_rules(folder)
    except PolicyError:
        say(_WORDS[lang]["tests"])
        return None


def _show(folder: Path, warnings: list[str], judged: Lint, lang: str, language: Language) -> None:
    lines = warnings + [_line(folder, found, language) for found in judged.findings]
    if lines:
        out.print("\n".join(lines), soft_wrap=True)
    if judged.holes:
        out.print(_WORDS[lang]["holes"])
        out.print(_table(judged.holes, _WORDS[lang]))
        if _is_cut(judged.holes):
            say(_WORDS[lang]["more"])
    counts = Counter(found.number for found in judged.findings)
    each = ", ".join(f"{number} × {count}" for number, count in sorted(counts.items()))
    said = _WORDS[lang]["found"].format(count=len(judged.findings), each=each)
    say(said if judged.findings else _WORDS[lang]["clean"])


def _line(folder: Path, found: Finding, language: Language) -> str:
    """A finding as a line whose file can be opened from where one stands."""
    return f"{folder / found.place.file if found.place else ''}" + (
        found.render(language).removeprefix(found.place.file) if found.place else found.render(language)
    )


def _is_cut(holes: tuple[Hole, ...]) -> bool:
    return len({hole.category for hole in holes}) > SHOWN_CATEGORIES or len({hole.area for hole in holes}) > SHOWN_AREAS


def _table(holes: tuple[Hole, ...], words: dict[str, str]) -> Table:
    marks = {(hole.category, hole.area): "●" if hole.always else "?" if hole.example is None else "○" for hole in holes}
    areas = sorted({hole.area for hole in holes})[:SHOWN_AREAS]
    table = Table()
    table.add_column(words["category"])
    for area in areas:
        table.add_column(area, justify="center", overflow="fold")
    for category in list(dict.fromkeys(hole.category for hole in holes))[:SHOWN_CATEGORIES]:
        table.add_row(category, *(marks.get((category, area), "") for area in areas))
    return table


def _as_json(policy: Policy, at_ms: int, warnings: list[str], judged: Lint, language: Language) -> dict[str, Any]:
    return {
        "policy": policy.sha256,
        "at": policy.local_date(at_ms),
        "problems": warnings,
        "findings": [_plain(found, language) for found in judged.findings],
        "fallback": [msgspec.to_builtins(hole._asdict()) for hole in judged.holes],
    }


def _plain(found: Finding, language: Language) -> dict[str, Any]:
    message, hint = found.said(language)
    place = found.place
    return {
        "code": found.number,
        "check": found.check.name.lower(),
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": message,
        "hint": hint,
        "rules": list(found.rules),
        "example": None if found.example is None else msgspec.to_builtins(found.example),
    }
