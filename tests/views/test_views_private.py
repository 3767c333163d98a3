"""What is private of a report, as the projection finds it: the newest, and nothing once it is erased."""

from collections import Counter

from dispatcher.core import NEVER_MS, Outcome, Position
from dispatcher.ledger import MemoryLedger
from dispatcher.views import Projection, private_of_report


def test_the_newest_is_shown_until_it_is_erased():
    ledger, view = MemoryLedger(), Projection(":memory:")
    owner = ledger.own(0)

    def put(value: bytes | None, seq: int) -> None:
        done = Outcome(Position(seq, seq), 0, [], {("reporters", "app/a/b"): value}, Counter(), NEVER_MS)
        ledger.commit(owner, done, ledger.position(0))
        view.catch_up(ledger)

    assert private_of_report(view, "app", "a/b") is None
    put(b'{"name":"Li","text":"a leak"}', 1)
    put(b'{"name":"Li Si","text":"a leak","confidential":true}', 2)
    found = private_of_report(view, "app", "a/b")
    assert found is not None
    assert (found.name, found.text, found.confidential, found.media) == ("Li Si", "a leak", True, ())
    put(None, 3)
    assert private_of_report(view, "app", "a/b") is None
