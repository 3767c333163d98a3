"""`dispatcher register circle`: who can walk to a service centre (15分钟服务圈)."""

from pathlib import Path

from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.register.opening import map_of, register_of
from dispatcher.commands.talk import fail, language_of, out, print_json, progress
from dispatcher.register import AreaReach, reach_m, reaches, walks
from geo import Grid, Kind

__all__ = ["circle_command"]

_WORDS = {
    "en": {
        "area": "area",
        "leaves": "leaf cells reached",
        "people": "people reached",
        "uncounted": "cells without population",
        "total": "total",
        "title": "{centres} service centre(s), {minutes:g} minutes: {metres:.0f} m as the crow flies",
        "walking": "cells",
    },
    "zh": {
        "area": "区域",
        "leaves": "覆盖末级网格",
        "people": "覆盖人口",
        "uncounted": "无人口数据的网格",
        "total": "合计",
        "title": "{centres} 个服务中心，{minutes:g} 分钟：直线 {metres:.0f} 米",
        "walking": "网格",
    },
}


def circle_command(
    config_path: Path, minutes: float, speed_m_s: float, detour: float, *, lang: str, json: bool
) -> None:
    """Print what is within reach in each area, with both terms."""
    language_of(lang)
    try:
        metres = reach_m(minutes, speed_m_s, detour)
    except ValueError as error:
        fail(str(error), 2)
    config = config_of(config_path)
    locator, centres = map_of(config, Kind.SERVICE_CENTRE)
    register = register_of(config, locator.grid, lang)
    words = _WORDS[lang]
    with progress(words["walking"], len(locator.grid.leaves)) as advance:
        ways = walks(locator.grid, list(centres), advance)
    found = reaches(locator.grid, ways, metres, (lambda _: None) if register is None else register.population)
    if json:
        beyond = [way for way in ways if way.metres > metres]
        print_json({"minutes": minutes, "reach_m": metres, "centres": len(centres), "areas": found, "beyond": beyond})
        return
    title = words["title"].format(centres=len(centres), minutes=minutes, metres=metres)
    _show(locator.grid, found, words, title)


def _show(grid: Grid, found: tuple[AreaReach, ...], words: dict[str, str], title: str) -> None:
    table = Table(title=title)
    table.add_column(words["area"])
    for column in ("leaves", "people", "uncounted"):
        table.add_column(words[column], justify="right")
    for area in found:
        table.add_row(
            words["total"] if area.area is None else f"{area.area} {grid.name_of(area.area)}",
            _share(area.leaves_reached, area.leaves),
            _share(area.people_reached, area.people),
            str(area.leaves_uncounted),
        )
    out.print(table)


def _share(part: int, whole: int) -> str:
    """Both terms and the share; nothing has no share."""
    return f"{part:,} / {whole:,}  {f'{part / whole:.1%}' if whole else '-':>6}"
