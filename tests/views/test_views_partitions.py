"""A ledger of several partitions: each has a place of its own, and in which order they are followed changes nothing."""

import random
from collections import defaultdict
from zlib import crc32

import pytest
from views_city import City, dump, of
from views_random import random_lives

from dispatcher.ledger import Kept
from dispatcher.views import FOLLOWED, Lane, Portion, Projection, event_places, private_of_report

PARTITIONS = 3
BESIDE = {"position", "ledger", "event"}  # where something lies: of these lanes, or of the one the other has


@pytest.fixture(scope="module")
def city() -> City:
    made = City()
    made.publish(random_lives(7, 120))
    return made


@pytest.fixture(scope="module")
def lanes(city: City) -> dict[Lane, list[Kept]]:
    """The same records as a cluster would hold them: by incident, with holes between the offsets of each partition."""
    found: dict[Lane, list[Kept]] = defaultdict(list)
    for topic in FOLLOWED:
        for kept in city.ledger.follow(topic, -1, 1 << 30):
            lane = found[topic, crc32(kept.key.encode()) % PARTITIONS]
            lane.append(kept._replace(seq=2 * len(lane) + 1))
    return found


def rows(view: Projection) -> dict[str, list[tuple]]:
    return {name: found for name, found in dump(view).items() if name not in BESIDE}


def portions(lanes: dict[Lane, list[Kept]], places: dict[Lane, int], chance: random.Random) -> list[Portion]:
    """The next of some partitions."""
    found = []
    for lane, records in lanes.items():
        after = places.get(lane, -1)
        rest = [record for record in records if record.seq > after][: chance.randrange(40)]
        if rest:
            found.append(Portion(*lane, after, rest))
    chance.shuffle(found)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_order_partitions_are_followed_the_rows_are_the_same(city, lanes, seed, tmp_path):
    chance, path = random.Random(seed), tmp_path / "views.db"
    total = sum(map(len, lanes.values()))
    while total:
        view = Projection(path)  # each time as a process that was started again
        places = view.begin("a ledger")
        for _ in range(chance.randrange(1, 5)):
            coming = portions(lanes, places, chance)
            applied = view.apply(coming)
            assert applied == sum(len(portion.kept) for portion in coming)
            total -= applied
            places |= {(topic, partition): kept[-1].seq for topic, partition, _, kept in coming}
        view.close()
    followed = Projection(path)
    assert rows(followed) == rows(of(city))
    for lane, records in lanes.items():
        if lane[0] == "events":  # each found at its place
            for key in {record.key for record in records}:
                at = [record.seq for record in records if record.key == key]
                assert [seq for partition, seq in event_places(followed, key) if partition == lane[1]] == at


def test_what_another_has_applied_is_left_out(lanes):
    view = Projection(":memory:")
    view.begin("a ledger")
    lane, records = next(iter(lanes.items()))
    assert view.apply([Portion(*lane, -1, records[:5])]) == 5
    whole = dump(view)
    assert view.apply([Portion(*lane, -1, records[:9]), Portion(*lane, records[0].seq, records[1:9])]) == 0
    assert dump(view) == whole
    assert view.apply([Portion(*lane, records[4].seq, records[5:9])]) == 4


def test_what_is_private_can_be_read_again_and_nothing_else_is(lanes):
    view = Projection(":memory:")
    view.begin("a ledger")
    lane, records = next(iter(lanes.items()))
    view.apply([Portion(*lane, -1, records), Portion("reporters", 1, -1, [Kept(5, "app/1", 1, b'{"name":"Li"}')])])
    others = {name: found for name, found in rows(view).items() if name != "private"}
    assert private_of_report(view, "app", "1") is not None
    view.forget_private()
    assert private_of_report(view, "app", "1") is None
    assert {name: found for name, found in rows(view).items() if name != "private"} == others
    assert view.begin("a ledger") == {lane: records[-1].seq}


def test_a_file_goes_on_in_its_own_ledger_only(city, lanes, tmp_path):
    view = Projection(tmp_path / "views.db")
    view.begin("a ledger")
    lane, records = next(iter(lanes.items()))
    view.apply([Portion(*lane, -1, records)])
    assert view.begin("a ledger") == {lane: records[-1].seq}
    for again in (lambda: view.begin("another"), lambda: view.begin("another", anew=True)):
        assert again() == {}
        assert not any(rows(view).values())
        view.apply([Portion(*lane, -1, records)])
    view.catch_up(city.ledger)  # a ledger in a file or in memory, which has no mark
    assert rows(view) == rows(of(city))
    assert view.begin("another") == {}
