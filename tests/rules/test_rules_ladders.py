import pytest
from rules_small import files, small

from rules import PolicyError, Recipient, Trigger, load_policy
from rules.ladders import parse_recipient, parse_trigger


@pytest.mark.parametrize(
    ("text", "recipient"),
    [
        ("lead", Recipient("lead")),
        ("city", Recipient("city")),
        ("up(2)", Recipient("up", 2)),
        ("level(1)", Recipient("level", 1)),
        ("gas-company", Recipient("department", 0, "gas-company")),
    ],
)
def test_recipients(text: str, recipient: Recipient):
    assert parse_recipient(text) == recipient


@pytest.mark.parametrize("text", ["", "up()", "up(0)", "level(x)", "a b", "up(1) "])
def test_no_recipients(text: str):
    with pytest.raises(ValueError):
        parse_recipient(text)


def test_triggers():
    assert parse_trigger("resolve 90%") == Trigger("resolve", 90)
    assert parse_trigger("attend breach") == Trigger("attend", None)
    for text in ("resolve", "resolve 0%", "resolve 100%", "resolve  5%", "breach"):
        with pytest.raises(ValueError):
            parse_trigger(text)


STEP = '      - {trigger: "resolve 90%", to: lead, do: urge}\n'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((STEP, STEP + STEP), "clocks.yaml:23:9 E017 this step can never be taken: the same step stands above"),
        (("to: level(1)", "to: level(3)"), "clocks.yaml:24:9 E017 this step can never be taken: the grid has 2 levels"),
        (("to: city", "to: cty"), "clocks.yaml:32:41 E012 no department is called 'cty'"),
        (("then: desk", "then: dsk"), "clocks.yaml:25:11 E012 no ladder is called 'dsk' (did you mean 'desk'?)"),
        (("then: desk", "then: grid-up"), "clocks.yaml:25:11 E016 ladder 'grid-up' leads back to itself"),
        (("hold_outside: cn-office", "hold_outside: shut"), "clocks.yaml:26:19 E012 no calendar is called 'shut'"),
        (("do: supervise", "do: shout"), "clocks.yaml:24:67 E010 'shout' is not one of those allowed"),
        (("times: 3", "times: 0"), "clocks.yaml:28:32 E010 '0' is not between 1 and 100"),
    ],
)
def test_bad_ladders(change: tuple[str, str], said: str):
    with pytest.raises(PolicyError) as caught:
        load_policy(files(change))
    assert str(caught.value.problems[0]).startswith(said), caught.value


def test_an_overlay_may_promise_what_a_step_waits_for():
    ladder = ('trigger: "resolve 90%", to: lead', 'trigger: "callback 90%", to: lead')
    with pytest.raises(PolicyError, match="no SLA used with this ladder has a target 'callback'"):
        small(ladder)
    assert small(ladder, ("contact: 1h", "callback: 1h")).ladder("grid-up").steps[0].trigger.target == "callback"


def test_a_ladder_nobody_uses_is_not_unreachable():
    unused = "ladders: {spare: {steps: [{trigger: contact breach, to: lead, do: urge}]}}"
    policy = small(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, x.yaml]"), x_yaml=unused)
    assert len(policy.ladder("spare").steps) == 1
