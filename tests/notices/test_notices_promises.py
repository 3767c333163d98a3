"""What the follower promises whatever happens: at least once, in order, and nothing personal kept or said."""

import logging
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from notices_cases import HOUR_MS, MINUTE_MS, NOON_MS, VOICE, City, Clock, record, settings, to_reporter
from notices_follows import Follows
from notices_servers import mail_server
from prometheus_client import generate_latest

from dispatcher.ledger import Died, MemoryLedger, SqliteLedger
from dispatcher.notices import Delivered, Failed, Follower, NoticeCounters, Outbox, open_channels


@pytest.fixture
def follows(tmp_path: Path):
    made = Follows(tmp_path / "city.db.notices")
    yield made
    made.outbox.close()


@pytest.mark.parametrize("seed", range(25))
def test_at_least_once_and_in_order_whatever_happens(seed: int, tmp_path: Path) -> None:
    """Deaths between delivering and writing, failures, waves of notices: nothing lost, order kept, twice only then."""
    random = Random(seed)
    follows = Follows(tmp_path / "outbox", attempts_max=100, quiet_from="00:00", quiet_until="00:00")
    deaths = 0

    def dies(_step: str) -> None:
        if random.random() < 0.15:
            raise Died

    now_ms, n = NOON_MS, 0
    told: list[tuple[str, int]] = []
    for turn in range(60):
        now_ms += random.choice([1_000, 30_000, MINUTE_MS, HOUR_MS])
        if turn < 30:
            rows = []
            for _ in range(random.randrange(5)):
                n += 1
                rows.append(record(n, random.choice("abc"), now_ms, severity=random.randint(1, 4)))
            follows.city.put_out(rows, now_ms)
        follows.desk.answers = [random.choice([Delivered(), Failed("x", True), ValueError()]) for _ in range(4)]
        follows.desk.messages, follows.clock.now_ms = [], now_ms
        follows.follower = follows.make(dies if turn < 50 else None)
        try:
            follows.follower.turn(follows.clock)
        except Died:
            deaths += 1
            follows.outbox.close()
            follows.outbox = Outbox(follows.path)
        told += [(m.to, int(x.notice_id.rpartition(":")[2])) for m in follows.desk.messages for x in m.notices]
    follows.desk.answers = []
    for _ in range(3):
        now_ms += HOUR_MS
        follows.follower = follows.make()
        follows.at(now_ms)
        told += [(m.to, int(x.notice_id.rpartition(":")[2])) for m in follows.desk.messages for x in m.notices]
    assert {number for _, number in told} == set(range(1, n + 1))
    assert set(follows.statuses().values()) <= {"delivered"}
    for to in "abc":
        firsts = list(dict.fromkeys(number for whom, number in told if whom == to))
        assert firsts == sorted(firsts)
    again = sum(count - 1 for count in Counter(told).values())
    assert again == 0 or deaths


def test_dying_between_delivering_and_writing_delivers_again(follows: Follows) -> None:
    def dies(step: str) -> None:
        raise Died(step)

    follows.city.put_out([record(1, severity=1)])
    follows.follower = follows.make(dies)
    with pytest.raises(Died, match="attempted:delivered"):
        follows.follower.turn(follows.clock)
    assert follows.statuses() == {1: "waiting"}
    follows.follower = follows.make()
    follows.follower.turn(follows.clock)
    assert follows.desk.told() == [[1], [1]]


MARKERS = {"name": "Planted Person", "phone": "13800138000", "email": "planted.person@example.org"}


def test_nothing_personal_is_kept_or_logged(tmp_path: Path, caplog) -> None:
    """Planted in the contact, in fields that are not ours, in the reason, and in what the mail server answers."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "outbox"
    with mail_server() as server:
        made = settings(
            channels={"mail": {"kind": "smtp", "host": "127.0.0.1", "port": server.port, "starttls": False,
                               "sender": "dispatch@city.example"}},
            routes=[{"to": "report:*", "channel": "mail"}],
        )  # fmt: skip
        city, outbox, counters, clock = City(), Outbox(path), NoticeCounters(), Clock()
        city.reporter("r1", **MARKERS)
        city.reporter("r2", **MARKERS, anonymous=True)
        city.reporter("r3", name=MARKERS["name"], phone=MARKERS["phone"])
        city.reporter("r4", **{**MARKERS, "email": "planted.person@example.org\r\nBcc: x@example.org"})
        city.ledger.put("reporters", "hotline/r5", b"{not json planted.person")
        reports = [to_reporter(n, f"r{n}") | {"reporter": MARKERS, "text": str(MARKERS)} for n in range(1, 7)]
        office = record(9, severity=1, reason=f"says {MARKERS['phone']} {MARKERS['email']}", reporter=MARKERS)
        city.put_out([*reports, office])
        follower = Follower(city.ledger, outbox, open_channels(made), made, VOICE, counters=counters)
        server.refuse = {"RCPT": 450}
        follower.turn(clock)
        server.refuse = {}
        clock.now_ms += HOUR_MS
        follower.turn(clock)
        details = {row.notice.to: (str(row.status), row.detail) for row in outbox.listed()}
    assert details == {
        "report:hotline/r1": ("delivered", None),
        "report:hotline/r2": ("unreachable", "anonymous"),
        "report:hotline/r3": ("unreachable", "no e-mail"),
        "report:hotline/r4": ("unreachable", "no e-mail"),
        "report:hotline/r5": ("unreachable", "contact unreadable"),
        "report:hotline/r6": ("unreachable", "no contact"),
        "gas-company": ("delivered", None),
    }
    assert server.recipients == ["TO:<planted.person@example.org>"]
    metric = generate_latest(counters.registry).decode()
    assert 'dispatch_notices_total{channel="mail",outcome="unreachable",template="accepted"} 5.0' in metric
    outbox.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    (mail,) = server.mails
    for marker in MARKERS.values():
        assert marker.encode() not in kept
        assert marker not in caplog.text
        assert marker not in mail["Subject"] + mail.get_content() + metric
    assert b"gas-company" in kept


def test_memory_ledger_is_what_the_sqlite_one_is(tmp_path: Path) -> None:
    told = []
    for ledger in (MemoryLedger(lambda: NOON_MS), SqliteLedger(tmp_path / "city.db", clock=lambda: NOON_MS)):
        follows = Follows(tmp_path / f"{type(ledger).__name__}.notices", City(ledger))
        follows.city.put_out([record(n, severity=n % 3 + 1) for n in range(1, 5)])
        told.append([follows.at(NOON_MS), follows.at(NOON_MS + HOUR_MS), follows.statuses()])
        follows.outbox.close()
        ledger.close()
    assert told[0] == told[1]
