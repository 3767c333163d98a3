"""An address in, a known place or a ranked list of likely ones out.

Two names are the same when they are equal after `normalise`. An alias that only one entry has locates; anything else is
ranked by how many pairs of neighbouring characters an alias shares with the address, which works for Chinese, where
words aren't separated, as for English.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from geo.table import Row, TableError, TableProblem, read_rows

MAX_ADDRESS = 200  # characters looked at; every one costs a posting list
MAX_ALIASES = 20  # per entry, the name included

COLUMNS = ("name", "aliases", "kind", "lon", "lat", "cell")


@dataclass(frozen=True, slots=True)
class Entry:
    """A named place: a position, a cell, or both."""

    name: str
    kind: str
    aliases: tuple[str, ...]
    lon: float | None
    lat: float | None
    cell: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be meant. `score` is 0..1, 1 for an alias equal to the address."""

    entry: Entry
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """`entry` if exactly one has the address as an alias, else None; `candidates`, best first, include it."""

    entry: Entry | None
    candidates: tuple[Candidate, ...]


def normalise(text: str) -> str:
    """NFKC, case folded, without spaces, punctuation, symbols and control characters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if unicodedata.category(character)[0] not in "ZPSC")


class Gazetteer:
    """Finds entries by address."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(sorted(entries, key=_order))  # so that an entry's number settles ties
        self._exact: dict[str, list[int]] = defaultdict(list)
        postings: dict[str, list[int]] = defaultdict(list)
        owners: list[int] = []
        sizes: list[int] = []
        for number, entry in enumerate(self.entries):
            for alias in sorted({normalise(alias) for alias in (entry.name, *entry.aliases)} - {""}):
                self._exact[alias].append(number)
                pairs = _pairs(alias)
                for pair in pairs:
                    postings[pair].append(len(owners))
                owners.append(number)
                sizes.append(len(pairs))
        self._postings = {pair: np.array(aliases, dtype=np.int32) for pair, aliases in postings.items()}
        self._owners = np.array(owners, dtype=np.int32)
        self._sizes = np.array(sizes, dtype=np.int32)

    def find(self, address: str, *, limit: int = 10) -> Match:
        """Return the entry meant, or at most `limit` candidates, by score, name and kind."""
        wanted = normalise(address[:MAX_ADDRESS])
        exact = self._exact.get(wanted, [])
        if exact:
            named = tuple(Candidate(self.entries[number], 1.0) for number in exact[:limit])
            return Match(self.entries[exact[0]] if len(exact) == 1 else None, named)
        return Match(None, self._ranked(wanted, limit))

    def _ranked(self, wanted: str, limit: int) -> tuple[Candidate, ...]:
        """Rank by Dice's coefficient, 2·|shared pairs| / (|pairs of one| + |pairs of the other|), of the best alias."""
        pairs = _pairs(wanted)
        lists = [self._postings[pair] for pair in sorted(pairs) if pair in self._postings]
        if not lists:
            return ()
        shared = np.bincount(np.concatenate(lists), minlength=len(self._owners))
        aliases = np.flatnonzero(shared)
        scores = 2.0 * shared[aliases] / (self._sizes[aliases] + len(pairs))
        best: dict[int, float] = {}
        for alias in _best(aliases, scores, self._owners[aliases], limit * MAX_ALIASES).tolist():
            best.setdefault(int(self._owners[aliases[alias]]), float(scores[alias]))
            if len(best) == limit:
                break
        return tuple(Candidate(self.entries[number], round(score, 3)) for number, score in best.items())


def _best(
    aliases: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], owners: npt.NDArray[np.int32], count: int
) -> npt.NDArray[np.int64]:
    """Return the positions of the `count` best by score, then owner; sort only what can be among them."""
    keep = np.arange(len(aliases))
    if len(aliases) > count:
        keep = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    return keep[np.lexsort((owners[keep], -scores[keep]))]


def _pairs(normal: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters, the beginning and the end counting as characters; "" has none."""
    return frozenset(a + b for a, b in pairwise(f"\x02{normal}\x03")) if normal else frozenset()


def _order(entry: Entry) -> tuple[str, str, tuple[str, ...], str, float, float]:
    lon = -999.0 if entry.lon is None else entry.lon
    lat = -999.0 if entry.lat is None else entry.lat
    return (entry.name, entry.kind, entry.aliases, entry.cell or "", lon, lat)


def load_gazetteer(data: bytes, *, cells: Container[str] | None = None) -> Gazetteer:
    """Read CSV with the columns `name`, `aliases` (separated by |), `kind`, `lon`, `lat` (WGS84 degrees) and `cell`.

    A position, a cell or both must be given; other columns are ignored. With `cells` (a Grid, say) a cell must be one
    of them. Raises TableError with every problem.
    """
    problems: list[TableProblem] = []
    entries: dict[Entry, int] = {}
    for row in read_rows(data, COLUMNS, problems):
        entry = _read_entry(row, cells)
        first = entries.setdefault(entry, row.line)
        if first != row.line:
            row.problem(f"the same as line {first}")
    if problems:
        raise TableError(problems)
    return Gazetteer(tuple(entries))


def _read_entry(row: Row, cells: Container[str] | None) -> Entry:
    aliases = tuple(alias for alias in map(str.strip, row.fields["aliases"].split("|")) if alias)
    if len(aliases) >= MAX_ALIASES:
        row.problem(f"{len(aliases)} aliases; at most {MAX_ALIASES - 1} are allowed")
    for alias in (row.required("name"), *aliases):
        if alias and not normalise(alias):
            row.problem(f"{alias!r} has neither letters nor digits")
    lon, lat = row.degrees("lon", 180.0), row.degrees("lat", 90.0)
    if bool(row.fields["lon"]) != bool(row.fields["lat"]):
        row.problem("`lon` and `lat` must be given together")
    if not (row.fields["lon"] or row.fields["cell"]):
        row.problem("needs a position or a cell")
    return Entry(row.fields["name"], row.required("kind"), aliases, lon, lat, row.known_cell(cells))
