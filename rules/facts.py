"""What rules may know about an incident, flat: no text, no person, no geometry."""

import msgspec

Scalar = str | int | float | bool

PLACE_HOWS = (
    "exact",
    "nearest",
    "overlap",
    "by_cell",
    "by_asset",
    "by_address",
    "gap",
    "outside",
    "none",
)
"""How a report was located (messages.md, "Incident")."""

REQUEST_KINDS = ("inquiry", "help", "complaint", "tip_off", "suggestion", "praise", "observation")
SEVERITIES = (1, 2, 3, 4)
"""1 is the worst."""


class Facts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One incident as the rules see it.

    `category` is a code of the catalogue or None; `severity` the claim, already capped (`claimed_severity`);
    `path` the cells around the place, root first; `keywords` what `Policy.keywords_in` found in the text;
    `attributes` (name, value) sorted by name; `whistle` its kind; `reporters` distinct ones, after merging; `filed`
    when a person has filed it, so that no guard ends evaluation any more.
    """

    category: str | None
    severity: int
    mode: str
    path: tuple[str, ...]
    source: str
    platform: str
    at_ms: int
    confidence: float | None = None
    tags: tuple[str, ...] = ()
    whistle: str | None = None
    reporters: int = 1
    place: str = "none"
    keywords: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Scalar], ...] = ()
    standard: str | None = None
    request_kind: str | None = None
    filed: bool = False
