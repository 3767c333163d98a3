"""What every ledger promises, asked of every driver."""

import pytest
from ledger_drivers import DRIVERS, EMBEDDED, Driver, outcome

from dispatcher.core import Position
from dispatcher.ledger import Entry, Fenced, Offset


@pytest.fixture(params=DRIVERS)
def driver(request, tmp_path):
    broker = request.getfixturevalue("broker") if request.param == "kafka" else None
    driver = Driver(request.param, tmp_path, broker)
    yield driver
    driver.close()


@pytest.fixture(params=EMBEDDED)
def embedded(request, tmp_path):
    """Those whose inputs lie in one order and are dated by a clock of ours."""
    driver = Driver(request.param, tmp_path)
    yield driver
    driver.close()


@pytest.fixture
def ledger(driver):
    return driver.ledger


def everything(ledger):
    """All a ledger would tell anybody."""
    topics = [topic for topic in ledger.topics() if topic != "work"]  # on Kafka, what the inputs become
    one_order = (ledger.follow("*", -1, 1_000), ledger.read(0, -1, 1_000)) if hasattr(ledger, "read") else ()
    return (
        topics,
        {topic: ledger.appended(topic) for topic in topics},
        {topic: ledger.follow(topic, -1, 1_000) for topic in topics},
        one_order,
        ledger.position(0),
        [sorted(part) for part in ledger.restore(0)],
    )


def test_a_new_ledger_is_empty(ledger):
    assert ledger.position(0) == Position(-1, 0)
    assert [topic for topic in ledger.topics() if topic != "work"] == []
    assert ledger.appended("reports") == 0
    assert ledger.newest("incidents", "a") is None
    assert [list(part) for part in ledger.restore(0)] == [[], []]


def test_a_new_ledger_has_nothing_to_read(embedded):
    assert embedded.ledger.read(0, -1, 10) == []


def test_inputs_keep_one_order_over_all_topics_and_an_offset_each(embedded):
    ledger = embedded.ledger
    ledger.append([Entry("reports", b"r0", "k"), Entry("updates", b"u0"), Entry("reports", b"r1")])
    ledger.append([])
    ledger.append([Entry("updates", b"u1"), Entry("clock", b"")])
    records = ledger.read(0, -1, 100)
    assert [(r.topic, r.partition, r.offset, r.key, r.value) for r in records] == [
        ("reports", 0, 0, "k", b"r0"),
        ("updates", 0, 0, None, b"u0"),
        ("reports", 0, 1, None, b"r1"),
        ("updates", 0, 1, None, b"u1"),
        ("clock", 0, 0, None, b""),
    ]
    assert [r.seq for r in records] == sorted({r.seq for r in records})
    assert {topic: ledger.appended(topic) for topic in ("reports", "updates", "clock", "control")} == {
        "reports": 2, "updates": 2, "clock": 1, "control": 0,
    }  # fmt: skip


def test_read_goes_on_after_a_place_and_is_short_only_at_the_end(embedded):
    ledger = embedded.ledger
    ledger.append([Entry("reports", bytes([n])) for n in range(5)])
    first = ledger.read(0, -1, 2)
    rest = ledger.read(0, first[-1].seq, 2)
    last = ledger.read(0, rest[-1].seq, 2)
    assert [r.value for r in first + rest + last] == [bytes([n]) for n in range(5)]
    assert len(last) == 1
    assert ledger.read(0, last[-1].seq, 2) == []


@pytest.mark.parametrize(
    ("clock_ms", "given_ms", "dated_ms"),
    [
        (5_000, [None], [5_000]),
        (5_000, [7_000, None], [7_000, 7_000]),  # the clock stands behind a time that was given: it waits
        (5_000, [6_000, 2_000, 6_500], [6_000, 6_000, 6_500]),  # nothing is dated before its predecessor
        (100, [None, 50], [1_000, 1_000]),  # a clock set back between two appends
    ],
)
def test_time_is_the_greatest_of_given_or_clock_and_what_came_before(embedded, clock_ms, given_ms, dated_ms):
    embedded.ledger.append([Entry("reports", b"first")])
    embedded.clock.now_ms = clock_ms
    embedded.ledger.append([Entry("reports", b"r", None, time_ms) for time_ms in given_ms])
    assert [r.time_ms for r in embedded.ledger.read(0, -1, 100)] == [1_000, *dated_ms]


def test_time_does_not_go_back_over_a_restart(embedded):
    embedded.ledger.append([Entry("reports", b"a", None, 9_000)])
    embedded.clock.now_ms = 10
    ledger = embedded.reopen()
    ledger.append([Entry("reports", b"b"), Entry("updates", b"c", None, 1)])
    assert [r.time_ms for r in ledger.read(0, -1, 100)] == [9_000, 9_000, 9_000]


def test_an_append_is_whole_or_not_at_all(driver):
    before = everything(driver.ledger)
    with pytest.raises(TypeError):
        driver.ledger.append([Entry("reports", b"a"), Entry("reports", b"b", None, "noon")])  # type: ignore[arg-type]
    assert everything(driver.ledger) == before
    driver.ledger.append([Entry("reports", b"a")])  # and the ledger goes on
    assert driver.ledger.appended("reports") == 1


def test_append_says_where_each_record_lies(ledger):
    entries = [Entry("reports", b"a", "k"), Entry("updates", b"b"), Entry("reports", b"c", "l")]
    assert ledger.append(entries) == [Offset(0, 0), Offset(0, 0), Offset(0, 1)]
    assert ledger.append([]) == []
    assert ledger.append([Entry("updates", b"d", "k"), Entry("reports", b"e")]) == [Offset(0, 1), Offset(0, 2)]


def test_what_was_appended_and_not_committed_waits_for_the_next_owner(embedded):
    embedded.ledger.own(0)
    embedded.ledger.append([Entry("reports", b"a")])
    ledger = embedded.reopen()
    assert [r.value for r in ledger.read(0, ledger.position(0).offset, 10)] == [b"a"]


def test_a_commit_is_seen_whole(driver):
    ledger = driver.ledger
    owner = ledger.own(0)
    done = outcome(
        Position(3, 8_000),
        ("events", "a", b"e0"), ("routed", "a", b"q0"), ("events", "b", b"e1"),
        compacted={("incidents", "a"): b"A", ("state", "serial"): b"S"}, incidents=1,
    )  # fmt: skip
    ledger.commit(owner, done, Position(), {("reporters", "x/1"): b"P"})
    ledger = driver.reopen()
    assert ledger.position(0) == Position(3, 8_000)
    assert [(k.key, k.time_ms, k.value) for k in ledger.follow("events", -1, 10)] == [
        ("a", 8_000, b"e0"), ("b", 8_000, b"e1"),
    ]  # fmt: skip
    assert ledger.newest("incidents", "a") == b"A"
    assert ledger.newest("reporters", "x/1") == b"P"
    assert [list(part) for part in ledger.restore(0)] == [[("serial", b"S")], [("a", b"A")]]
    assert [topic for topic in ledger.topics() if topic != "work"] == [
        "events",
        "incidents",
        "reporters",
        "routed",
        "state",
    ]


def test_an_old_owner_is_refused_and_writes_nothing(ledger):
    old = ledger.own(0)
    new = ledger.own(0)
    assert new.epoch > old.epoch
    before = everything(ledger)
    late = outcome(Position(0, 1), ("events", "a", b"late"), compacted={("incidents", "a"): b"late"}, incidents=1)
    with pytest.raises(Fenced):
        ledger.commit(old, late, Position(), {("reporters", "r"): b"late"})
    assert everything(ledger) == before
    ledger.commit(new, late, Position())
    assert ledger.newest("incidents", "a") == b"late"


def test_nobody_commits_to_a_partition_that_is_nobodys(ledger):
    stranger = ledger.own(0)._replace(partition=7)
    with pytest.raises(Fenced):
        ledger.commit(stranger, outcome(Position(0, 1)), Position())
    assert ledger.position(7) == Position()


@pytest.mark.parametrize("expected", [Position(), Position(4, 8_000), Position(3, 7_999), Position(2, 8_000)])
def test_an_unexpected_position_is_refused_and_nothing_is_written(ledger, expected):
    owner = ledger.own(0)
    ledger.commit(owner, outcome(Position(3, 8_000), ("events", "a", b"e0")), Position())
    before = everything(ledger)
    again = outcome(Position(5, 9_000), ("events", "a", b"again"), compacted={("incidents", "a"): b"again"})
    with pytest.raises(Fenced):
        ledger.commit(owner, again, expected, {("reporters", "r"): b"again"})
    assert everything(ledger) == before


def test_ownership_survives_a_restart_as_an_epoch(driver):
    first = driver.ledger.own(0)
    ledger = driver.reopen()
    assert ledger.own(0).epoch > first.epoch
    with pytest.raises(Fenced):
        ledger.commit(first, outcome(Position(0, 1)), Position())


def test_restore_gives_the_newest_values_without_tombstones(driver):
    ledger = driver.ledger
    owner = ledger.own(0)
    ledger.commit(
        owner,
        outcome(
            Position(0, 1),
            compacted={("incidents", "a"): b"1", ("incidents", "b"): b"1", ("state", "t"): b"1", ("state", "e"): b""},
        ),
        Position(),
    )
    ledger.commit(
        owner,
        outcome(Position(1, 2), compacted={("incidents", "a"): None, ("incidents", "b"): b"2", ("state", "t"): None}),
        Position(0, 1),
    )
    state, incidents = driver.reopen().restore(0)
    assert (sorted(state), sorted(incidents)) == ([("e", b"")], [("b", b"2")])


def test_a_tombstone_is_followed_and_a_key_may_come_back(ledger):
    owner = ledger.own(0)
    ledger.commit(owner, outcome(Position(0, 1), compacted={("incidents", "a"): b"1"}), Position())
    seen = ledger.follow("incidents", -1, 10)
    ledger.commit(owner, outcome(Position(1, 2), compacted={("incidents", "a"): None}), Position(0, 1))
    (dead,) = ledger.follow("incidents", seen[-1].seq, 10)
    assert (dead.key, dead.value) == ("a", None)
    assert ledger.newest("incidents", "a") is None
    ledger.commit(owner, outcome(Position(2, 3), compacted={("incidents", "a"): b"2"}), Position(1, 2))
    (back,) = ledger.follow("incidents", dead.seq, 10)
    assert back.value == ledger.newest("incidents", "a") == b"2"


def test_a_follower_of_a_compacted_topic_misses_no_change(ledger):
    """A new value of the very last row takes a new place, so that whoever has seen that row sees the change."""
    owner = ledger.own(0)
    at = Position()
    after = {"incidents": -1, "state": -1}
    seen: dict[tuple[str, str], bytes | None] = {}
    for n in range(30):
        key = "ab"[n // 2 % 2]
        changes: dict[tuple[str, str], bytes | None] = {("incidents", key): b"%d" % n}
        if n % 3 == 0:
            changes["state", "serial"] = b"%d" % n
        now = Position(n, n)
        ledger.commit(owner, outcome(now, compacted=changes), at)
        at = now
        for topic, place in list(after.items()):
            for kept in ledger.follow(topic, place, 1):
                seen[topic, kept.key] = kept.value
                after[topic] = kept.seq
    assert seen == {("incidents", "a"): b"29", ("incidents", "b"): b"27", ("state", "serial"): b"27"}


def test_follow_keeps_order_goes_on_after_a_place_and_takes_all_topics_of_a_name(embedded):
    ledger = embedded.ledger
    owner = ledger.own(0)
    topics = ("dept.gas", "events", "dept.fire", "dept.gas", "department", "events")
    records = [(topic, "k", b"%d" % n) for n, topic in enumerate(topics)]
    ledger.commit(owner, outcome(Position(0, 5), *records), Position())
    assert [k.value for k in ledger.follow("dept.*", -1, 10)] == [b"0", b"2", b"3"]
    assert [k.value for k in ledger.follow("dept.gas", -1, 10)] == [b"0", b"3"]
    assert [k.value for k in ledger.follow("*", -1, 10)] == [b"%d" % n for n in range(6)]
    first = ledger.follow("dept.*", -1, 1)
    assert [k.value for k in ledger.follow("dept.*", first[0].seq, 10)] == [b"2", b"3"]
    assert ledger.follow("dept.*", ledger.follow("dept.*", -1, 10)[-1].seq, 10) == []


def test_input_topics_are_followed_too(embedded):
    ledger = embedded.ledger
    ledger.append(
        [Entry("reports", b"r0", "k"), Entry("updates", b"u0"), Entry("updates.gas", b"g0"), Entry("clock", b"")]
    )
    ledger.append([Entry("reports", b"r1"), Entry("updates.gas", b"g1")])
    (first, second) = ledger.follow("reports", -1, 10)
    assert [(k.key, k.time_ms, k.value) for k in (first, second)] == [("k", 1_000, b"r0"), ("", 1_000, b"r1")]
    assert ledger.follow("reports", first.seq, 10) == [second]
    assert [k.value for k in ledger.follow("updates*", -1, 10)] == [b"u0", b"g0", b"g1"]
    assert [k.value for k in ledger.follow("updates.*", -1, 1)] == [b"g0"]
    assert [k.value for k in ledger.follow("updates.gas", -1, 10)] == [b"g0", b"g1"]
    assert ledger.follow("*", -1, 10) == []  # what the engine put out: nothing yet


def test_put_sets_a_compacted_value_and_followers_see_it(driver):
    ledger = driver.ledger
    ledger.put("policies", "sha", b"one")
    (kept,) = ledger.follow("policies", -1, 10)
    assert (kept.key, kept.value) == ("sha", b"one")
    assert driver.name == "kafka" or kept.time_ms == 1_000  # a broker has a clock of its own
    ledger.put("policies", "sha", b"two")
    assert [k.value for k in ledger.follow("policies", kept.seq, 10)] == [b"two"]
    assert driver.reopen().newest("policies", "sha") == b"two"
    assert [topic for topic in driver.ledger.topics() if topic != "work"] == ["policies"]
    assert driver.ledger.appended("policies") == 0


def test_a_key_is_its_topics_own(ledger):
    ledger.put("policies", "k", b"p")
    ledger.put("imports", "k", b"i")
    assert (ledger.newest("policies", "k"), ledger.newest("imports", "k")) == (b"p", b"i")
    assert ledger.newest("incidents", "k") is None


def test_everything_is_there_after_a_restart(driver):
    ledger = driver.ledger
    ledger.append([Entry("reports", b"r"), Entry("updates.gas", b"u", "k", 5_000)])
    ledger.put("policies", "sha", b"p")
    ledger.commit(ledger.own(0), outcome(Position(0, 5_000), ("events", "a", b"e")), Position())
    before = everything(ledger)
    assert everything(driver.reopen()) == before


def test_a_topic_is_followed_to_its_end_partition_by_partition(ledger):
    owner = ledger.own(0)
    records = [("events", f"i{n}", b"%d" % n) for n in range(7)] + [("dept.gas", "i1", b"order")]
    ledger.commit(owner, outcome(Position(0, 5), *records), Position())
    found, after = [], -1
    for partition in range(ledger.partitions("events")):
        while page := ledger.follow("events", after, 3, partition):
            found += [kept.value for kept in page]
            after = page[-1].seq
    assert found == [b"%d" % n for n in range(7)]
    assert [kept.value for kept in ledger.follow("dept.gas", -1, 10)] == [b"order"]


def test_from_the_end_only_what_comes_later_is_followed(ledger):
    owner, now = ledger.own(0), Position(0, 5)
    ledger.append([Entry("reports", b"before")])
    before: dict[tuple[str, str], bytes | None] = {("incidents", "a"): b"before"}
    ledger.commit(owner, outcome(now, ("events", "a", b"before"), compacted=before), Position())
    ends = {topic: ledger.end(topic) for topic in ("reports", "events", "incidents", "rejected")}
    assert all(ledger.follow(topic, end, 10) == [] for topic, end in ends.items())
    ledger.append([Entry("reports", b"later")])
    later = [("events", "a", b"later"), ("rejected", "r", b"later")]
    ledger.commit(owner, outcome(Position(1, 6), *later, compacted={("incidents", "b"): b"later"}), now)
    found = {topic: [kept.value for kept in ledger.follow(topic, end, 10)] for topic, end in ends.items()}
    assert found == {topic: [b"later"] for topic in ends}


def test_commands_are_told_in_their_order_each_with_its_offset(ledger):
    assert ledger.commands() == []
    entries = [Entry("reports", b"r"), Entry("control", b"a"), Entry("updates", b"u"), Entry("control", b"b")]
    lie = ledger.append(entries)
    found = ledger.commands()
    assert [(offset, kept.value) for offset, kept in found] == [(lie[1].offset, b"a"), (lie[3].offset, b"b")]
    assert [kept for _, kept in found] == ledger.follow("control", -1, 10)
    assert max(ledger.commanded()) < found[0][1].seq, "both wait"
    lie = ledger.append([Entry("control", b"c")])
    assert [offset for offset, _ in ledger.commands()][2:] == [lie[0].offset]


def test_a_command_that_was_worked_through_waits_no_longer(embedded):
    ledger = embedded.ledger
    ledger.append([Entry("control", b"a"), Entry("reports", b"r"), Entry("control", b"b")])
    owner = ledger.own(0)
    first, second = (kept.seq for _, kept in ledger.commands())
    ledger.commit(owner, outcome(Position(second - 1, 1_000)), Position(-1, 0))
    assert first <= ledger.commanded()[0] < second
    ledger.commit(owner, outcome(Position(second, 1_000)), Position(second - 1, 1_000))
    assert ledger.commanded() == (second,)


def test_what_is_put_out_later_lies_beyond_the_ends(ledger):
    owner = ledger.own(0)
    ledger.commit(owner, outcome(Position(0, 1_000), ("rejected", "a", b"1")), Position(-1, 0))
    ends = ledger.ends("rejected")
    assert len(ends) == ledger.partitions("rejected") == 1
    assert ledger.follow("rejected", ends[0], 10) == []
    ledger.commit(owner, outcome(Position(1, 1_000), ("rejected", "b", b"2")), Position(0, 1_000))
    assert [kept.value for kept in ledger.follow("rejected", ends[0], 10)] == [b"2"]
