"""A point in, a place out.

`geo` knows where things are: the nested cells of a grid, the positions, addresses and things that lie in them. It knows
no rules and no reports. Everything is WGS84 degrees inside; other datums are converted at the door.

Load a grid with `load_grid`, ask what is untidy about it with `survey`, and build one `Locator` from it: that answers
batches of points. `Gazetteer` answers addresses, `Registry` answers "what is near here?". A synthetic city for examples
and tests is in `geo.city`, which is not part of this front door.
"""

from geo.datum import Crs, bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02
from geo.features import GridProblem
from geo.gazetteer import Candidate, Entry, Gazetteer, Match, load_gazetteer
from geo.grid import Grid, GridError, load_grid
from geo.locator import Located, Locator
from geo.metric import distance_m
from geo.place import How, Note, Place, place_by
from geo.registry import Registry
from geo.survey import GridWarning, Untidiness, survey
from geo.table import TableError, TableProblem
from geo.things import Kind, Thing, load_things

__all__ = [
    "Candidate",
    "Crs",
    "Entry",
    "Gazetteer",
    "Grid",
    "GridError",
    "GridProblem",
    "GridWarning",
    "How",
    "Kind",
    "Located",
    "Locator",
    "Match",
    "Note",
    "Place",
    "Registry",
    "TableError",
    "TableProblem",
    "Thing",
    "Untidiness",
    "bd09_to_gcj02",
    "distance_m",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "load_gazetteer",
    "load_grid",
    "load_things",
    "place_by",
    "survey",
    "to_wgs84",
    "wgs84_to_gcj02",
]
