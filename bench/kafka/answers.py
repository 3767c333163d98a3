"""What must be on the topics after a run, known from how the day was made and from what the topics say of each other.

Appended at the times of this machine by this many processes, two runs are not byte-equal. So each is checked by itself:
every report accepted once and told once, rejected for the reason it was made for, in its leaf, with the departments of
the plain loop over all rules; every revision once and in order; what is recorded under `log` true.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import orjson

from bench.answers import WrongAnswer
from bench.kafka.ledgers import KafkaLedger
from bench.kafka.outputs import OutputRecord, Outputs, flat, newest
from bench.kafka.scene import Scene
from bench.workload import Expected
from dispatcher.core import CONTROL, IncidentRecord, decode_incident
from dispatcher.ledger.kafka import DEPARTMENT, LOG, Standing
from rules import decide_plainly

__all__ = ["check_outputs", "check_standing"]

SAMPLED_DECISIONS: Final = 30
CLOCK_TAG: Final = b'"type":"clock"'


def check_outputs(what: str, scene: Scene, ledger: KafkaLedger, outputs: Outputs, expected: Expected) -> None:
    """Compare what a run has put out with how its day was made.

    Raises:
        WrongAnswer: with everything that is not as it must be.
    """
    reasons = {reason: count for reason, count in expected.reasons.items() if reason != "unknown_incident"}
    incidents = {key: decode_incident(value) for part in newest(outputs, "incidents") for key, value in part.items()}
    told, revisions, wrong = _told(outputs)
    counts = expected.counts
    topics = [name for name in ledger.topics if name.startswith(DEPARTMENT)]
    offers = sum(b'"event":"offer"' in (r.value or b"") for topic in topics for r in flat(outputs, topic))
    is_so = [
        ("rejected", _reasons(outputs), reasons),
        ("reports told of on `events`", sum(told.values()), counts["reports_accepted"]),
        ("reports told of twice", [report for report, times in told.items() if times > 1][:3], []),
        ("reports in incidents", sum(i.report_count for i in incidents.values()), counts["reports_accepted"]),
        ("revisions", [key for key, i in incidents.items() if revisions.get(key) != i.revision][:3], []),
        ("incidents on one side only", sorted(incidents.keys() ^ revisions.keys())[:3], []),
        ("offers", offers, sum(len(_parties(i)) for i in incidents.values())),
    ]
    wrong += [f"{name}: {found}, not {wanted}" for name, found, wanted in is_so if found != wanted]
    wrong += _misplaced(list(incidents.values()), expected)
    wrong += _misrouted(scene, list(incidents.values()))
    if wrong:
        raise WrongAnswer(f"{what}: " + "; ".join(wrong[:10]))


def check_standing(what: str, outputs: Outputs, work: Sequence[OutputRecord], expected: Expected) -> None:
    """What the newest commits of a worker say of themselves, its tallies, and that `work` has no holes.

    Args:
        what: for the message.
        outputs: of the run.
        work: all of `work`; a clock record may come after the last commit.
        expected: of the day.

    Raises:
        WrongAnswer: something of it is not so.
    """
    wrong: list[str] = []
    for partition, (state, incidents) in enumerate(
        zip(newest(outputs, "state"), newest(outputs, "incidents"), strict=True)
    ):
        standing = msgspec.json.decode(state[LOG], type=Standing)
        log = [each for each in work if each.partition == partition]
        if [each.offset for each in log] != list(range(len(log))):
            wrong.append(f"partition {partition}: `work` has holes")
        left = [each for each in log if each.offset > standing.position.offset and CLOCK_TAG not in (each.value or b"")]
        if standing.position.offset >= len(log) or left:
            wrong.append(f"partition {partition}: at {standing.position.offset}, {len(log)} records, {len(left)} left")
        found = (standing.incidents, standing.revisions)
        wanted = (len(incidents), sum(decode_incident(value).revision for value in incidents.values()))
        if found != wanted:
            wrong.append(f"partition {partition}: recorded {found} incidents and revisions, found {wanted}")
    ids = Counter(dict(r.headers)["ce_id"] for records in outputs.values() for r in records if r.headers)
    tallies: Counter[str] = Counter()
    for state in newest(outputs, "state"):
        tallies.update(orjson.loads(state["tally"]))
    wrong += [
        f"{name}: {tallies[name]}, not {count}"
        for name, count in sorted(expected.counts.items())
        if name.startswith("reports") and tallies[name] != count
    ]
    wrong += [f"{ce_id.decode()} is twice" for ce_id, times in ids.items() if times > 1]
    if wrong:
        raise WrongAnswer(f"{what}: " + "; ".join(wrong[:10]))


def _reasons(outputs: Outputs) -> dict[str, int]:
    return dict(Counter(orjson.loads(record.value or b"null")["reason"] for record in flat(outputs, "rejected")))


def _told(outputs: Outputs) -> tuple[Counter[tuple[str, str]], dict[str, int], list[str]]:
    """How often each report is told of, the newest revision of each incident, and revisions out of order."""
    told: Counter[tuple[str, str]] = Counter()
    revisions: dict[str, int] = {}
    wrong: list[str] = []
    for record in flat(outputs, "events"):
        event: dict[str, Any] = orjson.loads(record.value or b"null")
        if record.key == CONTROL.encode():
            continue
        incident_id, revision = event["incident_id"], event["revision"]
        if revision != revisions.get(incident_id, 0) + 1:
            wrong.append(f"{incident_id}: after revision {revisions.get(incident_id, 0)} comes {revision}")
        revisions[incident_id] = revision
        for change in event["changes"]:
            if change["event"] in ("reported", "merged"):
                told[change["source"], change["report_id"]] += 1
    return told, revisions, wrong


def _misplaced(incidents: Sequence[IncidentRecord], expected: Expected) -> Iterator[str]:
    for incident in incidents:
        leaf = expected.leaf_of.get(incident.reports[0])
        if leaf is not None and incident.place.cell != leaf:
            yield f"cell of {incident.incident_id}: {incident.place.cell}, not {leaf}"


def _misrouted(scene: Scene, incidents: Sequence[IncidentRecord]) -> Iterator[str]:
    """Sampled incidents whose departments are not those of the plain loop over all rules."""
    routed = [i for i in incidents if i.lead is not None and i.report_count == 1]
    for incident in routed[:: max(1, len(routed) // SAMPLED_DECISIONS)]:
        decision = decide_plainly(scene.setup.policy, incident.facts)
        wanted = [_party(decision.lead.department, decision.lead.unit)]
        wanted += [_party(plan.department, plan.unit) for plan in decision.support]
        found = _parties(incident)
        if found != wanted:
            yield f"departments of {incident.incident_id}: {found}, not {wanted}"


def _parties(incident: IncidentRecord) -> list[str]:
    """Lead first, then the supports in order."""
    lead = incident.lead
    first = [] if lead is None else [_party(lead.department, lead.unit)]
    return first + [_party(each.department, each.unit) for each in incident.support]


def _party(department: str, unit: str | None) -> str:
    return department if unit is None else f"{department}@{unit}"
