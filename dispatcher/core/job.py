"""A command that takes many incidents: how far it has come. Its cursor is kept on `state` between slices."""

from msgspec import Struct

__all__ = ["Job"]


class Job(Struct, gc=False, omit_defaults=True):
    """A re-routing under way."""

    command_id: str
    at_ms: int
    cells: tuple[str, ...] = ()
    cursor: str = ""  # the last incident looked at
    looked_at: int = 0
    changed: int = 0
