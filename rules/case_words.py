"""The single words of policy tests: instants, parties, actors, targets, and what else a value may look like."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from rules.model_clocks import TARGET_OF
from rules.shapes import GridCode, Parsed, Pattern, Ref

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""As far as dates of a policy reach (`shapes.DateText`)."""

_AFTER = re.compile(r"\+(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?", re.ASCII)
_UNITS_MS = (86_400_000, 3_600_000, 60_000, 1_000)


def instant_ms(text: str) -> int:
    """An RFC 3339 instant with its offset, in epoch milliseconds. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not EARLIEST <= moment < LATEST:
        raise ValueError(text)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_ms(text: str, start_ms: int) -> int:
    """An instant with its offset, or a time after `start_ms` such as `+1d2h`, `+2m1s`. Raises ValueError."""
    if not text.startswith("+"):
        return instant_ms(text)
    found = _AFTER.fullmatch(text)
    if found is None or text == "+":
        raise ValueError(text)
    return start_ms + sum(int(n) * unit_ms for n, unit_ms in zip(found.groups("0"), _UNITS_MS, strict=True))


Instant = Annotated[str, Parsed('an instant with its offset, "2026-03-02T09:30:00+08:00"', instant_ms)]
Moment = Annotated[
    str, Parsed("an instant with its offset, or a time after the test's, +1d2h or +2m1s", lambda t: moment_ms(t, 0))
]
Label = Annotated[str, Pattern("a text of 1 to 200 characters", re.compile(r"\S(.{0,198}\S)?"))]
PartyText = Annotated[
    str,
    Pattern("a department, department@cell or department@level", re.compile(r"\w[\w.-]{0,63}(@\S{1,64})?")),
    Ref("party"),
]
Actor = Annotated[
    str,
    Pattern(
        "a department, centre or a role, perhaps with its unit (street@cell) and a person (dispatcher li)",
        re.compile(r"\w[\w.-]{0,63}(@\S{1,64})?( \S(.{0,62}\S)?)?"),
    ),
    Ref("actor"),
]
"""Who acts: `police`, `street-office@township`, `centre`, `street@530002001`, `dispatcher li`."""
Whose = Annotated[
    str,
    Pattern(
        "a target, or target of department",
        re.compile(rf"({'|'.join(TARGET_OF)})( of \w[\w.-]{{0,63}}(@\S{{1,64}})?)?"),
    ),
    Ref("whose"),
]
"""`attend`: of anyone; `attend of fire-brigade`: of that party alone."""
Answerer = Annotated[
    str,
    Pattern("a department, department@cell or department@level", re.compile(r"\w[\w.-]{0,63}(@\S{1,64})?")),
    Ref("answerer"),
]
"""Who answers for an incident: a party, `centre`, or `nobody` once it has ended."""
Recipient = Annotated[
    str,
    Pattern(
        "a party, cell:code, city, centre, or reporter and a number",
        re.compile(r"reporter [1-9]\d{0,2}|cell:\S{1,64}|\w[\w.-]{0,63}(@\S{1,64})?"),
    ),
    Ref("recipient"),
]
"""Who is told; `reporter 3` is whoever sent the test's third report."""
Rung = Annotated[
    str,
    Pattern(
        "what a step of a ladder does, and to whom",
        re.compile(r"(urge|notify|supervise|report) (cell:\S{1,64}|\w[\w.-]{0,63}(@\S{1,64})?)"),
    ),
    Ref("rung"),
]
IncidentName = Annotated[
    str, Pattern("a name (letters, digits, . _ -; at most 64)", re.compile(r"\w[\w.-]{0,63}")), Ref("incident")
]
CellRef = Annotated[GridCode, Ref("cell")]
DepartmentRef = Annotated[str, Ref("department")]
Refusal = Annotated[str, Ref("refusal")]
