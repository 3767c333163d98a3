"""`dispatcher register check`: everything that is wrong with a register."""

from pathlib import Path

from dispatcher.commands.opening import config_of
from dispatcher.commands.register.opening import NO_REGISTER, load_shown
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.register import Register, RegisterError
from geo import load_grid

__all__ = ["check_command"]

_FOUND = {
    "en": "{directory}: {problems} problem(s)",
    "zh": "{directory}：{problems} 个问题",
}
_GOOD = {
    "en": "{units} units, {people} persons, {volunteers} volunteers, {firms} property firms, {compounds} compounds; "
    "{own} of {cells} cells have a line of their own, {without} of {leaves} leaves have no unit",
    "zh": "{units} 个单位、{people} 人、{volunteers} 名志愿者、{firms} 家物业企业、{compounds} 个小区；"
    "{cells} 个网格中 {own} 个有登记，{leaves} 个末级网格中 {without} 个没有包保单位",
}


def check_command(config_path: Path, directory: Path | None, *, lang: str, json: bool) -> None:
    """Print each problem on its line, or what the register holds; exit 1 when there are problems."""
    language = language_of(lang)
    config = config_of(config_path)
    place = directory or config.register_directory or fail(NO_REGISTER[lang])
    grid = load_grid(config.grid.read_bytes())
    try:
        counts = _counts(load_shown(place, config, grid, lang))
    except RegisterError as error:
        problems = error.problems
    else:
        problems = ()
    if json:
        listed = [
            {"file": p.file, "line": p.line, "column": p.column, "code": p.number, "message": p.message(language)}
            for p in problems
        ]
        print_json({"problems": listed, "counts": None if problems else counts})
    else:
        for problem in problems:
            out.print(problem.render(language), soft_wrap=True)
        out.print(_FOUND[lang].format(directory=place, problems=len(problems)), soft_wrap=True)
        if not problems:
            out.print(_GOOD[lang].format(**counts), soft_wrap=True)
    raise SystemExit(1 if problems else 0)


def _counts(register: Register) -> dict[str, int]:
    grid = register.grid
    paths = [grid.path(leaf) for leaf in grid.leaves]
    return {
        "units": len(register.units),
        "people": len(register.people),
        "volunteers": len(register.volunteers),
        "firms": len(register.firms),
        "compounds": len(register.compounds),
        "cells": len(grid),
        "own": sum(register.cell(code) is not None for code in grid.codes),
        "leaves": len(paths),
        "without": sum(register.responsible(path, len(path)) is None for path in paths),
    }
