"""A run's own outputs cut into its commits again, for somebody else to write the same bytes in the same transactions.

Nothing is tapped while the run is timed: each commit has left its mark in every partition it wrote to, an offset that
no record has. Orders of several partitions share topics, but the ids of appended records name partition and commit.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from zlib import crc32

import msgspec
from msgspec import Struct

from bench.answers import WrongAnswer
from bench.kafka.ledgers import PARTITIONS
from bench.kafka.outputs import COMPACTED, OutputRecord, Outputs
from bench.kafka.scene import INPUT_PARTITIONS
from dispatcher.core import REPORTS
from dispatcher.core.carried import taken_up
from dispatcher.core.messages import private_of
from dispatcher.core.work import ReportWork
from dispatcher.ledger.kafka import LOG, WORK, Out, Standing

__all__ = ["Commit", "Recording", "digest", "record"]


class Commit(Struct, array_like=True):
    """What was written in one transaction, after so many further reports had come on `work`."""

    reports: int
    outs: list[Out]  # topics without the prefix


class Recording(Struct):
    """A run to be repeated."""

    relayed: list[dict[int, list[Out]]]  # by partition of `reports` and offset there: what stage 1 made of it
    commits: list[list[Commit]]  # by partition of `work`


def record(outputs: Outputs, work: Sequence[OutputRecord], reporters: Sequence[OutputRecord]) -> Recording:
    """Cut a run into its commits.

    Args:
        outputs: of a worker's run.
        work: all of `work`.
        reporters: all of `reporters`.

    Raises:
        WrongAnswer: the marks of commits and what commits say of themselves do not fit together.
    """
    seen: list[list[bool]] = [
        [] for _ in range(PARTITIONS)
    ]  # of each offset of `work`: whether a new report came there
    known = {each.key: each.value for each in reporters}
    relayed: list[dict[int, list[Out]]] = [{} for _ in range(INPUT_PARTITIONS)]
    for each in work:
        item = taken_up(each.value or b"", each.offset, each.time_ms)
        origin = item.origin
        # stage 1 puts a report there again when it was not told that it had (its owner knows); we put it there once
        is_new = origin.topic == REPORTS and origin.offset not in relayed[origin.partition]
        seen[each.partition].append(is_new)
        if is_new:
            outs = [Out(WORK, each.partition, None, each.value)]
            if isinstance(item, ReportWork) and (item.has_reporter or private_of(item.report) is not None):
                key = f"{item.report.source}/{item.report.report_id}".encode()
                outs.insert(0, Out("reporters", crc32(key) % PARTITIONS, key, known[key]))
            relayed[origin.partition][origin.offset] = outs
    appended = _appended(outputs)
    return Recording(relayed, [_commits(outputs, n, appended[n], seen[n]) for n in range(PARTITIONS)])


def digest(outputs: Outputs) -> dict[str, int]:
    """One number for each topic, whatever the order in which several partitions wrote to it."""
    numbers: dict[str, int] = defaultdict(int)
    for records in outputs.values():
        for each in records:
            numbers[each.topic] += hash((each.partition, each.key, each.value, each.time_ms, tuple(each.headers)))
    return numbers


def _appended(outputs: Outputs) -> list[dict[int, list[OutputRecord]]]:
    """By partition of `work` and commit, in the order in which they were put out."""
    numbered: list[dict[int, list[tuple[int, OutputRecord]]]] = [defaultdict(list) for _ in range(PARTITIONS)]
    for (topic, _), records in outputs.items():
        if topic not in COMPACTED:
            for each in records:
                partition, commit, n = dict(each.headers)["ce_id"].split(b":")[1:]
                numbered[int(partition)][int(commit)].append((int(n), each))
    return [{commit: [each for _, each in sorted(found)] for commit, found in of.items()} for of in numbered]


def _commits(
    outputs: Outputs, partition: int, appended: Mapping[int, list[OutputRecord]], seen: Sequence[bool]
) -> list[Commit]:
    commits: list[Commit] = []
    incidents = iter(_transactions(outputs["incidents", partition]))
    done = 0
    for state in _transactions(outputs["state", partition]):
        standing = msgspec.json.decode(_log_of(state), type=Standing)
        if standing.commits != len(commits) + 1:
            raise WrongAnswer(f"partition {partition}: commit {len(commits) + 1} calls itself {standing.commits}")
        records = list(appended.get(standing.commits, ()))
        if any(each.topic == "events" and each.key != b"control" for each in records):
            changed = next(incidents)
            if changed[0].time_ms != standing.position.time_ms:
                raise WrongAnswer(f"partition {partition}: commit {standing.commits} has other incidents")
            records += changed
        records += state
        until = standing.position.offset + 1
        commits.append(Commit(sum(seen[done:until]), [_out(each) for each in records]))
        done = until
    if next(incidents, None) is not None or appended.keys() - set(range(1, len(commits) + 1)):
        raise WrongAnswer(f"partition {partition}: more was put out than was committed")
    return commits


def _transactions(records: Sequence[OutputRecord]) -> Iterator[list[OutputRecord]]:
    """Those of a partition that only one process writes to: between two of them lies the mark of a commit."""
    some: list[OutputRecord] = []
    for each in records:
        if some and each.offset != some[-1].offset + 1:
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _log_of(state: Sequence[OutputRecord]) -> bytes:
    if state[-1].key != LOG.encode() or state[-1].value is None:
        raise WrongAnswer("a commit does not end with what it says of itself")
    return state[-1].value


def _out(each: OutputRecord) -> Out:
    return Out(each.topic, each.partition, each.key, each.value, each.time_ms, each.headers)
