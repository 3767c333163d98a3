"""One timed run of each kind, its answers checked before its figure is given.

Whatever is measured is ready first: started, its partitions restored, its policy compiled, and warmed up on the first
reports of the day, since a broker's first records on a topic take it longest. Then all others are put on their topic at
once, and the time runs from there to the last output that a reader of committed records can see.
"""

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from bench.answers import WrongAnswer
from bench.kafka.answers import check_outputs, check_standing
from bench.kafka.latency import Latency, latency_at
from bench.kafka.ledgers import KafkaLedger, bare_topics, begin_ledger
from bench.kafka.load import put
from bench.kafka.outputs import Outputs, read_input, read_outputs
from bench.kafka.programs import program, worker
from bench.kafka.recording import Recording, digest, record
from bench.kafka.scene import Message, Scene
from bench.kafka.watching import activated, all_committed, all_consumed, all_sent, all_taken, quiet, watch
from bench.workload import Expected

__all__ = ["Day", "Worked", "run_latencies", "run_passing", "run_plain", "run_quix", "run_workers"]


class Worked(NamedTuple):
    """A run of workers: its figure, and what the pass-through needs to write the same."""

    rate: float  # reports a second
    outputs: Outputs
    recording: Recording

    @property
    def commits(self) -> int:
        """Transactions in all."""
        return sum(map(len, self.recording.commits))


class Day(NamedTuple):
    """What is put on `reports`, and what must become of it."""

    warm_up: Sequence[Message]
    timed: Sequence[Message]
    expected: Expected


async def run_workers(scene: Scene, prefix: str, day: Day, count: int) -> Worked:
    """So many workers, the partitions shared out among them.

    Raises:
        WrongAnswer: something came out that must not.
        ProgramEnded: a worker has failed.
    """
    ledger = await begin_ledger(scene, prefix)
    async with contextlib.AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(worker(ledger, f"worker-{n}")) for n in range(count)]
        for each in workers:
            await each.ready()
        await activated(ledger, workers)
        await put(ledger, day.warm_up)
        await watch(ledger, partial(all_taken, ledger), workers)
        begin_s = await put(ledger, day.timed)
        end_s = await watch(ledger, partial(all_taken, ledger), workers)
    outputs = await _checked(scene, ledger, day.expected)
    recording = record(outputs, await read_input(ledger, "work"), await read_input(ledger, "reporters"))
    return Worked(len(day.timed) / (end_s - begin_s), outputs, recording)


async def run_passing(scene: Scene, prefix: str, day: Day, worked: Worked) -> float:
    """The pass-through over what a worker has done; gives reports a second. Raises WrongAnswer, ProgramEnded."""
    ledger = await bare_topics(scene, prefix)
    file = scene.directory / f"{prefix}recording"
    file.write_bytes(msgspec.msgpack.encode(worked.recording))
    commits = {n: len(of) for n, of in enumerate(worked.recording.commits)}
    arguments = (str(file), scene.bootstrap, prefix)
    async with program(ledger, "passing", "bench.kafka.passing", *arguments) as passing:
        await passing.ready()
        await activated(ledger, [passing])
        await put(ledger, day.warm_up)
        await watch(ledger, quiet, [passing])
        begin_s = await put(ledger, day.timed)
        end_s = await watch(ledger, partial(all_committed, ledger, commits), [passing])
    file.unlink()
    found, wanted = digest(await read_outputs(ledger)), digest(worked.outputs)
    if found != wanted:
        different = sorted(topic for topic in found | wanted if found.get(topic) != wanted.get(topic))
        raise WrongAnswer(f"pass-through: {', '.join(different)} are not as the worker has written them")
    return len(day.timed) / (end_s - begin_s)


async def run_plain(scene: Scene, prefix: str, day: Day) -> float:
    """The plain Faust application; gives reports a second. Raises WrongAnswer, ProgramEnded."""
    ledger = await bare_topics(scene, prefix)
    events = day.expected.counts["reports_accepted"]
    async with program(ledger, "plain", "bench.kafka.plain", str(ledger.config)) as application:
        await application.ready()
        await put(ledger, day.warm_up)
        await watch(ledger, quiet, [application])
        begin_s = await put(ledger, day.timed)
        end_s = await watch(ledger, partial(all_sent, ledger, events), [application])
    check_outputs("plain Faust", scene, ledger, await read_outputs(ledger), day.expected)
    return len(day.timed) / (end_s - begin_s)


async def run_quix(scene: Scene, prefix: str, day: Day) -> float:
    """The Quix Streams application; gives reports a second. Raises WrongAnswer, ProgramEnded."""
    ledger = await bare_topics(scene, prefix)
    consumed = partial(all_consumed, ledger)
    async with program(ledger, "quix", "bench.kafka.quix", str(ledger.config)) as application:
        await application.ready()
        await put(ledger, day.warm_up)
        await watch(ledger, consumed, [application])
        begin_s = await put(ledger, day.timed)
        end_s = await watch(ledger, consumed, [application])
    check_outputs("Quix Streams", scene, ledger, await read_outputs(ledger), day.expected)
    return len(day.timed) / (end_s - begin_s)


async def run_latencies(
    scene: Scene,
    prefix: str,
    warm_up: Sequence[Message],
    parts: Sequence[tuple[float, Sequence[Message]]],
    expected: Expected,
) -> list[Latency]:
    """One rate after the other until one is too much; nothing is offered at those beyond it.

    Args:
        scene: of the run.
        prefix: of the run.
        warm_up: worked through before anything is timed.
        parts: rates in rising order, each with what is offered at it.
        expected: of all of them together.

    Raises:
        WrongAnswer: something came out that must not.
        ProgramEnded: the worker has failed.
    """
    ledger, found = await begin_ledger(scene, prefix), list[Latency]()
    taken = partial(all_taken, ledger)
    async with worker(ledger) as program:
        await program.ready()
        await put(ledger, warm_up)
        await watch(ledger, taken, [program])
        for rate, messages in parts:
            if found and not found[-1].kept_up:
                found.append(Latency(rate, None, None, kept_up=False, late_ms=0.0))
                await put(ledger, messages)  # the answers are those of the whole day
            else:
                found.append(await latency_at(ledger, messages, rate, program))
        await watch(ledger, taken, [program])
    await _checked(scene, ledger, expected)
    return found


async def _checked(scene: Scene, ledger: KafkaLedger, expected: Expected) -> Outputs:
    outputs, what = await read_outputs(ledger), ledger.place.prefix.removeprefix(scene.name).rstrip(".")
    check_outputs(what, scene, ledger, outputs, expected)
    check_standing(what, outputs, await read_input(ledger, "work"), expected)
    return outputs
