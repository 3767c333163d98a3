"""`dispatcher register volunteers`: who serves, and for how many hours."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

from rich.table import Table

from dispatcher.commands.register.opening import known_cell, opened_register
from dispatcher.commands.talk import fail, out, print_json
from dispatcher.core.instants import HOUR_MS
from dispatcher.register import Register, Served

__all__ = ["volunteers_command"]

_WORDS = {
    "en": {
        "area": "area",
        "person": "person",
        "volunteers": "volunteers",
        "served": "of them served",
        "days": "days",
        "hours": "hours",
        "total": "total",
        "not_a_day": "{option} takes a day such as 2026-03-02, not {text}",
    },
    "zh": {
        "area": "区域",
        "person": "姓名",
        "volunteers": "志愿者",
        "served": "参与服务",
        "days": "天数",
        "hours": "时长（小时）",
        "total": "合计",
        "not_a_day": "{option} 应为日期，如 2026-03-02，而不是 {text}",
    },
}


def volunteers_command(
    config_path: Path,
    first: str | None,
    last: str | None,
    cell: str | None,
    *,
    people: bool,
    lang: str,
    json: bool,
) -> None:
    """Print a line for each area; volunteers count where they are registered, hours where they were served."""
    register = opened_register(config_path, lang)
    known_cell(register, cell, lang)
    words = _WORDS[lang]
    served = register.volunteer_hours(_day("--from", first, words), _day("--to", last, words), cell)
    rows = _by_area(register, served, cell)
    if json:
        made: dict[str, object] = {"from": first, "to": last, "cell": cell, "areas": rows}
        if people:
            made["people"] = [
                {"id": each.person.id, "name": each.person.name, "cell": each.cell, "days": each.days, **_hours(each)}
                for each in served
            ]
        print_json(made)
    elif people:
        table = Table(words["person"], words["area"], words["days"], words["hours"])
        for each in served:
            name = f"{each.cell} {register.grid.name_of(each.cell)}"
            table.add_row(each.person.name, name, str(each.days), f"{each.served_ms / HOUR_MS:,.2f}")
        out.print(table)
    else:
        table = Table()
        table.add_column(words["area"])
        for column in ("volunteers", "served", "hours"):
            table.add_column(words[column], justify="right")
        for row in rows:
            name = words["total"] if row["area"] is None else f"{row['area']} {register.grid.name_of(str(row['area']))}"
            table.add_row(name, str(row["volunteers"]), str(row["served"]), f"{row['hours']:,.2f}")
        out.print(table)


def _hours(served: Served) -> dict[str, float]:
    return {"hours": served.served_ms / HOUR_MS}


def _day(option: str, text: str | None, words: dict[str, str]) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        fail(words["not_a_day"].format(option=option, text=text), 2)


def _by_area(
    register: Register, served: tuple[Served, ...], cell: str | None
) -> list[dict[str, str | int | float | None]]:
    """A row for each cell directly in the one asked for, or of level 1; last, without an area, the total."""
    area_of = _area_of(register, cell)
    inside = [person.id for person in register.volunteers_in(cell)] if cell else list(register.volunteers)
    registered = Counter(area_of(register.volunteers[person]) for person in inside)
    active: dict[str, set[str]] = defaultdict(set)
    served_ms: Counter[str] = Counter()
    for each in served:
        area = area_of(each.cell)
        active[area].add(each.person.id)
        served_ms[area] += each.served_ms
    rows: list[dict[str, str | int | float | None]] = [
        {"area": area, "volunteers": registered[area], "served": len(active[area]), "hours": served_ms[area] / HOUR_MS}
        for area in sorted(
            {*registered, *served_ms, *(register.grid.children(cell) if cell else register.grid.cells_at(1))}
        )
    ]
    everyone = {each.person.id for each in served}
    hours = served_ms.total() / HOUR_MS
    return [*rows, {"area": None, "volunteers": len(inside), "served": len(everyone), "hours": hours}]


def _area_of(register: Register, cell: str | None) -> Callable[[str], str]:
    """Which area a cell belongs to: the one of the level below the cell asked for, or that cell itself."""
    level = 0 if cell is None else register.grid.level_of(cell)
    return lambda code: register.grid.path(code)[: level + 1][-1]
