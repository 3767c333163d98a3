"""What the gateway is made of, put together as the configuration says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from dispatcher.config import Config
from dispatcher.gateway.access import Gate
from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.city import City
from dispatcher.gateway.counting import HttpMetrics
from dispatcher.gateway.drafts import Drafts
from dispatcher.gateway.figures import watch_city
from dispatcher.gateway.handovers import Handovers
from dispatcher.gateway.keys import Keys
from dispatcher.gateway.link import Link
from dispatcher.gateway.looks import Looks
from dispatcher.gateway.media import MediaStore
from dispatcher.gateway.sessions import Sessions
from dispatcher.hosts.run import Health

__all__ = ["Parts", "parts_of"]


class Parts(NamedTuple):
    """The ledger with its projection, who is let in, what is kept beside the ledger, the map, and what is counted."""

    config: Config
    city: City
    gate: Gate
    looks: Looks
    handovers: Handovers
    drafts: Drafts
    store: MediaStore
    atlas: Atlas
    registry: CollectorRegistry
    http: HttpMetrics
    health: Health


@contextmanager
def parts_of(
    config: Config, keys_file: Path, link: Link, atlas: Atlas, registry: CollectorRegistry, health: Health
) -> Iterator[Parts]:
    """All of it; files are let go of when the block is left.

    Args:
        config: says how much may be asked for, and where pictures lie; else they lie beside the keys.
        keys_file: the access file, made when absent.
        link: to the ledger.
        atlas: the gateway's own map.
        registry: of everything that is counted.
        health: told by whoever works on the ledger.

    Raises:
        KeyFileError, MediaError: a file cannot be used.
    """
    http, settings = HttpMetrics(registry), config.gateway
    keys = Keys(keys_file)
    try:
        gate = Gate(
            keys, Sessions(keys.db), settings.rate_per_s, settings.burst, refused=http.refused,
            strangers_per_s=settings.strangers_per_s, strangers_burst=settings.strangers_burst,
        )  # fmt: skip
        city = City(link, http.appended)
        watch_city(registry, city)
        directory = config.media.directory or keys_file.with_name(f"{keys_file.stem}.media")
        store = MediaStore(directory, config.media.store_bytes_max)
        try:
            looks, handovers, drafts = Looks(keys.db), Handovers(keys.db), Drafts(keys.db)
            yield Parts(config, city, gate, looks, handovers, drafts, store, atlas, registry, http, health)
        finally:
            store.close()
    finally:
        keys.close()
