"""`dispatcher register show`: the team card of a cell."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from dispatcher.commands.instants import instant_ms
from dispatcher.commands.register.opening import known_cell, opened_register
from dispatcher.commands.talk import language_of, out, print_json
from dispatcher.core import ms_to_text
from dispatcher.register import Compound, Register, Role, visit_counts

__all__ = ["show_command"]

_WORDS = {
    "en": {
        "unit": "sponsoring unit",
        "sponsor": "unit's person",
        "officer": "resident officer",
        "leader": "team leader",
        "coordinator": "point co-ordinator",
        "volunteers": "volunteers",
        "volunteers_within": "{own}; {within} with the cells in it",
        "phones": "on duty now",
        "phones_hidden": "{count} telephone(s)",
        "population": "population",
        "visits": "visits",
        "visits_said": "{done} done, {due} due, {missed} missed, {ahead} ahead; "
        "{periods_missed} of {periods} past periods without one",
        "compounds": "compounds",
        "firm": "firm: {firm}",
        "no_firm": "no firm",
        "committee": "committee",
        "no_committee": "no committee",
        "inherited": "from {cell}",
        "named": "named",
        "nobody": "-",
    },
    "zh": {
        "unit": "包保单位",
        "sponsor": "包保单位人员",
        "officer": "住户网格员",
        "leader": "片长",
        "coordinator": "点位调度人",
        "volunteers": "志愿者",
        "volunteers_within": "{own} 人；含下级网格 {within} 人",
        "phones": "当前值班",
        "phones_hidden": "{count} 个电话",
        "population": "人口",
        "visits": "走访",
        "visits_said": "已访 {done}、待访 {due}、漏访 {missed}、未开始 {ahead}；"
        "以往 {periods} 期中 {periods_missed} 期未走访",
        "compounds": "小区",
        "firm": "物业：{firm}",
        "no_firm": "无物业",
        "committee": "有业委会",
        "no_committee": "无业委会",
        "inherited": "沿用 {cell}",
        "named": "已确定",
        "nobody": "无",
    },
}


def show_command(config_path: Path, cell: str, *, as_of: str | None, people: bool, lang: str, json: bool) -> None:
    """Print the card; names of persons and telephone numbers only when asked for."""
    register = opened_register(config_path, lang)
    known_cell(register, cell, lang)
    at_ms = instant_ms(as_of, language_of(lang))
    card = _card(register, cell, at_ms, people=people)
    if json:
        print_json(card)
        return
    path = " > ".join(f"{code} {register.grid.name_of(code)}" for code in register.grid.path(cell))
    table = Table("", "", "", title=path, show_header=False)
    for row in _rows(register, card, _WORDS[lang]):
        table.add_row(*row)
    out.print(table)


def _card(register: Register, cell: str, at_ms: int, *, people: bool) -> dict[str, Any]:
    team = register.team(cell)
    responsible, phones = team.responsible, register.phones(cell, at_ms)
    posts: dict[str, Any] = {}
    for role in Role:
        post = team.posts.get(role)
        posts[role.value] = None if post is None else {"stated_by": post.stated_by}
        if post is not None and people:
            posts[role.value] |= {"id": post.person.id, "name": post.person.name, "phone": post.person.phone}
    counts = visit_counts(register.visits(cell, at_ms))
    card: dict[str, Any] = {
        "cell": cell,
        "path": register.grid.path(cell),
        "as_of": ms_to_text(at_ms),
        "unit": None
        if responsible is None
        else {"code": responsible.unit.code, "name": responsible.unit.name, "stated_by": responsible.stated_by},
        "posts": posts,
        "volunteers": len(team.volunteers),
        "volunteers_within": len(register.volunteers_in(cell)),
        "phones": len(phones),
        "population": register.population(cell),
        "visits": {name: getattr(counts, name) for name in type(counts).__dataclass_fields__},
        "compounds": [_compound(register, compound) for compound in register.compounds_of(cell=cell)],
    }
    if people:
        card["phones_on_duty"] = [{"cell": each.cell, "unit": each.unit, "phone": each.phone} for each in phones]
        card["volunteers_named"] = [{"id": each.id, "name": each.name} for each in team.volunteers]
    return card


def _compound(register: Register, compound: Compound) -> dict[str, Any]:
    return {
        "id": compound.id,
        "name": compound.name,
        "cell": compound.cell,
        "firm": None if compound.firm is None else register.firms[compound.firm].name,
        "committee": compound.committee,
        "sponsor": None if compound.sponsor is None else register.units[compound.sponsor].name,
    }


def _rows(register: Register, card: dict[str, Any], words: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    def source(stated_by: str) -> str:
        return "" if stated_by == card["cell"] else words["inherited"].format(cell=stated_by)

    unit = card["unit"]
    yield (words["unit"], *((words["nobody"], "") if unit is None else (unit["name"], source(unit["stated_by"]))))
    for role, post in card["posts"].items():
        if post is None:
            yield words[role], words["nobody"], ""
        else:
            said = " ".join(filter(None, (post["name"], post["phone"]))) if "name" in post else words["named"]
            yield words[role], said, source(post["stated_by"])
    count = words["volunteers_within"].format(own=card["volunteers"], within=card["volunteers_within"])
    yield words["volunteers"], count, ", ".join(each["name"] for each in card.get("volunteers_named", ()))
    if "phones_on_duty" in card:
        for each in card["phones_on_duty"]:
            by = each["cell"] or register.units[each["unit"]].name
            yield words["phones"], each["phone"], "" if by == card["cell"] else words["inherited"].format(cell=by)
    else:
        yield words["phones"], words["phones_hidden"].format(count=card["phones"]), ""
    people = card["population"]
    yield words["population"], words["nobody"] if people is None else f"{people:,}", ""
    yield words["visits"], words["visits_said"].format(**card["visits"]), ""
    for compound in card["compounds"]:
        firm = words["no_firm"] if compound["firm"] is None else words["firm"].format(firm=compound["firm"])
        committee = words["no_committee" if compound["committee"] is None else "committee"]
        yield words["compounds"], compound["name"], f"{firm}; {committee}"
