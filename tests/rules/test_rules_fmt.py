"""Tidying: what it does to the text, that it does it once, and that it never changes what a policy says."""

import random
from pathlib import Path

import pytest
from rules_random import policy_files
from rules_small import FILES, files

import rules.fmt as fmt_module
from rules import load_policy
from rules.fmt import MeaningChanged, tidy

ROOT = Path(__file__).parent.parent.parent


def small_with(**more: str) -> dict[str, bytes]:
    return files(("include: [catalogue/*.yaml,", "include: [catalogue/*.yaml, own.yaml,"), own_yaml=more["own"])


def tidied(own: str) -> str:
    given = small_with(own=own)
    return (given | tidy(given))["own.yaml"].decode()


KEEPS_ITS_END = 'categories:\n  "9":\n    zh: |+\n      a\n\n\n'  # `+`: the empty lines are part of the text
BLOCK = 'categories:\n  "9":\n    zh: |\n      kept  \n      b\n'  # blanks at the end of a line are part of the text


@pytest.mark.parametrize(
    ("own", "becomes"),
    [
        ('categories:\n  09.90: {zh: a}\n', 'categories:\n  "09.90": {zh: a}\n'),
        ('categories:\n  "9": {zh: 1, en: no, aliases: [1.5, 2026-01-01]}\n',
         'categories:\n  "9": {zh: "1", en: "no", aliases: ["1.5", "2026-01-01"]}\n'),
        ("categories:\n  '9': {zh: 'a'}   # 'said'  \n\n\n", 'categories:\n  "9": {zh: "a"}   # \'said\'\n'),
        ("categories:\n  '9': {zh: 'it''s', en: 'a\"b'}\n", "categories:\n  \"9\": {zh: 'it''s', en: 'a\"b'}\n"),
        ('\ufeffcategories:\r\n  "9": {zh: a}\r\n', 'categories:\n  "9": {zh: a}\n'),
        ('categories:\n  "9":   {zh:   a}', 'categories:\n  "9":   {zh:   a}\n'),  # layout is the writer's
        (BLOCK, BLOCK),
        (KEEPS_ITS_END, KEEPS_ITS_END),
        ('categories:\r  "9": {zh: a}\r \n', 'categories:\n  "9": {zh: a}\n'),
    ],
)  # fmt: skip
def test_what_becomes_of_a_text(own: str, becomes: str):
    assert tidied(own) == becomes


def test_a_policy_that_could_not_load_for_its_quotes_then_loads():
    given = small_with(own="categories:\n  09.90: {zh: 1}\n")
    assert load_policy(given | tidy(given)).category("09.90").zh == "1"


def test_tables_keep_all_but_line_ends():
    given = small_with(own="categories: {}\n") | {"catalogue/more.csv": b"\xef\xbb\xbfcode,zh\r\n9,a  \r\n"}
    assert tidy(given)["catalogue/more.csv"] == b"\xef\xbb\xbfcode,zh\n9,a  \n"


def test_a_line_break_within_a_cell_is_part_of_its_text():
    given = files(("[catalogue/*.yaml", "[catalogue/*.yaml, catalogue/*.csv"))
    given["catalogue/more.csv"] = b'code,zh\r\n9,"a\r\nb"\r\n'
    assert tidy(given)["catalogue/more.csv"] == b'code,zh\n9,"a\r\nb"\n'


@pytest.mark.parametrize("policy", ["examples/nyc/policy", "rules/city"])
def test_the_shipped_policies_are_tidy(policy: str):
    given = {
        file.relative_to(ROOT / policy).as_posix(): file.read_bytes()
        for file in (ROOT / policy).rglob("*")
        if file.suffix in (".yaml", ".csv")
    }
    assert not tidy(given)


def damaged(seed: int) -> dict[str, bytes]:
    rng = random.Random(seed)
    given = policy_files(rng) if seed % 3 == 0 else {name: text.encode() for name, text in FILES.items()}
    name = rng.choice(sorted(given))
    content = bytearray(given[name])
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(content) or 1)
        content[at : at + rng.randint(0, 2)] = rng.choice(
            [b"'", b'"', b"  \n", b"\r\n", b"1", b"~", b": ", b"\xff", b"|\n", b"|+\n", b"\r", b"\xef\xbb\xbf"]
        )
    given[name] = bytes(content)
    return given


def test_it_is_done_once_and_changes_no_meaning():
    changed = 0
    for seed in range(150):
        given = damaged(seed)
        try:
            once = given | tidy(given)
        except MeaningChanged as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        assert not tidy(once), seed
        changed += once != given
    assert changed > 40


def test_bytes_that_are_no_text_stay_as_they_are():
    given = small_with(own="categories: {}\n") | {"own.yaml": b"\xff  \r\n", "t.csv": b"\xff\r\n"}
    assert not {"own.yaml", "t.csv"} & tidy(given).keys()


def test_unquoted_texts_of_a_table_are_not_its_writers_fault():
    given = files(("[catalogue/*.yaml", "[catalogue/*.yaml, catalogue/*.csv"))
    given["catalogue/t.csv"] = b"code,severity\n9,high\n"
    assert not tidy(given)


def test_a_file_that_would_say_something_else_is_refused_though_nothing_loads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fmt_module, "_spaced", lambda name, content: content.replace(b"severity", b"severty"))
    with pytest.raises(MeaningChanged, match=r"catalogue/categories\.yaml: tidying would change what it says"):
        tidy(files(("name: small\n", "")))


def test_a_change_of_meaning_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fmt_module, "_spaced", lambda name, content: content.replace(b"severity: 2", b"severity: 3"))
    whole = {name: text.encode() for name, text in FILES.items()}
    with pytest.raises(MeaningChanged, match="what it says"):
        tidy(whole)
    monkeypatch.setattr(fmt_module, "_texts", lambda *_: None)  # should one look not see it, the sha256 does
    with pytest.raises(MeaningChanged, match="sha256"):
        tidy(whole)
