"""Waiting, for as long as a test may, until a city's incidents are as they should be."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson
from kafka_chaos import read_all
from kafka_city import City

WAIT_S, AGAIN_S = 60.0, 0.25


async def values(city: City, topic: str, partitions: int) -> list[dict[str, Any]]:
    """The messages of a topic, partition by partition."""
    found = await read_all(city.client, f"{city.prefix}{topic}", partitions)
    return [orjson.loads(record.value) for records in found for record in records if record.value]


async def incidents(city: City, reports: set[str]) -> list[dict[str, Any]]:
    """The newest state of the incidents of these reports."""
    newest = {value["incident_id"]: value for value in await values(city, "incidents", city.partitions)}
    return [value for value in newest.values() if {report_id for _, report_id in value["reports"]} & reports]


async def wait_for(city: City, reports: set[str], so: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The incidents of these reports, when they are so."""
    until_s = time.monotonic() + WAIT_S
    while True:
        found = await incidents(city, reports)
        if so(found):
            return found
        assert time.monotonic() < until_s, [(each["state"], each["lead"]["state"]) for each in found]
        await asyncio.sleep(AGAIN_S)
