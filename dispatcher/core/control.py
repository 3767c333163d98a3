"""Commands on `control`: what administrators ask of the whole engine, as typed records.

Field names are the wire's (see docs/messages.md); `command` says which one it is.
"""

from typing import Annotated

from msgspec import Meta, Struct

from dispatcher.core.messages import Actor, Code, Id, Instant, Label

__all__ = ["CELLS_MAX", "Activate", "Cells", "Command", "EndMode", "Outage", "RerouteOpen", "SetMode"]

CELLS_MAX = 1_000  # of one command: more are named by the cell above them


class _Command(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag_field="command"):
    """An administrator's event on `control`, in one order for everybody.

    `number` says which accepted command of the ledger this is to be. Without it, one that is sent again could be taken
    again as soon as what it expects has come back (A to B, back to A, and the first command arrives once more).
    """

    command_id: Id
    number: Annotated[int, Meta(ge=1)] | None = None
    actor: Actor | None = None
    reason: Label | None = None


Cells = Annotated[tuple[Code, ...], Meta(max_length=CELLS_MAX)]


class Activate(_Command, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="activate"):
    """Put a policy in force; refused when `expects` is not the one that is."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    expects: str | None = None


class SetMode(_Command, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="set_mode"):
    """A mode for some cells (none named: everywhere) until an instant; its `command_id` is the mode's name."""

    mode: Code
    until: Instant
    cells: Cells = ()
    proposal_id: Label | None = None


class EndMode(_Command, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="end_mode"):
    """End a mode before its time."""

    mode_id: Id


class RerouteOpen(_Command, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="reroute_open"):
    """Decide the open incidents of some cells (none named: all) again, under the policy and the mode in force."""

    cells: Cells = ()


class Outage(_Command, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="outage"):
    """Deadlines that fell into an outage are exempted from the adjusted figures, never from the raw ones."""

    since: Instant
    until: Instant


Command = Activate | SetMode | EndMode | RerouteOpen | Outage
