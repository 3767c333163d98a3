"""The grid that `rules lint` and `rules diff` look at a policy over."""

from collections.abc import Sequence
from pathlib import Path

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import say
from geo import load_grid

__all__ = ["cell_paths"]

_WITHOUT = {
    "en": "{why}: cells are taken to lie in each other as their codes do",
    "zh": "{why}：按编码前缀推定网格的上下级",
}
_WHY = {
    "en": {"none": "{file} is not there", "other": "{file} has {has} levels, the policy {wants}"},
    "zh": {"none": "没有 {file}", "other": "{file} 有 {has} 级网格，政策为 {wants} 级"},
}


def cell_paths(
    config_path: Path, grid: Path | None, levels: Sequence[str], lang: str
) -> tuple[tuple[str, ...], ...] | None:
    """Every cell with those around it, root first, of the grid an option names, or else the configuration.

    None, and said on stderr, when the configuration names no grid there is, or one of another depth than the policy's
    `levels`: that one is some other city's. A grid that the option names must be there.

    Raises:
        ConfigError, GridError, OSError: a file is wrong; one that an option names can't be read.
    """
    if grid is not None:
        return load_grid(grid.read_bytes()).paths
    configured = config_of(config_path).grid if config_path.exists() else config_path
    words, about = _WHY[lang], {"file": configured, "wants": len(levels)}
    if configured is config_path or not configured.exists():
        say(_WITHOUT[lang].format(why=words["none"].format(**about)))
        return None
    found = load_grid(configured.read_bytes())
    if found.levels != len(levels):
        say(_WITHOUT[lang].format(why=words["other"].format(**about, has=found.levels)))
        return None
    return found.paths
