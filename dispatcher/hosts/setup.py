"""Loading what the configuration names: grid, gazetteer, things, policy. The only reader of those files."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import orjson

from dispatcher.config import Config
from dispatcher.core import Asset, Intake, Placer, Rulebook
from dispatcher.ledger import LedgerError
from geo import Grid, Locator, Thing, load_gazetteer, load_grid, load_things
from rules import Policy, load_canonical, load_policy, unmet_requirements

__all__ = [
    "Books",
    "Chart",
    "Setup",
    "grid_version",
    "load_chart",
    "load_setup",
    "policy_files",
    "policy_in_force",
    "read_policy",
    "register_files",
    "unmet",
]

POLICY_SUFFIXES = (".yaml", ".yml", ".csv")


class Setup(NamedTuple):
    """What one engine needs besides its ledger."""

    grid: Grid
    placer: Placer
    intake: Intake
    policy: Policy
    grid_version: str = ""


class Chart(NamedTuple):
    """The map: cells, and what stands in them."""

    grid: Grid
    locator: Locator
    placer: Placer
    things: tuple[Thing, ...]
    grid_version: str


class Documents(Protocol):
    """Where the canonical forms of policies lie: a ledger, or what was read of one."""

    def newest(self, topic: str, key: str) -> bytes | None:
        """The newest value of a key on a compacted topic."""


class Books(Mapping[str, Rulebook]):
    """Policies by sha256, compiled on first use from the ledger's own copies."""

    def __init__(self, ledger: Documents, *known: Policy) -> None:
        self._ledger = ledger
        self._books = {policy.sha256: Rulebook(policy) for policy in known}
        self._stored: set[str] = set()  # not compiled yet; each incident of a restore asks for its own

    def __getitem__(self, sha256: str) -> Rulebook:
        book = self._books.get(sha256)
        if book is None:
            document = self._ledger.newest("policies", sha256)
            if document is None:
                raise KeyError(sha256)
            book = self._books[sha256] = Rulebook(load_canonical(document))
        return book

    def __contains__(self, sha256: object) -> bool:
        if not isinstance(sha256, str):
            return False
        if sha256 in self._books or sha256 in self._stored:
            return True
        if self._ledger.newest("policies", sha256) is None:
            return False
        self._stored.add(sha256)
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._books)

    def __len__(self) -> int:
        return len(self._books)


def policy_in_force(ledger: Documents, known: Policy | None = None) -> Policy | None:
    """The policy that what comes next is decided under; None in a ledger that nothing has been worked through in.

    Args:
        ledger: to look into.
        known: the one that was in force before; not read again if it still is.

    Raises:
        LedgerError: it is not stored.
    """
    value = ledger.newest("state", "policy")
    if value is None:
        return None
    sha256 = msgspec.json.decode(value, type=str)
    if known is not None and known.sha256 == sha256:
        return known
    document = ledger.newest("policies", sha256)
    if document is None:
        raise LedgerError(f"policy {sha256[:12]} is in force and not stored")
    return load_canonical(document)


def read_policy(directory: Path) -> Policy:
    """Read and load a policy directory.

    Raises:
        PolicyError: with every problem of it.
        LedgerError: there is no such directory.
    """
    return load_policy(policy_files(directory))


def policy_files(directory: Path) -> dict[str, bytes]:
    """The files of a policy directory by their paths in it, its tests included.

    Raises:
        LedgerError: there is no such directory.
    """
    if not directory.is_dir():
        raise LedgerError(f"{directory}: no such policy directory; set `policy` in the configuration")
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file() and file.suffix in POLICY_SUFFIXES
    }


def register_files(directory: Path) -> dict[str, bytes]:
    """The CSV files of a register's directory by their names.

    Raises:
        LedgerError: there is no such directory.
    """
    if not directory.is_dir():
        raise LedgerError(f"{directory}: no such register directory; set `register` in the configuration")
    return {file.name: file.read_bytes() for file in sorted(directory.glob("*.csv"))}


def grid_version(data: bytes) -> str:
    """The `version` a grid's file gives beside its features; empty when it gives none.

    It is for people and for `requires`; what a grid is, is its content hash.
    """
    document = orjson.loads(data)
    return str(document.get("version", "")) if isinstance(document, dict) else ""


def unmet(policy: Policy, grid: str) -> list[str]:
    """What the policy requires and is not there, in words; `grid` is the version of the grid's file."""
    found = unmet_requirements(policy, {"grid": grid, "dispatcher": version("city-dispatch")})
    return [f"{need.name} {need.wanted}; found {need.found or 'none'}" for need in found]


def load_setup(config: Config) -> Setup:
    """Everything the configuration names.

    Raises:
        GridError, PolicyError: with every problem of the file or directory.
        OSError: a file cannot be read.
    """
    chart = load_chart(config)
    policy = read_policy(config.policy)
    return Setup(chart.grid, chart.placer, Intake(chart.placer), policy, chart.grid_version)


def load_chart(config: Config) -> Chart:
    """What the configuration names of the map.

    Raises:
        GridError, TableError: with every problem of the file.
        OSError: a file cannot be read.
    """
    grid_data = config.grid.read_bytes()
    grid = load_grid(grid_data)
    locator = Locator(grid, tolerance_m=config.locate.tolerance_m)
    gazetteer = None if config.gazetteer is None else load_gazetteer(config.gazetteer.read_bytes())
    things = () if config.things is None else load_things(config.things.read_bytes())
    placer = Placer(
        grid,
        locator,
        gazetteer=gazetteer,
        assets={thing.id: Asset(thing.lon, thing.lat) for thing in things},
        crs_of={name: source.crs for name, source in config.sources.items()},
    )
    return Chart(grid, locator, placer, things, grid_version(grid_data))
