import random

import pytest
from views_cases import ENDED, START_MS, Life
from views_city import City, dump, of
from views_random import random_lives

from dispatcher.views import Cohort, Projection, events_of, history, incident, incidents_of_report, measure, reached

# --- the same whatever happens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_batches_make_no_difference(city, batch):
    assert dump(of(city, batch)) == dump(of(city))


def test_followed_as_it_grows_and_rebuilt_at_the_end_are_the_same(lives):
    city, view = City(), Projection(":memory:")
    rng = random.Random(3)
    for first in range(0, len(lives), 10):
        city.publish(lives[first : first + 10], per_commit=rng.randint(1, 30))
        if rng.random() < 0.7:
            view.catch_up(city.ledger, rng.randint(1, 50))
    view.catch_up(city.ledger)
    assert dump(view) == dump(of(city))
    assert view.catch_up(city.ledger) == 0


def test_a_deleted_file_is_rebuilt_and_an_existing_one_goes_on(city, tmp_path):
    path = tmp_path / "views.db"
    first = Projection(path)
    applied = first.catch_up(city.ledger)
    whole = dump(first)
    first.close()
    again = Projection(path)
    assert again.catch_up(city.ledger) == 0
    assert dump(again) == whole
    again.close()
    path.unlink()
    rebuilt = Projection(path)
    assert rebuilt.catch_up(city.ledger) == applied
    assert dump(rebuilt) == whole


def test_applying_records_again_changes_nothing(city):
    view = of(city)
    whole = dump(view)
    view.db.execute("UPDATE position SET seq = -1 WHERE topic IN ('incidents', 'rejected')")
    assert view.catch_up(city.ledger) > 0
    assert dump(view) == whole


def test_an_older_revision_never_replaces_a_newer_one(lives):
    life = next(life for life in lives if life.record.revision > 5)
    values = [value for _, topic, _, value in life.outputs if topic == "events"]
    city, view = City(), Projection(":memory:")
    for value in [values[-1], values[1]]:
        city.commit([], {("incidents", life.record.incident_id): value}, START_MS)
        view.catch_up(city.ledger)
    found = incident(view, life.record.incident_id)
    assert found is not None
    assert found.revision == life.record.revision


# --- ended incidents stay ----------------------------------------------------------------------------------------


def test_a_tombstone_takes_nothing_away(lives):
    city = City()
    city.publish(lives)
    before = of(city)
    ended = [life.record.incident_id for life in lives if life.record.state in ENDED]
    city.drop(ended, START_MS + 10**9)
    assert before.catch_up(city.ledger) == len(ended)
    rebuilt = of(city)
    ours, theirs = dump(before), dump(rebuilt)
    assert ours == theirs
    assert len(ours["incident"]) == len(lives)
    assert measure(before, Cohort(before.latest_ms)) == measure(rebuilt, Cohort(before.latest_ms))
    assert all(incident(rebuilt, incident_id) for incident_id in ended)


def test_pages_that_arrive_after_the_incident_complete_its_history():
    life = next(life for life in random_lives(11, 400) if life.record.history_pages >= 2 and life.record.counts)
    incident_id = life.record.incident_id
    whole, split = City(), City()
    whole.publish([life])
    pages = [("archive", incident_id, at_ms, value) for at_ms, value in life.archived]
    newest = [value for _, topic, _, value in life.outputs if topic == "events"][-1]
    split.commit([], {("incidents", incident_id): newest}, START_MS)
    view = of(split)
    found = history(view, incident_id)
    assert found is not None
    assert not found.complete
    assert found.entries == life.history[len(life.history) - len(life.record.history) :]
    for page in reversed(pages):
        split.commit([page], {})
        view.catch_up(split.ledger)
    assert history(view, incident_id) == (life.history, True)
    assert dump(view)["spell"] == dump(of(whole))["spell"] != []


def test_every_report_of_a_large_incident_is_found():
    life = Life("20260921-000-00001", START_MS, report_id="first")
    for n in range(45):
        life.merge(START_MS + n, f"m{n}")
    assert len(life.record.reports) == 20
    city = City()
    city.publish([life])
    view = of(city)
    for report_id in ["first", *(f"m{n}" for n in range(45))]:
        assert incidents_of_report(view, "hotline", report_id) == ["20260921-000-00001"]


def test_events_are_read_at_their_places_and_none_is_missed(city, lives):
    view = of(city)
    told = city.ledger.follow("events", -1, 1 << 30)
    for life in lives:
        key = life.record.incident_id
        assert list(events_of(view, city.ledger, key)) == [kept for kept in told if kept.key == key]
    assert list(events_of(view, city.ledger, "nobody")) == []
    assert reached(view, "events", 0, told[-1].seq)
    assert not reached(view, "events", 0, told[-1].seq + 1)
    assert not reached(view, "events", 1, 0)
