"""`dispatcher near`: what is around a place, and who answers for it."""

from pathlib import Path
from typing import Any

from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.register.opening import map_of, register_of
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.register import Surroundings, around, reach_m, told_surroundings
from geo import Kind, to_wgs84

__all__ = ["near_command"]

DATUMS = ("wgs84", "gcj02", "bd09")

_WORDS = {
    "en": {
        "no_cell": "no cell",
        "level": "level",
        "cell": "cell",
        "unit": "responsible unit",
        "inherited": "{unit} (from {cell})",
        "what": "what",
        "name": "name",
        "metres": "m",
        "more": "",
        "centres": "service centre",
        "officers": "officer",
        "compounds": "compound",
        "assets": "asset",
        "reached": "within {minutes:g} min",
        "beyond": "farther than {minutes:g} min",
        "circle": "{count} service centre(s) within {minutes:g} minutes ({metres:.0f} m as the crow flies)",
        "datum": "--crs takes wgs84, gcj02 or bd09, not {crs}",
    },
    "zh": {
        "no_cell": "不在任何网格内",
        "level": "级",
        "cell": "网格",
        "unit": "包保单位",
        "inherited": "{unit}（沿用 {cell}）",
        "what": "类别",
        "name": "名称",
        "metres": "米",
        "more": "",
        "centres": "服务中心",
        "officers": "网格员",
        "compounds": "小区",
        "assets": "部件",
        "reached": "{minutes:g} 分钟内",
        "beyond": "超过 {minutes:g} 分钟",
        "circle": "{minutes:g} 分钟内有 {count} 个服务中心（直线 {metres:.0f} 米）",
        "datum": "--crs 应为 wgs84、gcj02 或 bd09，而不是 {crs}",
    },
}


def near_command(
    config_path: Path,
    lon: float,
    lat: float,
    *,
    crs: str,
    minutes: float,
    count: int,
    people: bool,
    lang: str,
    json: bool,
) -> None:
    """Print the path of the place with its units, and the nearest of each kind; exit 1 when it lies in no cell."""
    language_of(lang)
    words = _WORDS[lang]
    if crs not in DATUMS:
        fail(words["datum"].format(crs=crs), 2)
    if crs != "wgs84":
        xs, ys = to_wgs84([lon], [lat], crs)
        lon, lat = float(xs[0]), float(ys[0])
    config = config_of(config_path)
    locator, registry = map_of(config, Kind.SERVICE_CENTRE, Kind.OFFICER, Kind.COMPOUND, Kind.ASSET)
    register = register_of(config, locator.grid, lang)
    try:
        metres = reach_m(minutes)
        found = around(registry, register, lon, lat, reach_m=metres, count=count)
    except ValueError as error:
        fail(str(error), 2)
    place = locator.place(lon, lat)
    told = told_surroundings(locator.grid, register, place, found, people=people)
    made = {**told, "minutes": minutes, "reach_m": metres}
    if json:
        print_json(made)
    else:
        _show_path(made["responsible"], words)
        _show_things(made, found, words)
    raise SystemExit(0 if place.cell is not None else 1)


def _show_path(rows: Any, words: dict[str, str]) -> None:  # noqa: ANN401 - as printed in JSON
    if not rows:
        out.print(words["no_cell"])
        return
    table = Table(words["level"], words["cell"], words["unit"])
    for row in rows:
        unit = row["unit"]
        said = "-" if unit is None else unit["name"]
        if unit is not None and unit["stated_by"] != row["cell"]:
            said = words["inherited"].format(unit=said, cell=unit["stated_by"])
        table.add_row(str(row["level"]), f"{row['cell']} {row['name']}", said)
    out.print(table)


def _show_things(made: dict[str, Any], found: Surroundings, words: dict[str, str]) -> None:
    table = Table(words["what"], words["name"], words["metres"], words["more"])
    table.columns[2].justify = "right"
    for kind in ("centres", "officers", "compounds", "assets"):
        for listed in made[kind]:
            name = " ".join(filter(None, (listed.get("name") or listed["id"], listed.get("phone"))))
            table.add_row(words[kind], name, f"{listed['metres']:,.0f}", _more(kind, listed, made, words))
    out.print(table)
    count = len(found.reached)
    out.print(words["circle"].format(count=count, minutes=made["minutes"], metres=made["reach_m"]), soft_wrap=True)


def _more(kind: str, listed: dict[str, Any], made: dict[str, Any], words: dict[str, str]) -> str:
    if kind == "centres":
        reached = any(listed["id"] == each["id"] for each in made["reached"])
        return words["reached" if reached else "beyond"].format(minutes=made["minutes"])
    return str(listed.get("firm") or "")
