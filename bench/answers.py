"""What came out, and whether it is what must come out.

An append topic is summed up by a digest over its records in order, a compacted topic by a digest over the newest value
of each key. Two runs over the same day are right when every count follows from how the day was made, the outputs agree
with the engine's own state and with the plain reference of the rules, and all runs have the same digests.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from bench.workload import Expected
from dispatcher.core import COMPACTED_TOPICS, CONTROL, Engine, Outcome
from dispatcher.core.incident import Incident
from dispatcher.ledger import Ledger
from dispatcher.ledger.interface import is_input
from rules import Decision, decide_plainly

__all__ = ["Answers", "WrongAnswer", "check", "check_same", "check_topics", "wrong_decisions"]

SAMPLED_DECISIONS = 30  # against the plain loop over all rules, 2.5 ms each with 1,000 rules
PAGE_RECORDS = 5_000
NO_OUTPUT = frozenset({"imports", "policies", "reporters"})  # compacted topics the host itself writes


class WrongAnswer(Exception):
    """A run gave something else than it must; no figure of it may be shown."""


class Answers:
    """The outputs of one run, summed up; `add` may be called between timed stretches."""

    def __init__(self) -> None:
        self.bytes_out = 0
        self.topics: Counter[str] = Counter()
        self.reported: set[str] = set()  # incidents that an event names
        self.offers = self.decisions = 0
        self._digests: dict[str, hashlib.blake2b] = {}
        self._newest: dict[tuple[str, str], bytes | None] = {}

    def add(self, outcome: Outcome) -> None:
        """Take what one batch produced."""
        for topic, key, time_ms, value in outcome.records:
            self._append(topic, key, time_ms, value)
        for (topic, key), newest in outcome.compacted.items():
            self._put(topic, key, newest)

    @classmethod
    def of_ledger(cls, ledger: Ledger) -> "Answers":
        """Read back every output that a ledger holds."""
        answers = cls()
        for topic in ledger.topics():
            if topic in NO_OUTPUT or is_input(topic):
                continue
            for key, time_ms, value in _records(ledger, topic):
                if topic in COMPACTED_TOPICS:
                    answers._put(topic, key, value)
                elif value is not None:
                    answers._append(topic, key, time_ms, value)
        return answers

    def _append(self, topic: str, key: str, time_ms: int, value: bytes) -> None:
        self.topics[topic] += 1
        self.bytes_out += len(value)
        digest = self._digests.setdefault(topic, hashlib.blake2b(digest_size=16))
        digest.update(f"{key} {time_ms} {len(value)}\n".encode() + value)
        if topic == "events" and key != CONTROL:  # a policy's activation is an event too
            self.reported.add(key)
            self.decisions += value.count(b'{"event":"decision"')
        elif topic.startswith("dept."):
            self.offers += b'"event":"offer"' in value

    def _put(self, topic: str, key: str, value: bytes | None) -> None:
        self.topics[topic] += 1
        self.bytes_out += 0 if value is None else len(value)
        self._newest[topic, key] = value

    def compacted(self, topic: str) -> dict[str, bytes]:
        """The newest value of each key that was not removed."""
        return {key: value for (name, key), value in self._newest.items() if name == topic and value is not None}

    def digests(self) -> dict[str, str]:
        """One word for each topic."""
        words = {topic: digest.hexdigest() for topic, digest in self._digests.items()}
        newest: dict[str, hashlib.blake2b] = {}
        for (topic, key), value in sorted(self._newest.items()):
            if value is not None:
                digest = newest.setdefault(topic, hashlib.blake2b(digest_size=16))
                digest.update(f"{key} {len(value)}\n".encode() + value)
        return words | {topic: digest.hexdigest() for topic, digest in newest.items()}

    def digest(self) -> str:
        """One word for everything that came out, except how often a compacted key was written."""
        whole = "".join(f"{topic} {word}\n" for topic, word in sorted(self.digests().items()))
        return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def check(answers: Answers, engine: Engine, expected: Expected, *, updated: bool) -> None:
    """Compare a run with how its day was made.

    Args:
        answers: what came out.
        engine: after the run.
        expected: of the day.
        updated: whether the updates have been offered too.

    Raises:
        WrongAnswer: with everything that is not as it must be.
    """
    wrong: list[str] = []

    def want(what: str, found: object, wanted: object) -> None:
        if found != wanted:
            wrong.append(f"{what}: {found}, not {wanted}")

    tally, incidents = engine.state.tally, engine.state.incidents
    for name, count in sorted(expected.counts.items()):
        if updated or name.startswith("reports"):
            want(name, tally[name], count)
    refused = sum(count for reason, count in expected.reasons.items() if updated or reason != "unknown_incident")
    want("records on `rejected`", answers.topics["rejected"], refused)
    want("incidents held", len(incidents), tally["reports_accepted"] - tally["reports_merged"])
    want("incident ids on one side only", _apart(answers.compacted("incidents"), incidents), [])
    want("incident ids on `events` or not", _apart(answers.reported, incidents), [])
    want("reports in incidents", sum(i.report_count for i in incidents.values()), tally["reports_accepted"])
    want("offers", answers.offers, sum(len(i.assignments()) for i in incidents.values()))
    want("decisions", answers.decisions, sum(i.decision_seq for i in incidents.values()))
    for incident in incidents.values():
        leaf = expected.leaf_of.get(incident.reports[0])
        if leaf is not None and incident.place.cell != leaf:
            want(f"cell of {incident.incident_id}", incident.place.cell, leaf)
    if expected.modes:
        want("modes", dict(Counter(incident.facts.mode for incident in incidents.values())), dict(expected.modes))
    wrong.extend(wrong_decisions(engine, incidents.values()))
    if wrong:
        raise WrongAnswer("; ".join(wrong[:10]))


def _apart(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """At most three words that only one of the two has."""
    return sorted(set(one) ^ set(other))[:3]


def wrong_decisions(engine: Engine, among: Iterable[Incident]) -> Iterator[str]:
    """Sampled incidents whose departments are not those of the plain loop over all rules."""
    incidents = [incident for incident in among if incident.lead is not None and incident.report_count == 1]
    for incident in incidents[:: max(1, len(incidents) // SAMPLED_DECISIONS)]:
        decision = decide_plainly(engine.state.book.policy, incident.facts)
        found = [assignment.party for assignment in incident.assignments()]
        if found != _parties(decision):
            yield f"departments of {incident.incident_id}: {found}, not {_parties(decision)}"


def _parties(decision: Decision) -> list[str]:
    named = [(decision.lead.department, decision.lead.unit)]
    named += [(plan.department, plan.unit) for plan in decision.support]
    return [department if unit is None else f"{department}@{unit}" for department, unit in named]


def check_topics(what: str, found: Answers, wanted: Answers) -> None:
    """Two accounts of one run agree, topic by topic.

    Raises:
        WrongAnswer: naming the topics in which they don't.
    """
    different = sorted({topic for topic, _ in found.digests().items() ^ wanted.digests().items()})
    if different:
        raise WrongAnswer(f"{what}: {', '.join(different)}")


def check_same(what: str, digests: Iterable[str]) -> None:
    """All rounds and drivers have given the same, byte for byte.

    Raises:
        WrongAnswer: they have not.
    """
    different = sorted(set(digests))
    if len(different) > 1:
        raise WrongAnswer(f"{what}: {len(different)} different outputs from one input: {', '.join(different)}")


def _records(ledger: Ledger, topic: str) -> Iterator[tuple[str, int, bytes | None]]:
    after = -1
    while page := ledger.follow(topic, after, PAGE_RECORDS):
        for record in page:
            yield record.key, record.time_ms, record.value
        after = page[-1].seq
