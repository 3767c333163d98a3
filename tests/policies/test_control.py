"""Commands of every kind share one numbering and one history: what waits, what is refused, what is told of each."""

from typing import Any

import orjson

from dispatcher.core import CONTROL, ms_to_text, text_to_ms
from dispatcher.core.control import EndMode, Outage, RerouteOpen, SetMode
from dispatcher.ledger import Entry, MemoryLedger
from dispatcher.policies.activation import activate
from dispatcher.policies.control import answer_to, modes_held, standing, write
from dispatcher.policies.history import enactments
from dispatcher.policies.past import Activated, past_events
from tests.policies.past_city import Town, changed, policy

HOUR_MS = 3_600_000
EMERGENCY = ("modes: [normal]", "modes: [normal, emergency]")


def set_mode(town: Town, number: int, **fields: Any) -> SetMode:
    until = ms_to_text(town.now_ms + HOUR_MS)
    return convert(SetMode, command_id=f"storm-{number}", number=number, mode="emergency", until=until, **fields)


def convert(kind: type, **fields: Any) -> Any:
    import msgspec

    return msgspec.convert({"command": kind.__struct_config__.tag, **fields}, kind)


def test_every_kind_of_command_has_the_next_number_and_an_answer() -> None:
    town = Town(first=changed(EMERGENCY))
    town.host.catch_up()
    town.report("r", "03")
    hour_ago, now = ms_to_text(town.now_ms - HOUR_MS), ms_to_text(town.now_ms)
    for make in (
        lambda n: set_mode(town, n, cells=["T1"], reason="storm"),
        lambda n: convert(RerouteOpen, command_id=f"reroute-{n}", number=n),
        lambda n: convert(EndMode, command_id=f"end-{n}", number=n, mode_id="storm-2"),
        lambda n: convert(Outage, command_id=f"outage-{n}", number=n, since=hour_ago, until=now),
    ):
        number = standing(town.ledger).number + 1
        written = write(town.ledger, make(number))
        assert answer_to(town.ledger, written) is None
        assert standing(town.ledger)[1:] == (number, (written,))
        town.host.catch_up()
        assert answer_to(town.ledger, written) == (True, now, "")
        assert standing(town.ledger)[1:] == (number, ())
    told = [event["event"] for event in town.out("events", "control")]
    assert told == ["policy_activated", "mode_set", "reroute_begun", "reroute_ended", "mode_ended", "outage"]


def test_a_command_that_arrives_twice_is_taken_once() -> None:
    town = Town(first=changed(EMERGENCY))
    town.host.catch_up()
    first = write(town.ledger, set_mode(town, 2))
    second = write(town.ledger, set_mode(town, 2))
    town.host.catch_up()
    assert second.offset == first.offset + 1
    refused = answer_to(town.ledger, second)
    assert refused is not None
    assert (refused.accepted, refused.detail) == (False, "this was to be command 2; 2 have been taken")
    assert answer_to(town.ledger, first) == (True, ms_to_text(town.now_ms), "")
    assert [span.mode_id for span in modes_held(town.ledger)] == ["storm-2"]


def test_modes_that_hold_are_read_from_the_ledger() -> None:
    town = Town(first=changed(EMERGENCY))
    assert modes_held(town.ledger) == []
    town.host.catch_up()
    write(town.ledger, set_mode(town, 2, cells=["T1C0", "T2"], reason="storm"))
    town.host.catch_up()
    (span,) = modes_held(town.ledger)
    assert (span.mode, span.cells, span.reason) == ("emergency", ("T1C0", "T2"), "storm")
    assert (span.since_ms, span.until_ms) == (town.now_ms, town.now_ms + HOUR_MS)
    town.pass_time("2026-03-05 16:01")
    assert modes_held(town.ledger) == []


def test_commands_of_other_kinds_count_for_what_waits() -> None:
    """Nothing has been worked through: an activation behind a mode that waits has the number behind it."""
    town = Town(first=changed(EMERGENCY))
    write(town.ledger, set_mode(town, 2))
    town.ledger.append([Entry(CONTROL, b"{broken")])
    assert standing(town.ledger).number == 2
    written = activate(town.ledger, policy())
    assert written is not None
    assert written.command is not None
    assert written.command.number == 3
    town.host.catch_up()
    assert town.host.engine.state.policy_sha == policy().sha256
    assert standing(town.ledger) == (policy().sha256, 3, ())


def test_before_the_first_policy_nothing_else_counts() -> None:
    ledger = MemoryLedger(lambda: text_to_ms("2026-03-05T00:00:00Z"))
    ledger.append([Entry(CONTROL, orjson.dumps({"command": "reroute_open", "command_id": "early"}))])
    assert standing(ledger)[:2] == (None, 0)


def test_the_history_of_policies_is_not_that_of_modes() -> None:
    town = Town(first=changed(EMERGENCY))
    town.host.catch_up()
    write(town.ledger, set_mode(town, 2, reason='"event":"policy_activated"'))
    write(town.ledger, set_mode(town, 2))  # refused
    town.host.catch_up()
    town.report("r", "03")
    town.activate(policy(), by="Wang")
    write(town.ledger, set_mode(town, 4))  # waits
    assert [made.outcome for made in enactments(town.ledger)] == ["replaced", "in_force"]
    activated = [event for event in past_events(town.ledger, ()) if isinstance(event, Activated)]
    assert [event.sha256 for event in activated] == [changed(EMERGENCY).sha256, policy().sha256]
