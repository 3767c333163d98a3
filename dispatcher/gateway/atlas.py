"""The gateway's own map: cells, things, the register, and stage 1 over them.

shapely prepares a geometry in place and the R-tree is for one thread at a time. The engine has a map that it alone
asks; this one is asked by one thread at a time, whoever it is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo

import shapely

from dispatcher.config import Config
from dispatcher.core import Intake
from dispatcher.hosts.setup import Chart, load_chart, register_files
from dispatcher.register import Register, load_register
from geo import Grid, Kind, Locator, Registry

__all__ = ["SHOWN", "Atlas", "load_atlas"]

SHOWN = (Kind.SERVICE_CENTRE, Kind.OFFICER, Kind.COMPOUND, Kind.ASSET)


class Atlas:
    """A map to ask.

    Args:
        chart: nobody else's.
        register: who stands behind each cell, if it is known.
    """

    def __init__(self, chart: Chart, register: Register | None = None) -> None:
        self.grid: Grid = chart.grid  # codes, names and paths: read by anybody, geometries within `asking`
        self.grid_version = chart.grid_version
        self.locator: Locator = chart.locator
        self.intake = Intake(chart.placer)
        self.registry = Registry(chart.locator, (thing for thing in chart.things if thing.kind in SHOWN))
        self.register = register
        self._lock = threading.Lock()
        self._middles: list[list[float]] | None = None

    def middle(self, code: str) -> tuple[float, float]:
        """A position that surely lies in a cell: where it is shown. Raises KeyError."""
        if self._middles is None:
            with self._lock:
                self._middles = shapely.get_coordinates(shapely.point_on_surface(self.grid.geometries)).tolist()
        lon, lat = self._middles[self.grid.number(code)]
        return lon, lat

    @contextmanager
    def asking(self) -> Iterator["Atlas"]:
        """Be the one that asks."""
        with self._lock:
            yield self


def load_atlas(config: Config, zone: tzinfo) -> Atlas:
    """As the configuration says.

    Args:
        config: whose grid, things and register.
        zone: of the register's local times.

    Raises:
        GridError, TableError, RegisterError: with every problem of the files.
        LedgerError, OSError: one of them cannot be read.
    """
    chart = load_chart(config)
    directory = config.register_directory
    register = None if directory is None else load_register(register_files(directory), chart.grid, zone)
    return Atlas(chart, register)
