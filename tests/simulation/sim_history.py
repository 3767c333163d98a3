"""Seeded histories: what producers send to the city of four squares, good and bad, and when."""

from random import Random

import orjson
from sim_city import SIDE, SOUTH, WEST

from dispatcher.core import CLOCK, REPORTS, UPDATES, ms_to_text, text_to_ms
from dispatcher.ledger import Entry

START_MS = text_to_ms("2026-03-05T15:00:00+08:00")  # a Thursday afternoon: a night and a weekend come soon
PAUSES_S = (0, 0, 1, 20, 90, 600, 2_400, 7_200)  # between two records
BUDGETS_S = (150, 240, 300, 450, 720, 900, 1_800)  # of the targets and their warnings
LONG_PAUSE_S = 14 * 3_600
SPOTS = [(WEST + SIDE * x, SOUTH + SIDE * y) for x, y in ((0.5, 0.5), (0.51, 0.5), (1.0, 0.7), (1.6, 1.2), (5.0, 5.0))]

SYSTEM = {"role": "system"}
DISPATCHER = {"role": "dispatcher", "person": "li"}
CHECKER = {"role": "checker", "person": "wang"}
SUPERVISOR = {"role": "supervisor"}
DEPARTMENTS = ("gas", "fire", "roads", "police", "centre", "street")

_BROKEN = (b"", b"{", b"[]", b'{"report_id":"x"}', b"\xff\xfe", b'{"report_id":7,"source":"hotline"}', b'"text"')


class History:
    """Makes one entry after another, remembering what was reported so that updates can be about it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._now_ms = START_MS
        self._reports: list[tuple[str, str, bytes]] = []  # source, id, message
        self._updates: list[tuple[str, bytes]] = []  # topic, message
        self._reported_ms: list[int] = []
        self._courses: dict[str, list[dict]] = {}  # report id -> what is still to be done about it
        self._number = 0

    def entries(self, count: int) -> list[Entry]:
        """So many records, in the order of their times."""
        return [self._next() for _ in range(count)]

    def _next(self) -> Entry:
        random = self._random
        pause_s = LONG_PAUSE_S if random.random() < 0.04 else random.choice(PAUSES_S)
        self._now_ms += pause_s * 1_000 + random.choice((0, 0, 1, 250))
        if self._reported_ms and random.random() < 0.1:  # at the very instant at which a clock runs out
            due_ms = random.choice(self._reported_ms[-5:]) + random.choice(BUDGETS_S) * 1_000
            self._now_ms = max(self._now_ms - pause_s * 1_000, due_ms)
        self._number += 1
        dice = random.random()
        if dice < 0.20 or not self._reports:
            return self._at(REPORTS, self._new_report())
        if dice < 0.24:
            return self._at(REPORTS, random.choice(self._reports)[2])  # sent again
        if dice < 0.26:
            source, report_id, _ = random.choice(self._reports)
            return self._at(REPORTS, self._report(source, report_id))  # the same id with other content
        if dice < 0.29:
            return self._at(random.choice((REPORTS, UPDATES)), random.choice(_BROKEN))
        if dice < 0.33:
            return self._at(CLOCK, b"")
        if dice < 0.37 and self._updates:
            return self._at(*random.choice(self._updates))  # sent again
        topic, message = self._update()
        self._updates.append((topic, message))
        return self._at(topic, message)

    def _at(self, topic: str, value: bytes) -> Entry:
        return Entry(topic, value, None, self._now_ms)

    def _new_report(self) -> bytes:
        source = self._random.choice(("hotline", "hotline", "app", "camera", "satellite", "stranger"))
        report_id = f"r{self._number}"
        message = self._report(source, report_id)
        if source != "stranger":
            self._reports.append((source, report_id, message))
            self._reported_ms.append(self._now_ms)
        return message

    def _report(self, source: str, report_id: str) -> bytes:
        random = self._random
        late_s = random.choice((0, 0, 0, 60, 3_600, 200_000))
        report = {
            "report_id": report_id,
            "source": source,
            "reported_at": ms_to_text(self._now_ms - late_s * 1_000),
            "category": random.choice(("01", "01", "01", "MANHOLE", "02", "03", "03", "04", "unheard of")),
            "attributes": {"n": self._number},
        }
        self._say_where(report)
        if random.random() < 0.3:
            report["text"] = random.choice(("a smell of gas", "call 13800138000", "坑很大"))
        if random.random() < 0.2:
            report["severity"] = random.randint(1, 4)
        if source in ("camera", "satellite"):
            report["confidence"] = random.choice((0.5, 0.95))
        if random.random() < 0.1:
            report["tags"] = [random.choice(("exercise", "later", "vip"))]
        if report["category"] == "MANHOLE" and random.random() < 0.5:
            report["standard"] = random.choice("ab")
        if random.random() < 0.1:
            report["promised_at"] = ms_to_text(self._now_ms + random.choice((-1, 3_600, 900_000)) * 1_000)
        if random.random() < 0.3:
            report["reporter"] = {"name": "Zhang", "phone": f"138{self._number:08d}"}
        if random.random() < 0.05:
            report["new_field"] = True
        return orjson.dumps(report)

    def _say_where(self, report: dict) -> None:
        random = self._random
        dice = random.random()
        if report["category"] == "04":
            report["location"] = {"asset": f"lamp-{random.randint(0, 3)}"}
        elif dice < 0.75:
            lon, lat = random.choice(SPOTS)
            report["location"] = {"lon": lon + random.uniform(0, 0.0008), "lat": lat + random.uniform(0, 0.0008)}
            if random.random() < 0.03:
                report["location"]["crs"] = "gcj02"
            if random.random() < 0.1:
                report["location"]["accuracy_m"] = random.choice((30, 400))
        elif dice < 0.9:
            report["location"] = {"cell": random.choice(("T1C0", "T2", "T9"))}

    def _update(self) -> tuple[str, bytes]:
        """Some action on some incident; many are refused, as in life."""
        random = self._random
        source, report_id, _ = random.choice(self._reports[-10:])
        update = {
            "update_id": f"u{self._number}",
            "at": ms_to_text(self._now_ms),
            "report": {"source": source, "report_id": report_id},
        }
        course = self._courses.setdefault(report_id, list(random.choice(_COURSES)))
        if course and random.random() < 0.7:
            return UPDATES, orjson.dumps({"actor": SYSTEM, **update, **course.pop(0)})
        action = random.choice(tuple(_ACTIONS))
        update |= {"action": action, **_ACTIONS[action](random)}
        if random.random() < 0.06:
            update["revision"] = random.randint(1, 6)
        if random.random() < 0.05:
            update["report"]["report_id"] = "never seen"
        if action in _OF_DEPARTMENTS and random.random() < 0.3:
            update.pop("actor", None)
            return f"{UPDATES}.{random.choice(DEPARTMENTS)}", orjson.dumps(update)
        if "actor" not in update:
            update["actor"] = SYSTEM
        return UPDATES, orjson.dumps(update)


def _maybe_department(random: Random) -> dict:
    """The system acts for the lead, or for the department it names."""
    return {"department": random.choice(DEPARTMENTS)} if random.random() < 0.3 else {}


_ACTIONS = {
    "acknowledge": _maybe_department,
    "arrive": lambda r: _maybe_department(r) | {"position": {"lon": SPOTS[0][0], "lat": SPOTS[0][1]}},
    "confirm_arrival": lambda r: {"actor": DISPATCHER, "department": r.choice(DEPARTMENTS)},
    "done": lambda r: _maybe_department(r) | {"media": ["https://example.org/1.jpg"]},
    "check": lambda r: {"actor": CHECKER, "result": r.choice(("pass", "pass", "fail"))},
    "note": lambda r: {"text": "on our way"},
    "return": lambda r: _maybe_department(r) | {"reason_code": r.choice(("not_ours", "nonsense"))},
    "refuse_return": lambda r: {"actor": DISPATCHER, "department": r.choice(DEPARTMENTS)},
    "accept_return": lambda r: {"actor": DISPATCHER, "department": r.choice(DEPARTMENTS)},
    "assign": lambda r: (
        {"actor": DISPATCHER, r.choice(("lead", "lead", "department")): r.choice(DEPARTMENTS)}
        | ({"support": [r.choice(DEPARTMENTS)]} if r.random() < 0.5 else {})
    ),
    "verify": lambda r: {"actor": DISPATCHER, "result": r.choice(("exists", "not_exists", "unable"))},
    "file": lambda r: {"actor": DISPATCHER} | ({"category": r.choice(("01", "02", "03"))} if r.random() < 0.7 else {}),
    "void": lambda r: {"actor": SUPERVISOR, "reason_code": "test"},
}
# How things should go; the system acts for the lead. Records in between make some of it go otherwise.
_ACCEPT, _ARRIVE, _DONE = {"action": "acknowledge"}, {"action": "arrive"}, {"action": "done"}
_PASS, _FAIL = {"action": "check", "result": "pass"}, {"action": "check", "result": "fail"}
_RETURN = {"action": "return", "reason_code": "not_ours"}
_COURSES = (
    (_ACCEPT, _DONE, _PASS),
    (_ACCEPT, _DONE, _PASS),
    (_ACCEPT, _ARRIVE, _DONE, _FAIL, _DONE, _PASS),
    ({"action": "verify", "result": "exists"}, _ACCEPT, {"action": "done", "department": "fire"}, _DONE, _PASS),
    ({"action": "acknowledge", "department": "fire"}, {"action": "done", "department": "fire"}, _ACCEPT, _DONE, _PASS),
    (_RETURN, {"action": "refuse_return", "department": "gas"}, _ACCEPT, _DONE, _PASS),
    (_RETURN, {"action": "refuse_return", "department": "street"}, _ACCEPT, _DONE, _PASS),
    (_RETURN, {"action": "assign", "lead": "police", "support": ["centre"]}, _ACCEPT, _DONE, _PASS),
    ({"action": "file", "category": "01", "actor": DISPATCHER}, _ACCEPT, _DONE, _PASS),
    ({"action": "return", "reason_code": "not_ours", "department": "fire"},
     {"action": "accept_return", "department": "fire"}, _ACCEPT, _DONE, _PASS),
)  # fmt: skip
_OF_DEPARTMENTS = ("acknowledge", "arrive", "done", "note", "return")
