from views_cases import MINUTE_MS, START_MS, Life

from dispatcher.core import AssignmentState, IncidentState, ms_to_text
from dispatcher.core.records import AssignmentRecord, TargetRecord
from dispatcher.views.rows import IncidentRow, row_of
from dispatcher.views.schema import TABLES
from dispatcher.views.spells import spells

HOUR_MS = 60 * MINUTE_MS


def resolve(of: str, due_ms: int, **more: str) -> TargetRecord:
    return TargetRecord("resolve", of, "1h", "always", "s", HOUR_MS, ms_to_text(due_ms), **more)


def led(*targets: TargetRecord) -> Life:
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", None)
    life.record.targets = list(targets)
    return life


def test_the_deadline_is_the_leads_own():
    early, late = START_MS + HOUR_MS, START_MS + 2 * HOUR_MS
    row = row_of(led(resolve("fire", early, since=ms_to_text(START_MS)), resolve("gas", late)).record)
    assert row.due_ms == late
    assert row_of(led(resolve("fire", early)).record).due_ms is None


def test_a_lead_that_was_a_support_has_the_clock_it_took_over():
    taken_over, own = START_MS + HOUR_MS, START_MS + 2 * HOUR_MS
    revoked = ms_to_text(START_MS + MINUTE_MS)
    assert row_of(led(resolve("gas", taken_over), resolve("gas", own, revoked_at=revoked)).record).due_ms == taken_over
    assert row_of(led(resolve("gas", own, revoked_at=revoked), resolve("gas", taken_over)).record).due_ms == taken_over
    ended = ms_to_text(START_MS + 5 * MINUTE_MS)  # voided: everything is revoked, what was owed to the end counts
    both = led(resolve("gas", taken_over, revoked_at=ended), resolve("gas", own, revoked_at=revoked))
    assert row_of(both.record).due_ms == taken_over
    both.record.targets = both.record.targets[::-1]
    assert row_of(both.record).due_ms == taken_over


def test_a_unit_owes_as_a_unit():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "street-office", HOUR_MS, unit="530002001")
    row = row_of(life.record)
    assert (row.lead, row.unit, row.due_ms) == ("street-office", "530002001", START_MS + HOUR_MS)
    assert row.parties == "/street-office/street-office@530002001/"


def test_the_approved_done_decides_whether_it_was_on_time():
    due_ms = START_MS + HOUR_MS

    def on_time(fulfilled_ms: int, breached: bool = False) -> int | None:
        target = resolve("gas", due_ms, fulfilled_at=ms_to_text(fulfilled_ms))
        if breached:
            target.breached_at = ms_to_text(due_ms)
        life = led(target)
        life.lead.done_at = ms_to_text(fulfilled_ms)
        life.end(START_MS + 9 * HOUR_MS, IncidentState.CLOSED)
        return row_of(life.record).on_time

    assert [on_time(due_ms), on_time(due_ms + 1), on_time(due_ms, breached=True)] == [1, 0, 0]
    assert row_of(led(resolve("gas", due_ms)).record).on_time is None


def test_a_place_and_a_category_may_be_unknown():
    row = row_of(Life("20260921-000-00001", START_MS, category=None, path=()).record)
    assert (row.category, row.major, row.area, row.cell, row.path) == (None, None, None, None, "/")
    row = row_of(Life("20260921-000-00001", START_MS, category="street.signal.dark", path=("1", "105")).record)
    assert (row.major, row.area, row.cell, row.path) == ("street", "1", "105", "/1/105/")


def test_only_those_with_a_part_now_are_listed_once():
    life = led()
    at = ms_to_text(START_MS)
    life.record.support = [
        AssignmentRecord("fire", "support", AssignmentState.OFFERED, at, at),
        AssignmentRecord("fire", "support", AssignmentState.DONE, at, at, unit="2"),
        AssignmentRecord("water", "support", AssignmentState.WITHDRAWN, at, at),
    ]
    assert row_of(life.record).parties == "/gas/fire/fire@2/"


def test_spells_tell_a_failed_check_from_a_passed_one_and_a_leads_return_from_a_supports():
    def entry(revision: int, what: str, state: str, note: str = "") -> bytes:
        at = ms_to_text(START_MS + revision)
        return f'{{"revision":{revision},"at":"{at}","what":"{what}","note":"{note}","state":"{state}"}}'.encode()

    history = [
        entry(1, "report", "dispatched"), entry(2, "return", "dispatched"), entry(3, "return", "returned"),
        entry(4, "assign", "dispatched"), entry(5, "acknowledge", "handling"), entry(6, "done", "checking"),
        entry(7, "note", "checking"), entry(8, "check", "handling", "wrong_photo"), entry(9, "done", "handling"),
        entry(10, "done", "checking"), entry(11, "check", "closed", "pass"),
    ]  # fmt: skip
    assert [tuple(spell[1:]) for spell in spells("i", history)] == [
        (1, START_MS + 1, "dispatched", None), (3, START_MS + 3, "returned", "return"),
        (4, START_MS + 4, "dispatched", "upheld"), (5, START_MS + 5, "handling", None),
        (6, START_MS + 6, "checking", None), (8, START_MS + 8, "handling", "rework"),
        (10, START_MS + 10, "checking", None), (11, START_MS + 11, "closed", None),
    ]  # fmt: skip


def test_a_refused_return_and_a_refused_wish_to_reopen_are_told_apart():
    def entry(revision: int, what: str, state: str) -> bytes:
        return f'{{"revision":{revision},"at":"{ms_to_text(revision)}","what":"{what}","state":"{state}"}}'.encode()

    history = [
        entry(1, "report", "dispatched"), entry(2, "return", "returned"), entry(3, "refuse_return", "dispatched"),
        entry(4, "recall", "returned"), entry(5, "assign", "dispatched"),
        entry(6, "answer_at_desk", "answered_at_desk"),
        entry(7, "reopen_request", "reopen_requested"), entry(8, "refuse_reopen", "answered_at_desk"),
    ]  # fmt: skip
    marks = [spell.mark for spell in spells("i", history)]
    assert marks == [None, "return", "refused", None, None, None, None, "stay"]


def test_the_table_has_a_column_for_every_field():
    ddl = next(statement for statement in TABLES if statement.startswith("CREATE TABLE incident "))
    assert [word for word in ddl.split("(", 1)[1].replace(",", " ").split() if word in IncidentRow._fields][
        : len(IncidentRow._fields)
    ] == list(IncidentRow._fields)
    assert "outcome TEXT," in ddl
    assert "severity INTEGER NOT NULL," in ddl
    assert "lon REAL," in ddl
