"""A department of the city, as an outside team would write it: orders in from Kafka, updates out to it.

    python department.py heat-gas-centre --work-s 6

Python 3.11, aiokafka and docs/messages.md are all it needs. Offsets are committed when what they stand for has been
answered and the answers are durable, so whatever stops it, it starts again where something is owed.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import ssl
import sys
import time
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError, KafkaError
from orders import Jobs

OPEN_MAX = 10_000  # orders being worked on; the others wait on Kafka
POLL_MS = 200


def access(options: argparse.Namespace) -> dict[str, Any]:
    """Where Kafka is and who we are to it; user and password come by the environment."""
    found: dict[str, Any] = {"bootstrap_servers": options.bootstrap}
    user = os.environ.get("KAFKA_USER")
    if user:
        found |= {"sasl_mechanism": options.mechanism, "sasl_plain_username": user}
        found["sasl_plain_password"] = os.environ.get("KAFKA_PASSWORD", "")
    if options.ca:
        found["ssl_context"] = ssl.create_default_context(cafile=options.ca)
    found["security_protocol"] = ("SASL_" if user else "") + ("SSL" if options.ca else "PLAINTEXT")
    return found


async def answer_due(jobs: Jobs, producer: AIOKafkaProducer, topic: str) -> None:
    """Send what is due, each update durable before the next one."""
    now_ms = time.time_ns() // 1_000_000
    for at, waiting in list(jobs.open.items()):
        while waiting and waiting[0].due_ms <= now_ms:
            update = waiting[0].update
            await producer.send_and_wait(topic, json.dumps(update).encode(), key=update["incident_id"].encode())
            print(f"{update['incident_id']} {update['action']}", flush=True)
            del waiting[0]
        if not waiting:
            jobs.end(at)


async def follow(options: argparse.Namespace) -> None:
    """Answer our orders until SIGTERM or Ctrl-C."""
    orders, updates = f"{options.prefix}dept.{options.code}", f"{options.prefix}updates.{options.code}"
    consumer = AIOKafkaConsumer(
        **access(options),
        group_id=orders,  # a group of its own; this one the department may use: `dispatcher topics acls`
        isolation_level="read_committed",  # an order counts when the dispatcher has committed it
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(**access(options), acks="all", enable_idempotence=True)
    jobs, stop = Jobs(options.work_s), asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    try:
        await producer.start()
        await consumer.start()
        missing = sorted({orders, updates} - await consumer.topics())
        if missing:
            raise SystemExit(
                f"there is no {' and no '.join(missing)} for us: is {options.code} a department of the policy, and may"
                " this user read its orders and write its updates? Ask for `dispatcher topics check` and `topics acls`"
            )
        consumer.subscribe([orders], listener=jobs)
        print(f"{options.code} reads {orders} and answers on {updates}; Ctrl-C ends it", flush=True)
        committed: dict[Any, int] = {}
        while not stop.is_set():
            room = OPEN_MAX - len(jobs.open)
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=min(500, room)) if room else {}
            for partition, records in found.items():  # all, before the first is answered: some end what others ask
                for record in records:
                    jobs.take(partition, record.offset, record.timestamp, record.value)
            await answer_due(jobs, producer, updates)
            if not room:
                await asyncio.sleep(POLL_MS / 1000)
            offsets = jobs.offsets()
            if offsets and offsets != committed:
                try:
                    await consumer.commit(offsets)
                    committed = offsets
                except CommitFailedError:
                    pass  # partitions are being dealt out anew: what is not committed is read again
        print(f"stopped; {len(jobs.open)} orders under way are taken up again at the next start", flush=True)
    finally:
        await consumer.stop()
        await producer.stop()


def main() -> None:
    """Read the options and follow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("code", help="the department's code in the policy")
    parser.add_argument("--bootstrap", default="127.0.0.1:9092", help="host:port of Kafka; default: %(default)s")
    parser.add_argument("--prefix", default="", help="before the name of every topic")
    parser.add_argument("--work-s", type=float, default=6.0, help="what the work takes; default: %(default)s")
    parser.add_argument("--ca", help="certificate of the authority that has signed the brokers': connect by TLS")
    parser.add_argument("--mechanism", default="SCRAM-SHA-256", help="for KAFKA_USER, when set; default: %(default)s")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")  # aiokafka tells there of what it tries again
    try:
        asyncio.run(follow(options))
    except KafkaError as error:
        sys.exit(f"Kafka at {options.bootstrap}: {error}. Nothing is lost: start it again when Kafka answers")


if __name__ == "__main__":
    main()
