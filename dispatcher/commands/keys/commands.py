"""Giving, listing and taking back keys, and where they lie."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import out, print_json, say, shortened
from dispatcher.config import Config
from dispatcher.core import ms_to_text
from dispatcher.gateway.keys import KeyFileError, Keys
from dispatcher.gateway.roles import CITY, parse_role
from dispatcher.hosts.setup import read_policy
from geo import load_grid

__all__ = ["add_command", "keys_path", "list_command", "revoke_command"]


def keys_path(config: Config, ledger: Path | None) -> Path:
    """Where the keys lie: as configured, else beside the ledger."""
    path = ledger or config.ledger
    return config.gateway.keys or path.with_name(f"{path.name}.keys")


@contextmanager
def _keys(config_path: Path, ledger: Path | None) -> Iterator[Keys]:
    path = keys_path(config_of(config_path), ledger)
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = Keys(path)
    try:
        yield keys
    finally:
        keys.close()


def add_command(
    config_path: Path,
    ledger: Path | None,
    name: str,
    roles: Sequence[str],
    *,
    unit: str,
    areas: Sequence[str],
    sources: Sequence[str],
) -> None:
    """Print a new key.

    Raises:
        RoleError, KeyFileError: what is given does not make a key.
    """
    _check(config_of(config_path), roles, areas, sources)
    with _keys(config_path, ledger) as keys:
        key = keys.add(name, roles, unit=unit, areas=areas, sources=sources)
    if not areas and {role.partition(":")[0] for role in roles} - {"reporter", "monitor"}:
        say("this key reaches no area, so it sees no incident: --area '*' is the whole city")
    say(f"the key of {name}, shown this once:")
    sys.stdout.write(f"{key}\n")


def list_command(config_path: Path, ledger: Path | None, *, json: bool) -> None:
    """Print all keys, without the secrets."""
    with _keys(config_path, ledger) as keys:
        rows = keys.rows()
    if json:
        print_json(
            [
                {
                    **person._asdict(),
                    "added_at": ms_to_text(added_ms),
                    "revoked_at": None if revoked_ms is None else ms_to_text(revoked_ms),
                }
                for person, added_ms, revoked_ms in rows
            ]
        )
        return
    table = Table("id", "name", "unit", "roles", "areas", "sources", "given", "taken back")
    for person, added_ms, revoked_ms in rows:
        table.add_row(
            person.key_id, person.name, person.unit or "-", ", ".join(person.roles), ", ".join(person.areas) or "-",
            ", ".join(person.sources) or "-", shortened(ms_to_text(added_ms)),
            "-" if revoked_ms is None else shortened(ms_to_text(revoked_ms)),
        )  # fmt: skip
    out.print(table)


def revoke_command(config_path: Path, ledger: Path | None, key_id: str) -> None:
    """Take a key back. Raises KeyFileError: there is none of that id."""
    with _keys(config_path, ledger) as keys:
        keys.revoke(key_id)
    say(f"{key_id} opens nothing any more")


def _check(config: Config, roles: Sequence[str], areas: Sequence[str], sources: Sequence[str]) -> None:
    """A key that names what the city does not have would open nothing, and nobody would know why."""
    policy, grid = read_policy(config.policy), load_grid(config.grid.read_bytes())
    wrong = [f"no source {source} in {config.policy}" for source in sources if source not in (CITY, *policy.sources)]
    cells = [*areas]
    for role, bound in map(parse_role, roles):
        if role == "department" and bound not in policy.departments:
            wrong.append(f"no department {bound} in {config.policy}")
        elif bound is not None and role != "department":
            cells.append(bound)
    wrong += [f"no cell {cell} in {config.grid}" for cell in cells if cell != CITY and cell not in grid]
    if wrong:
        raise KeyFileError("; ".join(wrong))
