import random

import msgspec
import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_small import FILES, files, small

from rules import Code, PolicyError, Problem, load_canonical, load_policy, yaml_nodes
from rules import loader as loader_module
from rules.problems import MAX_PROBLEMS


def problems(given_files: dict[str, bytes], language: str = "en") -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_policy(given_files)
    return [problem.render(language) for problem in caught.value.problems]


def messages(given_files: dict[str, bytes]) -> list[str]:
    """Without what to do about them."""
    with pytest.raises(PolicyError) as caught:
        load_policy(given_files)
    return [f"{each.file}:{each.line}:{each.column} {each.number} {each.message}" for each in caught.value.problems]


# what is said of each code's own bad policy is asserted by test_rules_problems.py
SPOILT = {
    Code.NOT_PLAIN: [("  centre: {zh", "  centre: &c {zh")],
    Code.UNKNOWN_KEY: [("ladder: grid-up\n    reason", "lader: grid-up\n    reason")],
    Code.DUPLICATE_KEY: [("    lead: gas-company\n", "    lead: gas-company\n    lead: centre\n")],
    Code.UNQUOTED: [
        ('category: ["03.02"], severity', "category: [03.02], severity"),
        ('"2026-11-09": restday', "2026-11-09: restday"),
    ],
    Code.DUPLICATE_ALIAS: [("severity_cap: 2}\n  noise", "severity_cap: 2, aliases: [Gas leak]}\n  noise")],
    Code.BAD_DATES: [("- id: utilities", '- id: utilities\n    valid_from: "2026-05-01"\n    expires: "2026-04-30"')],
    Code.NEVER_OPEN: [('{all: ["22:00-06:00"]}', '{holiday: ["22:00-06:00"]}')],
}


def test_everything_is_said_at_once_and_in_order():
    changes = [SPOILT[code] for code in (Code.UNKNOWN_KEY, Code.BAD_DATES, Code.DUPLICATE_ALIAS, Code.NEVER_OPEN)]
    said = problems(files(*(change for part in changes for change in part)))
    assert [line.split()[1] for line in said] == ["E019", "E023", "E005", "E020"]
    assert said == sorted(said, key=lambda line: line.split(":")[0])


def test_no_policy_file():
    assert problems({}) == ["policy.yaml:0:0 E004 policy.yaml is missing (every policy has one: is this its folder?)"]


def test_files_present_but_not_included_are_warned_of():
    policy = small(
        ("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, more/*.yaml]"),
        extra_yaml="x: 1",
        README="",
        tests__a_yaml="x: 1",
    )
    assert [str(problem) for problem in policy.warnings] == [
        "extra.yaml:0:0 W001 this file is not included by policy.yaml (add it to 'include', or move it elsewhere)",
        "policy.yaml:7:54 W002 'more/*.yaml' matches no file (correct the pattern, or take it out)",
    ]
    assert policy.document.sections == small().document.sections


def test_stars_stay_inside_one_segment_and_files_are_read_once_in_order():
    one = "routes: [{id: one, when: {}, lead: centre, sla: triage}]"
    two = one.replace("one", "two")
    include = ("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, b/*.yaml, '*/*.yaml']")
    policy = small(include, a__x_yaml=one, b__x_yaml=two, b__c__x_yaml="nonsense: 1")
    assert [route.id for route in policy.routes] == ["gas.leak", "utilities", "two", "one"]
    assert [problem.file for problem in policy.warnings] == ["b/c/x.yaml"]


def test_a_small_policy_may_be_one_file():
    text = FILES["policy.yaml"].replace("[catalogue/*.yaml, clocks.yaml, rules.yaml]", "[]")
    text += "".join(part for name, part in FILES.items() if name != "policy.yaml")
    assert load_policy({"policy.yaml": text.encode()}).document.sections == small().document.sections


def test_header_keys_elsewhere_and_files_that_are_no_mapping():
    assert problems(files(("guards:", "modes: [a]\nguards:")))[0] == (
        "rules.yaml:1:1 E005 unknown key 'modes' in a file other than policy.yaml (move it to policy.yaml)"
    )
    included = ("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, '?.yaml']")
    said = problems(files(included, a_yaml="- 1", b_yaml="# nothing", c_yaml="5"))
    assert said == [
        "a.yaml:1:1 E008 expected a mapping, found a list",
        "b.yaml:0:0 E008 expected a mapping, found nothing",
        "c.yaml:1:1 E008 expected a mapping, found '5'",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: *x", "policy.yaml:1:4 E002 an alias (*) is not allowed here (write the value out)"),
        (
            "a: !!python/name:os.system x",
            "policy.yaml:1:4 E002 the tag tag:yaml.org,2002:python/name:os.system is not allowed here",
        ),
        ("a: 1\n---\nb: 1", "policy.yaml:2:1 E002 a second document is not allowed here"),
        ("? [a, b]\n: c", "policy.yaml:1:3 E008 expected a key, found a list"),
        ("[" * 500, "policy.yaml:1:25 E003 nesting is over the limit of 24 levels"),
        ("- " * 200_000, "policy.yaml:1:49 E003 nesting is over the limit of 24 levels"),
        ("<<: {a: b}", "policy.yaml:1:1 E005 unknown key '<<' in policy.yaml"),
    ],
)
def test_yaml_that_is_not_plain(text: str, said: str):
    assert any(line.startswith(said) for line in problems({"policy.yaml": text.encode()}))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: \x00", b"\x80", b'"\\ud800"', b"%YAML 9.9\n---\na"])
def test_bytes_that_are_no_text(content: bytes):
    assert any("E0" in line for line in problems({"policy.yaml": content}))


def test_the_parser_without_c_says_the_same(monkeypatch: pytest.MonkeyPatch):
    fast = [problems(files(*SPOILT[code])) for code in (Code.UNQUOTED, Code.DUPLICATE_KEY, Code.NOT_PLAIN)]
    policy = small()
    monkeypatch.setattr(yaml_nodes, "Loader", yaml.SafeLoader)
    assert small() == policy
    assert [problems(files(*SPOILT[code])) for code in (Code.UNQUOTED, Code.DUPLICATE_KEY, Code.NOT_PLAIN)] == fast
    assert problems({"policy.yaml": b'"\\ud800": x'})[0] == (
        "policy.yaml:1:1 E001 not readable as YAML: half of a surrogate pair"
        " (look for a quote, a bracket or an indent that is missing at or above it)"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Asia/Shanghai", "Asia"), "policy.yaml:3:11 E010 'Asia' is not a time zone such as Asia/Shanghai"),
        (
            ("Asia/Shanghai", "Mars/Olympus"),
            "3:11 E010 'Mars/Olympus' is not a time zone",
        ),
        (('"2026-11-09"', '"2026-11-31"'), "clocks.yaml:6:17 E010 '2026-11-31' is not a date \"YYYY-MM-DD\""),
        (('"2026-11-09"', '"2926-11-09"'), "clocks.yaml:6:17 E010 '2926-11-09' is not a date \"YYYY-MM-DD\""),
        (('"2026-11-09"', '"9 Nov"'), "clocks.yaml:6:17 E010 '9 Nov' is not a date \"YYYY-MM-DD\""),
        (("[80%,", "[100%,"), "clocks.yaml:12:12 E010 '100%' is not a percentage from 1% to 99%"),
        (
            ('version: "2026.11.1"', "version: 2026.11"),
            "policy.yaml:2:10 E009 2026.11 must be quoted",
        ),
        (("radius_m: 50", "radius_m: 0"), "clocks.yaml:35:20 E010 '0' is not between 0.1 and 10000"),
        (("radius_m: 50, ", ""), "clocks.yaml:35:9 E007 merge rule needs 'radius_m and gap, or same'"),
        (
            ("self_handled: true", "self_handled: yes"),
            "11:69 E008 expected true or false, found 'yes'",
        ),
        (("required: true", "required: ~"), "rules.yaml:25:67 E008 expected true or false, found '~'"),
        (("acknowledge: 30wm", "acknowledge: "), "clocks.yaml:16:61 E008 expected a mapping, found nothing"),
        (
            ("hours_per_working_day: 8", "hours_per_working_day: [8]"),
            "5:28 E008 expected a number, found a list",
        ),
        (("{return: {not_ours", "{return: {not ours"), "policy.yaml:9:20 E010 'not ours' is not a code"),
        (
            ("categories:\n", "categories: []\nx:\n"),
            "1:13 E008 expected a mapping, found a list",
        ),
        (
            ("modes: [normal, emergency]", "modes: [normal, normal]"),
            "5:17 E011 mode 'normal' is already defined",
        ),
        (("  night: {", "  always: {"), "E011 calendar 'always' is already defined"),
    ],
)
def test_single_values(change: tuple[str, str], said: str):
    assert any(said in line for line in problems(files(change))), problems(files(change))


def test_limits(monkeypatch: pytest.MonkeyPatch):
    assert problems({"policy.yaml": b" " * (8 * 2**20 + 1)})[0].startswith(
        "policy.yaml:0:0 E003 the file is over the limit of 8 MiB"
    )
    many = {f"{i}.yaml": b"" for i in range(1001)} | files()
    assert problems(many) == [
        "policy.yaml:0:0 E003 the number of files is over the limit of 1000 (make it smaller, or split it)"
    ]
    monkeypatch.setattr(loader_module, "MAX_RULES", 3)
    assert problems(files()) == [
        "policy.yaml:0:0 E003 the number of rules is over the limit of 3 (make it smaller, or split it)"
    ]


def test_a_file_of_garbage_does_not_flood():
    garbage = "routes:\n" + "- {x: 1}\n" * 3000
    with pytest.raises(PolicyError) as caught:
        load_policy(files(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, g.yaml]"), g_yaml=garbage))
    assert len(caught.value.problems) == MAX_PROBLEMS + 1
    assert caught.value.problems[-1].message == "only the first 1000 problems are shown"


WHENS = {
    "{}": [],
    "[]": ["E008"],
    "{severity: 5}": ["E010"],
    '{severity: "2"}': ["E010"],
    '{severity: "<=x"}': ["E010"],
    "{severity: [[1]]}": ["E008"],
    "{severity: 1.5}": ["E010"],
    '{attributes.kv: ">=10kV"}': ["E010"],
    '{confidence: 0.5, reporters: ">=3"}': [],
    "{confidence: 1.5}": ["E010"],
    "{place: [exact, nowhere]}": ["E010"],
    "{request_kind: complain}": ["E010"],
    '{text.any: [""]}': ["E010"],
    "{tags: []}": ["E010"],
    '{tags: [""]}': ["E010"],
    "{tags: [5]}": ["E009"],
    "{mode: [war]}": ["E012"],
    "{source: [none], platform: [sea]}": ["E012", "E012"],
    "{categry: [x]}": ["E005"],
    "{attributes.: x}": ["E005"],
    '{attributes.kv: [true, 10, 2.5, red, ">=5"]}': [],
    "{attributes.kv: [[1]]}": ["E008"],
    "{not: {not: {tags: [a]}}}": ["E005"],
    "{not: [a]}": ["E008"],
    '{whistle: any, standard: [a], grid: ["164"]}': [],
}


@pytest.mark.parametrize("when", WHENS)
def test_conditions(when: str):
    rule = f"routes: [{{id: extra, when: {when}, lead: centre, sla: triage}}]"
    given_files = files(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, x.yaml]"), x_yaml=rule)
    if WHENS[when]:
        assert [line.split()[1] for line in problems(given_files)] == WHENS[when]
    else:
        load_policy(given_files)


def test_canonical_form_rebuilds_the_same_policy():
    policy = small()
    again = load_canonical(policy.canonical)
    assert again == policy
    assert (again.sha256, again.document) == (policy.sha256, policy.document)
    assert hash(again) == hash(policy)
    assert orjson.loads(policy.canonical)["sections"]["calendars"][0]["table"]["days"]
    assert policy != small(("priority: 900", "priority: 901"))


def test_canonical_form_is_independent_of_layout_and_comments():
    assert small(("name: small\n", "# words\nname:    'small'\n")) == small()


def test_canonical_form_keeps_the_days_whatever_the_provider_says_later(monkeypatch: pytest.MonkeyPatch):
    policy = small()
    monkeypatch.setattr("rules.loader.expand_days", lambda *_: pytest.fail("the provider was asked"))
    again = load_canonical(policy.canonical)
    assert again.clock("cn-office").contains(1771034400000)  # Saturday 2026-02-14 10:00, a workday
    assert again.sha256 == policy.sha256


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b'"format":1', b'"format":2'),
        lambda data: data.replace(b'"format":1', b'"format":1,"extra":2'),
        lambda data: data.replace(b'"version"', b' "version"'),
        lambda data: data.replace(b'"lead":"centre"', b'"lead":5'),
        lambda data: b"[]",
        lambda data: b"\xff",
    ],
)
def test_canonical_forms_that_are_none(change):
    with pytest.raises(PolicyError) as caught:
        load_canonical(change(small().canonical))
    assert [problem.number for problem in caught.value.problems] == ["E024"]


def test_policies_are_immutable():
    policy = small()
    with pytest.raises(AttributeError):
        policy.canonical = b""  # type: ignore[misc]
    with pytest.raises(AttributeError):
        policy.routes[0].lead = "centre"  # type: ignore[misc]
    with pytest.raises(TypeError):
        policy.departments["x"] = policy.departments["centre"]  # type: ignore[index]


TABLE = """\
code,zh,en,kind,severity,life_safety,aliases,evidence,standard,standard_zh,limit,close
01.01,井盖,Manhole,component,2,true,MANHOLE|井盖,photo,1,缺失,2h,恢复
01.01,,,,,,,,2,破损,2wd,修复
,,,,,,,,,,,
01.02,雨水口,Gully,component,3,false,,,,,,
"""


def with_table(table: str) -> dict[str, bytes]:
    return files(("[catalogue/*.yaml", "[catalogue/*.yaml, catalogue/*.csv"), **{"catalogue__t.csv": table})


def test_categories_from_a_table():
    policy = load_policy(with_table("\ufeff" + TABLE))
    manhole = policy.category("01.01")
    assert manhole is not None
    assert (manhole.en, manhole.severity, manhole.life_safety, manhole.evidence) == ("Manhole", 2, True, ("photo",))
    assert [(standard.code, standard.limit.text, standard.close) for standard in manhole.standards] == [
        ("1", "2h", "恢复"),
        ("2", "2wd", "修复"),
    ]
    assert policy.resolve_category("manhole") == "01.01"
    assert policy.resolve_category("01.02") == "01.02"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", ["0:0 E021 bad table: no heading line"]),
        ("zh\nx", ["1:1 E007 the heading needs 'code'"]),
        (
            "code,knd,code\n01,a",
            ["1:2 E005 unknown key 'knd' in the heading", "1:3 E006 key 'code' is given twice"],
        ),
        ("code,zh\n,x", ["2:1 E007 this row needs 'code'"]),
        ("code\n01,x", ["2:2 E021 bad table: more cells than columns"]),
        ('code\n"01\n', ["2:1 E021 bad table: unexpected end of data"]),
        ("code,severity\n01,9", ["2:2 E010 '9' is not between 1 and 4"]),
        ("code,standard\n01,a\n01,a", ["2:1 E007 standard needs 'limit'", "3:2 E006 key 'a' is given twice"]),
    ],
)
def test_bad_tables(table: str, said: list[str]):
    assert messages(with_table(table)) == [f"catalogue/t.csv:{line}" for line in said]


def test_a_table_that_is_no_text_or_too_large():
    given_files = with_table("")
    for content, said in [
        (b"\xff", "0:0 E021 bad table: not UTF-8 at byte 0"),
        (b" " * (8 * 2**20 + 1), "0:0 E003 the file is over the limit of 8 MiB"),
    ]:
        given_files["catalogue/t.csv"] = content
        assert messages(given_files) == [f"catalogue/t.csv:{said}"]


def problems_of(given_files: dict[str, bytes]) -> tuple[Problem, ...]:
    """Nothing when it loads, and then it can be rebuilt."""
    try:
        policy = load_policy(given_files)
    except PolicyError as error:
        return error.problems
    assert load_canonical(policy.canonical) == policy
    return ()


def loads_or_says_why(given_files: dict[str, bytes]) -> None:
    for problem in problems_of(given_files):
        assert problem.render("en").encode()
        assert problem.render("zh").encode()


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(sorted(FILES)))
def test_arbitrary_bytes_raise_nothing_else(content: bytes, name: str):
    loads_or_says_why(files() | {name: content})


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "- ",
        "\n",
        "  ",
        "&a",
        "*a",
        "!!str ",
        "<<",
        "~",
        "null",
        '"',
        "'",
        "|\n",
        ">\n",
        "#",
        "?",
        "0x1",
        "1e5",
        ".inf",
        "2026-01-01",
        "on",
        "%",
        "@",
        "\t",
        "\u2028",
        "🜁",
        "99999999999999999999",
    ]
)


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.lists(PIECES, min_size=1, max_size=4))
def test_damaged_files_raise_nothing_else(seed: int, pieces: list[str]):
    rng = random.Random(seed)
    texts = files()
    name = rng.choice(sorted(texts))
    text = texts[name].decode()
    for piece in pieces:
        at = rng.randrange(len(text) + 1)
        text = text[:at] + piece + text[at + rng.choice([0, 0, 1, 5, 20]) :]
    loads_or_says_why(texts | {name: text.encode()})


def test_the_canonical_form_is_stable_json():
    policy = small()
    assert orjson.dumps(orjson.loads(policy.canonical), option=orjson.OPT_SORT_KEYS) == policy.canonical
    assert msgspec.json.decode(policy.canonical)["header"]["timezone"] == "Asia/Shanghai"
