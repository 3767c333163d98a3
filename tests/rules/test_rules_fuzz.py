"""Damaged policy directories: the loader answers with a policy or with problems that have a place, never otherwise."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_random import rich_files
from rules_small import FILES, some_facts

import rules.loader
from rules import Policy, PolicyError, Problem, compile_policy, decide_plainly, load_canonical, load_policy

Files = dict[str, bytes]

NYC = Path(__file__).parents[2] / "examples/nyc/policy"
TABLE = "code,zh,en,kind,severity,aliases,standard,standard_zh,limit\n04,x,x,,3,a|b,a,y,2h\n04.01,,,,,,,,\n"
ODD = [
    "\0",
    "\x85",
    "\u2028",
    "\ufeff",
    "\u202e",
    "\ud800",
    "\U0010ffff",
    "é",
    "e\u0301",
    "\t",
    "'",
    '"',
    "{",
    "- ",
    ": ",
    "#",
]
VALUES = ["", "~", "null", "yes", "03.02", "1e400", "0x10", "2026-02-30", "12:30", "-1", "[]", "{}", "[[", "|", ">-"]
VALUES += ["!!int x", "*a", "&a b", "<<: *a", "!!python/object:os.system x", "? x", "@", "`"]
VALUES += ["9" * 400, '"\\x00"', '"\\ud800"']
DIRECTORIES, PARTS = 5000, 10


def lines_of(rng: random.Random, files: Files) -> tuple[str, list[bytes], int]:
    name = rng.choice(list(files))
    lines = files[name].splitlines(keepends=True) or [b"\n"]
    return name, lines, rng.randrange(len(lines))


def flip_bytes(rng: random.Random, files: Files) -> None:
    name = rng.choice(list(files))
    content = bytearray(files[name] or b" ")
    for _ in range(rng.choice([1, 1, 2, 20])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    files[name] = bytes(content)


def damage_lines(rng: random.Random, files: Files) -> None:
    name, lines, at = lines_of(rng, files)
    other = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            del lines[at]
        case 3:
            lines[at] = rng.choice([b" ", b"    ", b"\t", b"- "]) + lines[at]
        case 4:
            lines[at] = lines[at].lstrip()
        case _:
            del lines[at:]
    files[name] = b"".join(lines)


def rename_key(rng: random.Random, files: Files) -> None:
    name, lines, at = lines_of(rng, files)
    key, colon, value = lines[at].partition(b":")
    names = [
        b"id",
        b"when",
        b"lead",
        b"sla",
        b"not",
        b"category",
        b"severity",
        b"targets",
        b"include",
        b"Routes",
        b"",
        b"x.y",
    ]
    lines[at] = key[: len(key) - len(key.lstrip())] + rng.choice(names) + colon + value
    files[name] = b"".join(lines)


def swap_values(rng: random.Random, files: Files) -> None:
    (one, first, i), (other, second, j) = lines_of(rng, files), lines_of(rng, files)
    left, right = first[i].partition(b":"), second[j].partition(b":")
    if one == other:
        second = first
    first[i], second[j] = b"".join([*left[:2], right[2]]), b"".join([*right[:2], left[2]])
    files[one], files[other] = b"".join(first), b"".join(second)


def odd_value(rng: random.Random, files: Files) -> None:
    name, lines, at = lines_of(rng, files)
    key, colon, _ = lines[at].partition(b":")
    lines[at] = key + colon + b" " + rng.choice(VALUES).encode() + b"\n"
    files[name] = b"".join(lines)


def odd_letter(rng: random.Random, files: Files) -> None:
    name, lines, at = lines_of(rng, files)
    where = rng.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:where] + rng.choice(ODD).encode("utf-8", "surrogatepass") + lines[at][where:]
    files[name] = b"".join(lines)


def nest(rng: random.Random, files: Files) -> None:
    name, lines, at = lines_of(rng, files)
    depth = rng.choice([5, 23, 24, 25, 300, 20_000])
    opening, closing = rng.choice([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
    key, colon, _ = lines[at].partition(b":")
    lines[at] = key + colon + b" " + (opening * depth + "x" + closing * rng.choice([depth, 0])).encode() + b"\n"
    files[name] = b"".join(lines)


def encode_otherwise(rng: random.Random, files: Files) -> None:
    name = rng.choice(list(files))
    text = files[name].decode("utf-8", "replace")
    codings: list[Callable[[str], bytes]] = [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("gb18030"),
        lambda _: b"",
    ]
    files[name] = rng.choice(codings)(text)


def move_files(rng: random.Random, files: Files) -> None:
    name = rng.choice(list(files))
    match rng.randrange(4):
        case 0:
            del files[name]
        case 1:
            files[
                rng.choice(["a.yaml", "policy.yaml", "x/y/z.csv", "tests/t.yaml", "\u202e.yaml", "routes.yml", "", "."])
            ] = files.pop(name)
        case 2:
            files["copy/" + name] = files[name]
        case _:
            other = rng.choice(list(files))
            files[name], files[other] = files[other], files[name]


def repeat_block(rng: random.Random, files: Files) -> None:
    name, lines, at = lines_of(rng, files)
    lines[at:at] = lines[at : at + rng.randint(2, 12)]
    files[name] = b"".join(lines)


DAMAGES = [
    flip_bytes,
    damage_lines,
    rename_key,
    swap_values,
    odd_value,
    odd_letter,
    nest,
    encode_otherwise,
    move_files,
    repeat_block,
]


def bases() -> list[Files]:
    small = {name: text.encode() for name, text in FILES.items()}
    table = small | {"catalogue/more.csv": TABLE.encode()}
    table["policy.yaml"] = table["policy.yaml"].replace(b"catalogue/*.yaml", b"catalogue/*.yaml, catalogue/*.csv")
    nyc = {str(path.relative_to(NYC)): path.read_bytes() for path in sorted(NYC.rglob("*.yaml"))}
    return [small, small, table, table, rich_files(random.Random(5)), nyc]


def outcome(files: Files) -> Policy | tuple[Problem, ...]:
    """Load, and check whatever comes of it."""
    try:
        policy = load_policy(files)
    except PolicyError as refused:
        return refusal(refused, files)
    said(policy.warnings, files)
    assert load_canonical(policy.canonical) == policy
    facts = some_facts()
    assert compile_policy(policy).decide(facts) == decide_plainly(policy, facts)
    return policy


def refusal(refused: PolicyError, files: Files) -> tuple[Problem, ...]:
    assert any(problem.number.startswith("E") for problem in refused.problems)
    assert str(refused)
    said(refused.problems, files)
    return refused.problems


def said(problems: tuple[Problem, ...], files: Files) -> None:
    """Every problem is about a file of the directory, at a line it has, in one line of words in both languages."""
    for problem in problems:
        assert problem.file in files or problem.file == "policy.yaml"
        assert (problem.line == 0) == (problem.column == 0), problem
        content = files.get(problem.file, b"")
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
        assert 0 <= problem.line <= len(text.splitlines()) + 1, problem
        for language in ("en", "zh"):
            words = problem.render(language)
            place, _, message = words.removeprefix(f"{problem.file}:").partition(f" {problem.number} ")
            assert place == f"{problem.line}:{problem.column}"
            assert message.strip()
            assert message.isprintable(), message


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_directory_is_a_policy_or_problems_with_places(part: int):
    seen: Counter[str] = Counter()
    sound = bases()
    for seed in range(part, DIRECTORIES, PARTS):
        rng = random.Random(f"fuzz {seed}")
        files = dict(rng.choices(sound, (30, 30, 15, 15, 8, 2))[0])
        for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
            if files:
                rng.choice(DAMAGES)(rng, files)
        try:
            found = outcome(files)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {files}") from error
        seen.update({"policy"} if isinstance(found, Policy) else {problem.number for problem in found})
    assert seen["policy"] > 20
    assert len(seen) > 14  # codes of problems: the damage reaches the checks, not only the parser


def test_the_sound_directories_are_policies():
    assert all(isinstance(outcome(files), Policy) for files in bases())


def test_a_crash_of_the_loader_would_be_seen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rules.loader, "check_rules", lambda *_: 1 // 0)
    with pytest.raises(AssertionError, match="seed"):
        test_a_damaged_directory_is_a_policy_or_problems_with_places(0)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(VALUES)
WORDS = st.sampled_from(
    [*rules.loader._SECTIONS, *rules.loader._HEADER, "id", "when", "not", "lead", "zh", "limit", "steps", "03.02"]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=6), inner, max_size=5),
    max_leaves=20,
)


def as_yaml(tree: object) -> str:
    """Flow style; texts sometimes bare, as people write them."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{as_yaml(key)}: {as_yaml(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(as_yaml, tree)) + "]"
    return str(tree)


@settings(max_examples=400, derandomize=True, database=None)
@given(st.dictionaries(WORDS, TREES, max_size=6), st.sampled_from(sorted(FILES)), st.booleans())
def test_a_made_up_file_is_read_or_refused(tree: dict, name: str, beside: bool):
    files = {each: text.encode() for each, text in FILES.items()}
    made = as_yaml(tree).encode("utf-8", "surrogatepass")
    files[f"catalogue/{name.replace('/', '-')}" if beside else name] = made
    outcome(files)


@settings(max_examples=200, derandomize=True, database=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from([*TABLE.replace("\n", ",").split(","), '"', "|", "\0", "\r"]) | st.text(max_size=5),
            max_size=12,
        ),
        max_size=6,
    )
)
def test_a_made_up_table_is_read_or_refused(rows: list[list[str]]):
    files = bases()[2]
    files["catalogue/more.csv"] = "\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass")
    outcome(files)
