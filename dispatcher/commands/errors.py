"""The errors a person can do something about: told in their own words, without a traceback."""

import sqlite3

from dispatcher.config import ConfigError
from dispatcher.gateway.keys import KeyFileError
from dispatcher.gateway.media.store import MediaError
from dispatcher.gateway.roles import RoleError
from dispatcher.hosts.mapping import MappingError
from dispatcher.ledger import LedgerError
from dispatcher.register import RegisterError
from dispatcher.views import ProjectionError
from geo import GridError, TableError
from rules import PolicyError

__all__ = ["EXPECTED", "describe"]

EXPECTED = (
    ConfigError,
    KeyFileError,
    RoleError,
    MappingError,
    MediaError,
    LedgerError,
    ProjectionError,
    RegisterError,
    GridError,
    TableError,
    PolicyError,
    OSError,
    sqlite3.Error,
)


def describe(error: Exception) -> str:
    """What went wrong, ready to be shown."""
    if isinstance(error, PolicyError):
        problems = "\n".join(str(problem) for problem in error.problems)
        return f"{problems}\nthe policy has {len(error.problems)} problem(s); nothing was started"
    if isinstance(error, sqlite3.Error):
        return f"the ledger cannot be read ({error}); it is damaged, or on a file system that cannot be written"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
