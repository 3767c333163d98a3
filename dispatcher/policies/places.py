"""Where the reports of policy tests are: as the tests state it, or as the grid's own placer finds it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from dispatcher.core import Placer, Report
from dispatcher.core.locate import Whereabouts
from geo import How, Locator, Place, load_grid
from rules import Case, ReportEntry

__all__ = ["GridCells", "StatedPlacer", "grid_placer"]


def grid_placer(file: Path, tolerance_m: float = 50.0) -> Placer:
    """Stage 1's placer on a grid file.

    Raises:
        GridError, OSError: it cannot be read.
    """
    grid = load_grid(file.read_bytes())
    return Placer(grid, Locator(grid, tolerance_m=tolerance_m))


class GridCells:
    """The cells of a grid that is loaded when a test first asks for one: most tests state their own."""

    def __init__(self, load: Callable[[], Placer] | None = None) -> None:
        self._load = load

    @cached_property
    def placer(self) -> Placer | None:
        """The grid's placer; None without a grid."""
        return None if self._load is None else self._load()

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and self.placer is not None and code in self.placer.grid

    def path(self, code: str) -> tuple[str, ...]:
        """The path of a cell, root first; without a grid a cell stands for itself.

        Raises:
            KeyError: the grid has no such cell.
        """
        return (code,) if self.placer is None else self.placer.grid.path(code)


class StatedPlacer:
    """What stage 1 asks for the places of reports, each known by its id.

    Args:
        case: states cells by their paths.
        cells: asked for every other cell, and for positions without a cell.
    """

    def __init__(self, case: Case, cells: GridCells) -> None:
        self._paths, self._cells = case.paths, cells
        self._stated: dict[str, ReportEntry] = {}

    def state(self, report_id: str, report: ReportEntry) -> None:
        """Say where a report will be."""
        self._stated[report_id] = report

    def place(self, reports: Sequence[Whereabouts]) -> list[Place]:
        """A place for each report, and for each update that moves the incident."""
        return [
            self._place(asked, self._stated[asked.report_id]) if isinstance(asked, Report) else self._moved(asked)
            for asked in reports
        ]

    def _moved(self, asked: Whereabouts) -> Place:
        cell = None if asked.location is None else asked.location.cell
        assert cell is not None  # noqa: S101 - tests say where to by a cell
        path = self._paths.get(cell) or self._cells.path(cell)
        return Place(None, None, cell, path, How.BY_CELL.text, None, None)

    def _place(self, report: Report, stated: ReportEntry) -> Place:
        cell, how = stated.cell, stated.place
        located = stated.lon is not None
        if located and cell is None and how is None and self._cells.placer is not None:
            return self._cells.placer.place([report])[0]
        if how is None and cell is None:
            how = (How.OUTSIDE if located else How.NONE).text
        elif how is None:
            how = (How.EXACT if located else How.BY_CELL).text
        path = () if cell is None else self._paths.get(cell) or self._cells.path(cell)
        return Place(stated.lon, stated.lat, cell, path, how, None, None)
