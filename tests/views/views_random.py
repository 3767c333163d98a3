"""Random lives of incidents, on a coarse grid of minutes so that equal instants happen often."""

import random

from views_cases import ENDED, MINUTE_MS, START_MS, Life

from dispatcher.core import IncidentState


def random_life(rng: random.Random, n: int) -> Life:
    """A life of random turns on a coarse grid of minutes, so that equal instants happen often."""
    at_ms = START_MS + rng.randrange(600) * MINUTE_MS
    life = Life(
        f"20260921-000-{n:05d}",
        at_ms,
        source=rng.choice(["hotline", "ai_video"]),
        category=rng.choice(["03.02", "03.01", "07", None]),
        path=rng.choice([("1", "105"), ("1", "106"), ("2", "201"), ()]),
        severity=rng.randint(1, 4),
        promised_ms=rng.choice([None, at_ms + rng.randrange(300) * MINUTE_MS]),
        lonlat=rng.choice([None, (rng.uniform(114.0, 114.5), rng.uniform(30.4, 30.8))]),
    )
    life.paused_ms = 0
    turns = rng.choice([0, 2, 4, 6, 9, 40])
    for _ in range(turns):
        if life.record.state in ENDED:
            break
        at_ms = max(at_ms, life.now_ms) + rng.choice([0, 1, 5, 10, 60]) * MINUTE_MS
        due_ms = life.running_due_ms
        if due_ms is not None and due_ms < at_ms:
            life.breach()
        _turn(rng, life, at_ms, easy=turns < 40)
    due_ms = life.running_due_ms
    if due_ms is not None and due_ms < START_MS + 900 * MINUTE_MS:
        life.breach()
    return life


def _turn(rng: random.Random, life: Life, at_ms: int, *, easy: bool) -> None:
    state, luck = life.record.state, rng.random()
    department = rng.choice(["fire", "gas", "water"])
    unit = rng.choice([None, "1"])
    if state is IncidentState.RECEIVED:
        if luck < 0.1:
            life.end(at_ms, IncidentState.NOT_ACCEPTED, "report")
        elif luck < 0.15:
            life.end(at_ms, IncidentState.SELF_HANDLED, "self_handled")
        elif luck < 0.2:
            life.end(at_ms, IncidentState.VOIDED)
        else:
            life.dispatch(
                at_ms, department, rng.choice([None, 10, 30, 60, 120]) and rng.randrange(1, 25) * 5 * MINUTE_MS, unit
            )
    elif luck < (0.05 if easy else 0.005):
        life.end(at_ms, IncidentState.VOIDED)
    elif not easy and luck > 0.8:
        life.note(at_ms)
    elif luck < 0.1:
        life.merge(at_ms, f"m{at_ms}-{rng.randrange(10**9)}")
    elif state is IncidentState.DISPATCHED:
        if luck < 0.25:
            life.give_back(at_ms)
        elif luck < 0.35:
            life.reassign(at_ms, department, unit)
        else:
            life.acknowledge(at_ms)
    elif state is IncidentState.RETURNED:
        life.reassign(at_ms, department, unit)
    elif state is IncidentState.HANDLING:
        if luck < 0.2:
            life.reassign(at_ms, department, unit)
        else:
            life.done(at_ms)
    else:
        life.check(at_ms, luck > (0.4 if easy else 0.75), rng.choice([None, "wrong_photo"]))


def random_lives(seed: int, count: int) -> list[Life]:
    rng = random.Random(seed)
    return [random_life(rng, n) for n in range(count)]
