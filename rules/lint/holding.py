"""W111: levels of overlays that nothing ever comes of.

The widest level counts: an overlay that names the cell moves nothing where the lead of every route it can meet is an
office of the township, or every such route names the township itself.
"""

from collections.abc import Iterator

from rules.decision import lead_level
from rules.lint.contest import Contest
from rules.lint.deadlines import met_by
from rules.lint.findings import Check, Finding, finding


def level_findings(contest: Contest) -> Iterator[Finding]:
    """Return the overlays whose level is never wider than that of a route they can meet."""
    policy = contest.policy
    for overlay in policy.overlays:
        if overlay.level is None:
            continue
        number = policy.level_number(overlay.level)
        levels = [lead_level(policy, route, route.lead.partition("@")[0]) for route in met_by(contest, overlay)]
        if levels and all(level is not None and level <= number for level in levels):
            place = policy.place("rule", overlay.id)
            yield finding(Check.NEVER_WIDEST, place, rules=[overlay.id], rule=overlay.id, level=overlay.level)
