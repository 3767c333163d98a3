"""Putting a policy in force: written once, taken once, whatever dies in between; open incidents keep theirs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from dispatcher.core import CONTROL, ms_to_text
from dispatcher.ledger import Died, Entry, Ledger, MemoryLedger, SqliteLedger
from dispatcher.policies.activation import Lost, Stale, activate, lost_departments
from dispatcher.policies.control import answer_to, standing
from dispatcher.policies.history import enactments
from dispatcher.policies.past import end_of
from rules import Policy
from tests.policies.past_city import Town, changed, local, policy


class Make:
    """Opens the one ledger of a test, any number of times."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.opened: list[Ledger] = []

    def __call__(self, clock: Callable[[], int]) -> Ledger:
        ledger = MemoryLedger(clock) if self.path is None else SqliteLedger(self.path, clock=clock, synchronous="OFF")
        self.opened.append(ledger)
        return ledger


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    made = Make(None if request.param == "memory" else tmp_path / "town.db")
    yield made
    for ledger in made.opened:
        ledger.close()


def lights() -> Policy:
    """Lamps get a route of their own."""
    return changed(
        ("  - {id: noise,", '  - {id: lamp, when: {category: ["04"]}, lead: roads, sla: works}\n  - {id: noise,')
    )


def slow() -> Policy:
    return changed(("acknowledge: {within: 5m", "acknowledge: {within: 15m"))


def sha_in_force(town: Town) -> str | None:
    return town.host.engine.state.policy_sha


def test_it_comes_into_force_and_says_who_and_why(make: Make) -> None:
    town = Town(make)
    town.report("r1", "04")
    written = town.activate(lights(), by="Wang", reason="lamps are for roads")
    assert written is not None
    assert answer_to(town.ledger, written) == (True, ms_to_text(town.now_ms), "")
    town.report("r2", "04")
    events = town.out("events", "control")
    assert [event["sha256"] for event in events] == [policy().sha256, lights().sha256]
    assert events[1] == {
        "event": "policy_activated", "at": ms_to_text(town.now_ms), "sha256": lights().sha256,
        "before": policy().sha256, "command_id": written.command.command_id, "reason": "lamps are for roads",  # type: ignore[union-attr]
        "by": {"role": "policy_approver", "person": "Wang"},
    }  # fmt: skip
    assert "reason" not in events[0]
    assert [incident["decision"]["route"] for incident in town.out("incidents")] == [None, "lamp"]


def test_the_policy_in_force_is_not_written_again(make: Make) -> None:
    town = Town(make)
    town.host.catch_up()
    assert town.activate(policy()) is None
    assert town.ledger.appended(CONTROL) == 1
    town.activate(lights())
    assert town.activate(lights(), expects=lights().sha256) is None
    assert town.ledger.appended(CONTROL) == 2


def test_what_waits_counts_as_in_force(make: Make) -> None:
    """Nothing has been worked through yet: not even the first policy."""
    town = Town(make)
    assert standing(town.ledger)[:2] == (policy().sha256, 1)
    first = activate(town.ledger, lights())
    assert first is not None
    assert first.command is not None
    assert (first.command.expects, first.command.number) == (policy().sha256, 2)
    assert activate(town.ledger, lights()) is None
    second = activate(town.ledger, slow(), expects=lights().sha256[:8])
    assert second is not None
    assert answer_to(town.ledger, second) is None
    assert [made.outcome for made in enactments(town.ledger)] == ["waiting"] * 3
    town.host.catch_up()
    assert sha_in_force(town) == slow().sha256
    assert answer_to(town.ledger, first) is not None
    assert town.out("rejected") == []
    assert standing(town.ledger) == (slow().sha256, 3, ())


def test_another_policy_in_force_than_expected_writes_nothing(make: Make) -> None:
    town = Town(make)
    town.activate(lights())
    with pytest.raises(Stale) as stale:
        activate(town.ledger, slow(), expects=policy().sha256)
    assert stale.value.in_force == lights().sha256
    assert town.ledger.appended(CONTROL) == 2
    assert town.ledger.newest("policies", slow().sha256) is None


def test_two_at_once_the_later_is_stale_and_the_history_says_so(make: Make) -> None:
    town = Town(make)
    town.host.catch_up()
    other = make(lambda: town.now_ms) if make.path else town.ledger
    now = standing(town.ledger)
    written = activate(other, lights(), by="Wang")
    assert written is not None
    assert written.command is not None
    late = {
        "command_id": "late", "command": "activate", "sha256": slow().sha256, "expects": now.sha256, "number": 2,
        "actor": {"role": "policy_approver", "person": "Zhao"}, "reason": "mine",
    }  # fmt: skip
    town.ledger.put("policies", slow().sha256, slow().canonical)
    town.at("2026-03-05 15:01").send(CONTROL, late)
    assert sha_in_force(town) == lights().sha256
    history = enactments(town.ledger)
    assert [made.outcome for made in history] == ["replaced", "in_force", "refused"]
    assert (history[2].by, history[2].reason, history[2].sha256) == ("Zhao", "mine", slow().sha256)
    assert lights().sha256 in history[2].detail
    refused = written._replace(offset=2, seq=town.ledger.follow(CONTROL, -1, 10)[2].seq)
    answer = answer_to(town.ledger, refused)
    assert answer is not None
    assert not answer.accepted


def test_a_command_that_arrives_again_after_a_rollback_is_refused(make: Make) -> None:
    town = Town(make)
    town.activate(lights())
    again = town.ledger.follow(CONTROL, -1, 10)[1].value
    assert again is not None
    town.activate(policy())  # what the first command expected is in force once more
    town.ledger.append([Entry(CONTROL, again)])
    town.host.catch_up()
    assert sha_in_force(town) == policy().sha256
    (refused,) = town.out("rejected")
    assert (refused["reason"], refused["detail"]) == ("stale", "this was to be command 2; 3 have been taken")


@pytest.mark.parametrize("step", ["put:before", "put:after", "append:before", "append:after"])
def test_whoever_dies_between_the_two_writes_tries_again(step: str) -> None:
    deaths: list[str] = []

    def on_step(name: str) -> None:
        if name in deaths:
            deaths.remove(name)
            raise Died(name)

    town = Town(lambda clock: MemoryLedger(clock, on_step))
    town.host.catch_up()
    deaths.append(step)
    with pytest.raises(Died):
        activate(town.ledger, lights(), by="Wang")
    assert not deaths
    town.host.catch_up()
    assert sha_in_force(town) == (lights() if step == "append:after" else policy()).sha256
    assert (town.activate(lights(), by="Wang") is None) == (step == "append:after")
    assert sha_in_force(town) == lights().sha256
    assert [made.outcome for made in enactments(town.ledger)] == ["replaced", "in_force"]
    assert town.out("rejected") == []


def test_a_record_that_is_no_command_is_told_and_changes_nothing(make: Make) -> None:
    town = Town(make)
    town.ledger.append([Entry(CONTROL, b"{broken"), Entry(CONTROL, b"\xff")])
    assert [made.outcome for made in enactments(town.ledger)] == ["waiting"] * 3
    town.host.catch_up()
    town.activate(lights())
    assert sha_in_force(town) == lights().sha256
    history = enactments(town.ledger)
    assert sorted(made.outcome for made in history) == ["in_force", "refused", "refused", "replaced"]
    assert {made.sha256 for made in history if made.outcome == "refused"} == {""}


def test_incidents_are_counted_under_the_policy_that_decided_them_first(make: Make) -> None:
    town = Town(make)
    doubtful = town.report("r0", "02", source="satellite")  # waits to be verified
    town.report("r1", "03")
    town.report("r2", "03")
    town.at("2026-03-06 10:00").activate(lights())
    town.report("r3", "04")
    town.update(doubtful, "verify", result="exists")  # decided only now, under the policy it was opened under
    town.at("2026-03-07 10:00").activate(policy())
    town.report("r4", "03")
    history = enactments(town.ledger)
    assert [(made.sha256, made.incidents, made.outcome) for made in history] == [
        (policy().sha256, 3, "replaced"),
        (lights().sha256, 1, "replaced"),
        (policy().sha256, 1, "in_force"),
    ]
    assert [made.name for made in history] == ["squares"] * 3
    assert sum(made.incidents for made in history) == len(town.out("incidents"))


def test_an_open_incident_goes_on_under_its_own_policy(make: Make) -> None:
    """Timers and updates: the old one breaches after five minutes, the new one after fifteen; also after a restart."""
    town = Town(make)
    old = town.report("r1", "03")
    town.at("2026-03-05 15:01").activate(slow())
    new = town.report("r2", "03", cell="T2C1")
    town.restart()
    town.pass_time("2026-03-05 15:06")
    town.pass_time("2026-03-05 15:17")
    breached = {}
    for name, incident_id in (("old", old), ("new", new)):
        targets = town.incident(incident_id)["targets"]
        acknowledge = next(t for t in targets if t["name"] == "acknowledge" and t["of"] == "gas")
        breached[name] = acknowledge["breached_at"]
    assert breached == {
        "old": ms_to_text(local("2026-03-05 15:05")),
        "new": ms_to_text(local("2026-03-05 15:16")),
    }
    for incident_id in (old, new):
        town.update(incident_id, "acknowledge")
    assert town.incident(old)["decision"]["policy"] == policy().sha256
    assert town.incident(new)["decision"]["policy"] == slow().sha256


def test_departments_that_a_candidate_no_longer_has(make: Make) -> None:
    town = Town(make)
    town.report("r1", "03")  # gas leads, fire and street help
    closed = town.report("r2", "03", cell="T2C1")
    town.update(closed, "void", reason_code="test")
    without = changed(
        ("  fire: {en: Fire brigade}\n", ""),
        ("{dept: fire, role: rescue, attend: 15m, required: true}, ", ""),
    )
    assert lost_departments(town.ledger, without) == [Lost("fire", 1, len(town.out("dept.fire")))]
    assert len(town.out("dept.fire")) == 3
    assert lost_departments(town.ledger, lights()) == []


def test_the_end_of_what_was_put_out(make: Make) -> None:
    town = Town(make)
    assert end_of(town.ledger) == -1
    for n in range(9):
        town.report(f"r{n}", "03")
        assert end_of(town.ledger) == town.ledger.follow("*", -1, 10_000)[-1].seq


def test_an_answer_is_found_behind_what_was_there_before(make: Make) -> None:
    town = Town(make)
    town.send("reports", {"nonsense": True})
    end = end_of(town.ledger)
    written = activate(town.ledger, lights())
    assert written is not None
    assert answer_to(town.ledger, written, end) is None
    town.host.catch_up()
    answer = answer_to(town.ledger, written, end)
    assert answer is not None
    assert answer.accepted
    assert orjson.loads(town.ledger.newest("state", "policy") or b"") == lights().sha256
