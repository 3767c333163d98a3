"""Chaos: workers killed, terminated, frozen, the broker killed, under load; then an audit that shares no code with us.

`python tests/kafka/kafka_chaos.py SECONDS SEED FAULTS RATE` runs it by hand and prints what it found as JSON.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from kafka_city import City, Worker, report

from bench.broker import Broker

WORKERS = 3
OVERSIZE, POISON = "OVERSIZE", "POISON"  # report ids on which the planted bugs act: see kafka_bugs
FREEZE_S = (8.0, 12.0)  # beyond the session time-out of 6 s
BROKER_DOWN_S = 5.0
RESPAWN_S = 0.5


async def handed_over(producer: AIOKafkaProducer, topic: str, value: bytes) -> Any:
    """Its future, once the producer has room: while the broker is away it may have none for long."""
    while True:
        try:
            return await producer.send(topic, value)
        except KafkaTimeoutError:  # it was not taken, so it is not sent twice
            continue


class Load:
    """Reports at a steady rate, and departments that answer some of their orders; everything sent is remembered."""

    def __init__(self, city: City, seed: int, rate: float) -> None:
        self._city, self._random, self._rate = city, Random(seed), rate
        self.sent: list[str] = []
        self.updates = 0
        self._stop = asyncio.Event()
        self.late_s = 0.0  # most the sending fell behind its own clock

    def stop(self) -> None:
        self._stop.set()

    async def _producer(self) -> AIOKafkaProducer:
        """Idempotent, so that what it sends is there once whatever becomes of the broker."""
        producer = AIOKafkaProducer(
            **self._city.client, enable_idempotence=True, linger_ms=5, max_batch_size=200_000, retry_backoff_ms=50
        )
        await producer.start()
        return producer

    async def reports(self) -> None:
        producer = await self._producer()
        topic, waiting, begun_s = f"{self._city.prefix}reports", set(), time.monotonic()
        try:
            while not self._stop.is_set():
                due = int((time.monotonic() - begun_s) * self._rate)
                for number in range(len(self.sent), min(due, len(self.sent) + 2_000)):
                    report_id, value = report(self._random, number)
                    future = await handed_over(producer, topic, value)
                    waiting.add(future)
                    future.add_done_callback(waiting.discard)
                    self.sent.append(report_id)
                    if number % 50 == 0:  # some are sent twice, as their producers do
                        waiting.add(again := await handed_over(producer, topic, value))
                        again.add_done_callback(waiting.discard)
                self.late_s = max(self.late_s, time.monotonic() - begun_s - len(self.sent) / self._rate)
                await asyncio.sleep(0.01)
            if waiting:
                await asyncio.wait(waiting)
        finally:
            await producer.stop()

    async def plant(self, report_id: str) -> None:
        producer = await self._producer()
        try:
            message = orjson.loads(report(self._random, 0, "01")[1]) | {"report_id": report_id}
            await producer.send_and_wait(f"{self._city.prefix}reports", orjson.dumps(message))
        finally:
            await producer.stop()

    async def departments(self) -> None:
        """Follow their topics and answer a share of the offers: acknowledged, and half of these done."""
        producer = await self._producer()
        topics = [f"{self._city.prefix}dept.{code}" for code in ("gas", "fire", "roads", "police")]
        consumer = AIOKafkaConsumer(
            **self._city.client,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
        )
        await consumer.start()
        partitions = [TopicPartition(topic, n) for topic in topics for n in range(2)]
        consumer.assign(partitions)
        for partition, first in (await consumer.beginning_offsets(partitions)).items():
            consumer.seek(partition, first)
        try:
            while not self._stop.is_set():
                for partition, records in (await consumer.getmany(timeout_ms=200, max_records=2_000)).items():
                    code = partition.topic.rpartition(".")[2]
                    for record in records:
                        await self._answer(producer, code, orjson.loads(record.value))
        finally:
            await consumer.stop()
            await producer.stop()

    async def _answer(self, producer: AIOKafkaProducer, code: str, order: dict[str, Any]) -> None:
        if order["event"] != "offer" or self._random.random() > 0.1:
            return
        actions = ("acknowledge", "done") if self._random.random() < 0.5 else ("acknowledge",)
        for action in actions:
            update = {
                "update_id": f"{order['order_id']}/{action}", "incident_id": order["incident_id"], "action": action,
                "at": "2026-11-22T10:04:05+08:00",
            }  # fmt: skip
            await handed_over(producer, f"{self._city.prefix}updates.{code}", orjson.dumps(update))
            self.updates += 1


class Stalls:
    """How long nothing was committed, looked at from outside: by the end of the `events` topic."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.longest_s = 0.0
        self.all: list[float] = []
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def watch(self) -> None:
        """Of each partition by itself: one that stands still while the others go on is a stall too."""
        consumer = AIOKafkaConsumer(**self._city.client, enable_auto_commit=False)
        await consumer.start()
        partitions = [TopicPartition(f"{self._city.prefix}state", n) for n in range(self._city.partitions)]
        ends: dict[TopicPartition, int] = {}
        moved_s = dict.fromkeys(partitions, time.monotonic())
        try:
            while not self._stop.is_set():
                try:
                    found = await asyncio.wait_for(consumer.end_offsets(partitions), 2.0)
                except (KafkaError, TimeoutError):
                    found = {}
                now_s = time.monotonic()
                for partition, end in found.items():
                    if end != ends.get(partition):
                        stood_s = now_s - moved_s[partition]
                        if partition in ends and stood_s > 1.5:
                            self.all.append(round(stood_s, 1))
                        self.longest_s = max(self.longest_s, stood_s if partition in ends else 0.0)
                        ends[partition], moved_s[partition] = end, now_s
                await asyncio.sleep(0.1)
        finally:
            await consumer.stop()


class Faults:
    """Does to workers and broker what happens to them, by a seed."""

    def __init__(self, city: City, broker: Broker, random: Random, module: str) -> None:
        self._city, self._broker, self._random, self._module = city, broker, random, module
        self.workers = [city.worker(n, module) for n in range(WORKERS)]
        self.done: Counter[str] = Counter()
        self._frozen: dict[int, tuple[float, Worker]] = {}
        self._gone_s: dict[int, float] = {}
        self.unasked = 0  # workers that ended by themselves
        self._asked: set[int] = set()

    async def run(self, faults: int, seconds: float) -> None:
        begun_s = time.monotonic()
        times = sorted(begun_s + 15 + self._random.random() * (seconds - 25) for _ in range(faults))
        kinds = ["kill"] * (faults * 45 // 100) + ["term"] * (faults * 25 // 100) + ["broker"] * max(1, faults // 25)
        kinds += ["stop"] * (faults - len(kinds))
        self._random.shuffle(kinds)
        while time.monotonic() - begun_s < seconds or (times and time.monotonic() - begun_s < seconds + 120):
            now_s = time.monotonic()
            self._tend(now_s)
            if times and now_s > times[0]:
                times.pop(0)
                await self._do(kinds.pop())
            await asyncio.sleep(0.1)

    def _tend(self, now_s: float) -> None:
        for number, (until_s, worker) in list(self._frozen.items()):
            if now_s > until_s:
                worker.send(signal.SIGCONT)
                del self._frozen[number]
        for number, worker in enumerate(self.workers):
            if worker.ended is not None and number not in self._gone_s:
                self._gone_s[number] = now_s
                if worker.pid not in self._asked:
                    self.unasked += 1
            if number in self._gone_s and now_s - self._gone_s[number] > RESPAWN_S:
                self.workers[number] = self._city.worker(number, self._module)
                del self._gone_s[number]

    async def _do(self, kind: str) -> None:
        if kind == "broker":
            await asyncio.to_thread(self._broker.kill)
            await asyncio.sleep(BROKER_DOWN_S)
            await asyncio.to_thread(self._broker.start)
            self.done[kind] += 1
            return
        alive = [n for n, worker in enumerate(self.workers) if worker.ended is None and n not in self._frozen]
        if not alive:
            alive = list(range(WORKERS))
        number = self._random.choice(alive)
        worker = self.workers[number]
        self.done[kind] += 1
        if kind == "stop":
            worker.send(signal.SIGSTOP)
            self._frozen[number] = (time.monotonic() + self._random.uniform(*FREEZE_S), worker)
            return
        self._asked.add(worker.pid)
        worker.send(signal.SIGKILL if kind == "kill" else signal.SIGTERM)

    async def settle(self) -> None:
        """Everybody up again."""
        for _ in range(200):
            self._tend(time.monotonic())
            if not self._frozen and not self._gone_s:
                return
            await asyncio.sleep(0.1)


async def read_all(client: dict[str, Any], topic: str, partitions: int, tail: int = 1 << 60) -> list[list[Any]]:
    """Every committed record of a topic, or only those of the last offsets, partition by partition."""
    consumer = AIOKafkaConsumer(
        **client, isolation_level="read_committed", auto_offset_reset="none", enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
    )  # fmt: skip
    found: list[list[Any]] = []
    await consumer.start()
    try:
        for number in range(partitions):
            partition = TopicPartition(topic, number)
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            first = (await consumer.beginning_offsets([partition]))[partition]
            consumer.seek(partition, max(first, end - tail))
            records: list[Any] = []
            while await consumer.position(partition) < end:
                for some in (await consumer.getmany(partition, timeout_ms=500, max_records=50_000)).values():
                    records += some
            found.append(records)
    finally:
        await consumer.stop()
    return found


async def drained(city: City, timeout_s: float) -> bool:
    """Wait until every record of the sources is committed, looked at from outside; timers may go on firing."""
    codes = ("centre", "gas", "fire", "roads", "police")
    sources = [("reports", 2), ("updates", 2), ("control", 1), *((f"updates.{code}", 1) for code in codes)]
    consumer = AIOKafkaConsumer(**city.client, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(city.prefix + name, n) for name, count in sources for n in range(count)]
        wanted = {
            (part.topic.removeprefix(city.prefix), str(part.partition)): end - 1
            for part, end in (await consumer.end_offsets(partitions)).items()
            if end
        }
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            seen: dict[tuple[str, str], int] = {}
            for log in await _logs(city):
                for topic, of in log["marks"].items():
                    for number, offset in of.items():
                        seen[topic, number] = max(offset, seen.get((topic, number), -1))
            if all(seen.get(source, -1) >= offset for source, offset in wanted.items()):
                work = [TopicPartition(f"{city.prefix}work", n) for n in range(city.partitions)]
                ends = await consumer.end_offsets(work)
                while time.monotonic() < until_s:
                    at = [log["position"]["offset"] for log in await _logs(city)]
                    if all(at[part.partition] >= end - 1 for part, end in ends.items()):
                        return True
                    await asyncio.sleep(0.5)
            await asyncio.sleep(0.5)
        return False
    finally:
        await consumer.stop()


async def _logs(city: City) -> list[dict[str, Any]]:
    """What is recorded under `log` now, of each partition."""
    nothing = {"position": {"offset": -1}, "marks": {}}
    found = []
    for records in await read_all(city.client, f"{city.prefix}state", city.partitions, tail=3_000):
        logs = [record.value for record in records if record.key == b"log"]
        found.append(orjson.loads(logs[-1]) if logs else nothing)
    return found


async def independent_audit(city: City, load: Load) -> dict[str, Any]:
    """Nothing missing, nothing doubled, order kept, every timer once: from the topics alone."""
    wrong: list[str] = []
    accepted: Counter[str] = Counter()
    timers: Counter[str] = Counter()
    revisions: dict[str, int] = {}
    ids: Counter[bytes] = Counter()
    counts: Counter[str] = Counter()
    for records in await read_all(city.client, f"{city.prefix}events", city.partitions):
        for record in records:
            counts["events"] += 1
            ids[dict(record.headers)["ce_id"]] += 1
            event = orjson.loads(record.value)
            if record.key == b"control":
                continue
            incident_id = event["incident_id"]
            if event["revision"] != revisions.get(incident_id, 0) + 1:
                wrong.append(f"{incident_id}: after revision {revisions.get(incident_id, 0)} comes {event['revision']}")
            revisions[incident_id] = event["revision"]
            for change in event["changes"]:
                if change["event"] in ("reported", "merged"):
                    accepted[change["report_id"]] += 1
                if change["event"] == "target" and change["what"] in ("warn", "breach"):
                    one = f"{incident_id} {change['name']} {change['of']} {change['what']} {change.get('percent')}"
                    timers[one] += 1
                    if change["what"] == "breach" and event["at"] < change["due_at"]:
                        wrong.append(f"{one} was early")
    rejected: Counter[str] = Counter()
    for records in await read_all(city.client, f"{city.prefix}rejected", city.partitions):
        for record in records:
            counts["rejected"] += 1
            ids[dict(record.headers)["ce_id"]] += 1
            said = orjson.loads(record.value)
            if said["reason"] == "engine_error":
                rejected[said["topic"]] += 1
    orders: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    for code in ("centre", "gas", "fire", "roads", "police"):
        for records in await read_all(city.client, f"{city.prefix}dept.{code}", 2):
            last: dict[bytes, int] = {}
            for record in records:
                counts["orders"] += 1
                ids[dict(record.headers)["ce_id"]] += 1
                order = orjson.loads(record.value)
                orders[order["order_id"]] += 1
                offered[order["incident_id"]] += order["event"] == "offer" and order["role"] == "lead"
                if order["revision"] < last.get(record.key, 0):
                    wrong.append(f"order {order['order_id']} came after revision {last[record.key]}")
                last[record.key] = order["revision"]
    for topic in ("routed", "notices", "archive"):
        for records in await read_all(city.client, f"{city.prefix}{topic}", city.partitions):
            counts[topic] += len(records)
            ids.update(dict(record.headers)["ce_id"] for record in records)
    newest: dict[bytes, int] = {}
    for records in await read_all(city.client, f"{city.prefix}incidents", city.partitions):
        for record in records:
            newest[record.key] = -1 if record.value is None else orjson.loads(record.value)["revision"]
    wrong += [
        f"{key.decode()} is published at {at}, not at {revisions[key.decode()]}"
        for key, at in newest.items()
        if at not in (-1, revisions[key.decode()])
    ]
    sent = set(load.sent)
    wrong += [f"report {one} is missing" for one in sent - set(accepted)]
    wrong += [f"report {one} was taken {n} times" for one, n in accepted.items() if n > 1]
    wrong += [f"timer {one} fired {n} times" for one, n in timers.items() if n > 1]
    wrong += [f"order {one} was sent {n} times" for one, n in orders.items() if n > 1]
    wrong += [f"{one} stands {n} times" for one, n in ids.items() if n > 1]
    wrong += [f"{one} has {n} first offers to a lead" for one, n in offered.items() if n != 1]
    return {
        "reports": len(sent), "updates": load.updates, "incidents": len(revisions), "timers": len(timers),
        "records": dict(counts), "engine_errors": dict(rejected), "wrong": len(wrong), "examples": wrong[:10],
    }  # fmt: skip


async def chaos(
    city: City, broker: Broker, *, seconds: float, seed: int, faults: int, rate: float, module: str = "kafka_bugs"
) -> dict[str, Any]:
    """One run, from an empty ledger to the audits."""
    city.begin()
    load, stalls = Load(city, seed, rate), Stalls(city)
    doing = Faults(city, broker, Random(seed), module)
    tasks = [asyncio.create_task(each) for each in (load.reports(), load.departments(), stalls.watch())]
    await asyncio.sleep(min(10.0, seconds / 3))
    await load.plant(OVERSIZE)
    await load.plant(POISON)
    await doing.run(faults, seconds)
    load.stop()
    stalls.stop()
    await asyncio.gather(*tasks)
    begun_s = time.monotonic()
    await doing.settle()
    done = await drained(city, 600)
    drained_s = time.monotonic() - begun_s
    codes = [worker.terminate() for worker in doing.workers if worker.ended is None]
    found = await independent_audit(city, load)
    again = await asyncio.to_thread(city.run, "audit", "--kafka", "--json", module=module)
    findings = json.loads(again.stdout) if again.stdout else [{"check": again.stderr[-2_000:], "wrong": 1}]
    return {
        **found, "faults": dict(doing.done), "ended_unasked": doing.unasked, "drained": done,
        "drained_s": round(drained_s, 1), "worst_stall_s": round(stalls.longest_s, 1),
        "stalls_s": sorted(stalls.all), "sending_late_s": round(load.late_s, 2), "exit_codes": codes,
        "recomputed": sum(finding["looked_at"] for finding in findings if "looked_at" in finding),
        "recomputed_wrong": [finding for finding in findings if finding["wrong"]],
    }  # fmt: skip


def main() -> None:
    seconds, seed, faults, rate = (float(each) for each in sys.argv[1:5])
    directory = Path("var") / "chaos" / time.strftime("%H%M%S")
    with Broker(directory / "broker") as broker:
        city = City(directory, broker.client(), "chaos.")
        try:
            found = asyncio.run(chaos(city, broker, seconds=seconds, seed=int(seed), faults=int(faults), rate=rate))
        finally:
            city.end()
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
