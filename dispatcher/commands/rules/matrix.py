"""`dispatcher rules matrix`: 责任清单, category by township, as a table or a spreadsheet."""

import csv as csv_files
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import language_of, out, print_json, say
from dispatcher.core import ms_to_text
from dispatcher.hosts.setup import read_policy
from geo import Grid, load_grid
from rules import Duty, MatrixBasis, Policy, compile_policy, duties, matrix_basis, united

__all__ = ["matrix_command"]

COLUMNS = ("category", "title", "areas", "severity", "lead", "support", "limits", "route", "reason")
_HEADINGS = {
    "en": ("category", "title", "areas", "severity", "lead", "support (* required)", "limit", "route", "because"),
    "zh": ("类别", "名称", "区域", "等级", "主办", "协办（* 必须）", "时限", "规则", "依据"),
}
_BASIS = {
    "en": "policy {version} ({policy}); mode {mode}, source {source}, as of {at}",
    "zh": "政策 {version}（{policy}）；模式 {mode}，来源 {source}，截至 {at}",
}
_ALL = {"en": "all", "zh": "全部"}


def matrix_command(
    config_path: Path,
    directory: Path | None,
    *,
    grid: Path | None,
    xlsx: Path | None,
    lang: str,
    csv: bool,
    json: bool,
) -> None:
    """Print it; areas that say the same share a line. CSV, JSON and XLSX have a line for each area."""
    language_of(lang)
    config = config_of(config_path)
    policy = read_policy(directory or config.policy)
    cells = load_grid((grid or config.grid).read_bytes())
    areas = cells.cells_at(1)
    basis = matrix_basis(policy, time.time_ns() // 1_000_000)
    lines = list(duties(policy, compile_policy(policy), basis, areas))
    about = _BASIS[lang].format(
        version=basis.version,
        policy=basis.policy[:12],
        mode=basis.mode,
        source=basis.source,
        at=ms_to_text(basis.at_ms),
    )
    if xlsx is not None:
        _write_xlsx(xlsx, policy, cells, basis, about, lines, lang)
        say(f"{xlsx}: {len(lines)}")
    elif json:
        print_json({"basis": msgspec.to_builtins(basis), "duties": msgspec.to_builtins(lines)})
    elif csv:
        writer = csv_files.writer(sys.stdout)
        writer.writerow(COLUMNS)
        writer.writerows(_row(policy, cells, duty, lang, areas) for duty in lines)
    else:
        _show(policy, cells, about, united(lines), lang, areas)


def _row(policy: Policy, cells: Grid, duty: Duty, lang: str, areas: Sequence[str]) -> list[str]:
    category = policy.categories[duty.category]
    support = [f"{_title(policy, name, lang)}{'*' if name in duty.required else ''}" for name in duty.support]
    whole = len(duty.areas) == len(areas) > 1
    return [
        duty.category,
        (category.zh if lang == "zh" else category.en) or duty.category,
        _ALL[lang] if whole else ", ".join(f"{area} {cells.name_of(area)}" for area in duty.areas),
        str(duty.severity),
        _title(policy, duty.lead, lang),
        ", ".join(support),
        " / ".join(duty.limits),
        duty.route or "fallback",
        duty.reason,
    ]


def _title(policy: Policy, name: str, lang: str) -> str:
    """A department in words, with its unit."""
    code, _, unit = name.partition("@")
    department = policy.department(code)
    title = code if department is None else (department.zh if lang == "zh" else department.en) or code
    return f"{title}@{unit}" if unit else title


def _show(policy: Policy, cells: Grid, about: str, lines: list[Duty], lang: str, areas: Sequence[str]) -> None:
    table = Table(title=about)
    for heading in _HEADINGS[lang][:7]:
        table.add_column(heading, overflow="fold")
    for duty in lines:
        table.add_row(*_row(policy, cells, duty, lang, areas)[:7])
    out.print(table)


def _write_xlsx(
    file: Path, policy: Policy, cells: Grid, basis: MatrixBasis, about: str, lines: list[Duty], lang: str
) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(file), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("责任清单" if lang == "zh" else "duties")
        bold = book.add_format({"bold": True})
        sheet.write_string(0, 0, about, bold)
        sheet.write_string(1, 0, f"sha256 {basis.policy}")
        for column, heading in enumerate(_HEADINGS[lang]):
            sheet.write_string(3, column, heading, bold)
        for number, duty in enumerate(lines, 4):
            for column, text in enumerate(_row(policy, cells, duty, lang, ())):
                sheet.write_string(number, column, text)
        sheet.freeze_panes(4, 2)
        sheet.autofilter(3, 0, 3 + len(lines), len(COLUMNS) - 1)
        for column, width in enumerate((12, 24, 24, 8, 24, 48, 24, 24, 48)):
            sheet.set_column(column, column, width)
