"""Opening the register and the map as the configuration says; its problems end the command."""

from pathlib import Path
from typing import NamedTuple

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, progress
from dispatcher.config import Config
from dispatcher.hosts.setup import read_policy, register_files
from dispatcher.register import Register, RegisterError, load_register
from geo import Grid, Kind, Locator, Registry, load_grid, load_things

__all__ = ["NO_REGISTER", "Map", "known_cell", "load_shown", "map_of", "opened_register", "register_of"]

NO_REGISTER = {
    "en": "no register: set `register` in the configuration",
    "zh": "没有登记册：请在配置中写明 register",
}
_READING = {"en": "register", "zh": "登记册"}
_PROBLEMS = {"en": "the register has {count} problem(s)", "zh": "登记册有 {count} 个问题"}
_NO_CELL = {"en": "the grid has no cell {code}", "zh": "网格中没有 {code}"}


class Map(NamedTuple):
    """Where cells and things are."""

    locator: Locator
    registry: Registry


def map_of(config: Config, *kinds: Kind) -> Map:
    """The grid and the things of these kinds, as the configuration names them."""
    grid = load_grid(config.grid.read_bytes())
    locator = Locator(grid, tolerance_m=config.locate.tolerance_m)
    things = () if config.things is None else load_things(config.things.read_bytes(), cells=grid)
    return Map(locator, Registry(locator, (thing for thing in things if thing.kind in kinds)))


def load_shown(directory: Path, config: Config, grid: Grid, lang: str) -> Register:
    """A register's directory with a progress bar; its local times are the policy's. Raises RegisterError."""
    files, zone = register_files(directory), read_policy(config.policy).timezone
    with progress(_READING[lang], 2 * sum(map(len, files.values()))) as advance:
        return load_register(files, grid, zone, advance)


def register_of(config: Config, grid: Grid, lang: str) -> Register | None:
    """The register of the configuration, None if it names none; problems end the command."""
    language = language_of(lang)
    if config.register_directory is None:
        return None
    try:
        return load_shown(config.register_directory, config, grid, lang)
    except RegisterError as error:
        lines = "\n".join(problem.render(language) for problem in error.problems)
        fail(f"{lines}\n{_PROBLEMS[lang].format(count=len(error.problems))}")


def opened_register(config_path: Path, lang: str) -> Register:
    """The register of the configuration, which must name one."""
    language_of(lang)
    config = config_of(config_path)
    return register_of(config, load_grid(config.grid.read_bytes()), lang) or fail(NO_REGISTER[lang])


def known_cell(register: Register, code: str | None, lang: str) -> str | None:
    """The code, if the grid has it; anything else ends the command."""
    if code is not None and code not in register.grid:
        fail(_NO_CELL[lang].format(code=code))
    return code
