"""Report a gas leak to the city, as any producer would, and watch what becomes of it.

python report.py --prefix town. --wait-s 60
"""

import argparse
import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

HANDLED = ("checking", "closed")  # a callback desk or a checker takes it from there
SOURCE = "hotline"


def gas_leak(report_id: str, lon: float, lat: float) -> dict[str, Any]:
    """A report; `source` and `report_id` are what makes a second one of it a repeat."""
    return {
        "report_id": report_id,
        "source": SOURCE,
        "reported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "category": "08.01.01",
        "severity": 1,
        "text": "a smell of gas on the stairs",
        "location": {"lon": lon, "lat": lat, "crs": "wgs84"},
    }


def parts(incident: dict[str, Any]) -> str:
    """An incident and each department's part in it, on one line."""
    found = [part for part in (incident.get("lead"), *incident.get("support", ())) if part]
    return f"{incident['state']}: " + ", ".join(f"{part['department']} {part['state']}" for part in found)


async def watch(options: argparse.Namespace) -> bool:
    """Send it, then print what changes; returns whether it was handled in time."""
    topic, report_id = f"{options.prefix}incidents", f"example-{time.time_ns()}"
    producer = AIOKafkaProducer(bootstrap_servers=options.bootstrap, enable_idempotence=True)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=options.bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    try:
        await producer.start()
        await consumer.start()
        if topic not in await consumer.topics():
            raise SystemExit(f"there is no topic {topic}: has `dispatcher topics create` been run, with this prefix?")
        partitions = [TopicPartition(topic, n) for n in await producer.partitions_for(topic)]
        consumer.assign(partitions)
        for partition, end in (await consumer.end_offsets(partitions)).items():
            consumer.seek(partition, end)  # what is there already is not ours
        value = json.dumps(gas_leak(report_id, options.lon, options.lat)).encode()
        await producer.send_and_wait(f"{options.prefix}reports", value)
        print(f"sent {SOURCE}/{report_id}", flush=True)
        until_s, said = time.monotonic() + options.wait_s, ""
        while time.monotonic() < until_s:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    incident = json.loads(record.value or b"{}")  # no value: it has left the engine's memory
                    if [SOURCE, report_id] not in incident.get("reports", []):
                        continue
                    if parts(incident) != said:
                        said = parts(incident)
                        print(f"{incident['incident_id']} {said}", flush=True)
                    if incident["state"] in HANDLED:
                        return True
        return False
    finally:
        await consumer.stop()
        await producer.stop()


def main() -> None:
    """Read the options, send and watch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="127.0.0.1:9092", help="host:port of Kafka; default: %(default)s")
    parser.add_argument("--prefix", default="", help="before the name of every topic")
    parser.add_argument("--lon", type=float, default=103.5, help="degrees, WGS 84; default: %(default)s")
    parser.add_argument("--lat", type=float, default=25.2, help="degrees, WGS 84; default: %(default)s")
    parser.add_argument("--wait-s", type=float, default=60.0, help="to watch at most; default: %(default)s")
    options = parser.parse_args()
    try:
        handled = asyncio.run(watch(options))
    except KafkaError as error:
        sys.exit(f"Kafka at {options.bootstrap}: {error}")
    if not handled:
        sys.exit(f"not handled within {options.wait_s:g} s: do a worker and the departments run?")


if __name__ == "__main__":
    main()
