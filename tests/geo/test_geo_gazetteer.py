import random

import pytest

import geo.table
from geo import TableError, load_gazetteer
from geo.gazetteer import MAX_ALIASES, normalise

HEAD = "name,aliases,kind,lon,lat,cell\n"


def gazetteer(*lines, **options):
    return load_gazetteer((HEAD + "\n".join(lines) + "\n").encode(), **options)


def problems(data, **options):
    with pytest.raises(TableError) as caught:
        load_gazetteer(data if isinstance(data, bytes) else data.encode(), **options)
    return list(map(str, caught.value.problems))


TOWN = gazetteer(
    "幸福小区,Happy Compound|幸福家园,compound,114.1,30.5,1a",
    "幸福路,Xingfu Road|Xingfu Rd.,road,114.2,30.6,",
    "和平小区,Peace Compound,compound,114.3,30.7,1b",
    "人民公园,People's Park|公园,park,114.4,30.8,1a",
    "滨江公园,River Park|公园,park,114.5,30.9,1b",
    "一区,,area,,,1a",
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("幸福 小区", "幸福小区"),
        ("幸福(小区)", "幸福小区"),
        ("ＸＩＮＧＦＵ　ＲＤ．", "xingfurd"),
        ("People’s  Park", "peoplespark"),
        ("Straße № 5\t#2", "strasseno52"),
        ("①号楼", "1号楼"),
        ("—·、。!", ""),
    ],
)
def test_normalise(text, normal):
    assert normalise(text) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    "address", ["幸福小区", " 幸福-小区 ", "happy compound", "ＨＡＰＰＹ　ＣＯＭＰＯＵＮＤ", "幸福家园。"]
)
def test_one_exact_alias_locates(address):
    match = TOWN.find(address)
    assert match.entry is not None
    assert (match.entry.name, match.entry.lon, match.entry.lat, match.entry.cell) == ("幸福小区", 114.1, 30.5, "1a")
    assert [(candidate.entry, candidate.score) for candidate in match.candidates] == [(match.entry, 1.0)]


def test_an_entry_may_have_a_cell_only():
    entry = TOWN.find("一区").entry
    assert entry is not None
    assert (entry.lon, entry.lat, entry.cell) == (None, None, "1a")


def test_an_alias_of_two_entries_is_ambiguous():
    match = TOWN.find("公园")
    assert match.entry is None
    assert [(candidate.entry.name, candidate.score) for candidate in match.candidates] == [
        ("人民公园", 1.0),
        ("滨江公园", 1.0),
    ]


@pytest.mark.parametrize(
    ("address", "best"),
    [
        ("幸福小区3号楼2单元", "幸福小区"),
        ("和平小区东门", "和平小区"),
        ("xingfu raod", "幸福路"),
        ("peoples park gate 2", "人民公园"),
        ("滨江", "滨江公园"),
    ],
)
def test_anything_else_is_ranked(address, best):
    match = TOWN.find(address)
    assert match.entry is None
    assert match.candidates[0].entry.name == best
    scores = [candidate.score for candidate in match.candidates]
    assert scores == sorted(scores, reverse=True)
    assert 0.0 < scores[-1] <= scores[0] < 1.0


@pytest.mark.parametrize("address", ["", "  ", "。。。", "ξ", "\ud800"])
def test_nothing_alike(address):
    assert TOWN.find(address).candidates == ()


def naive_ranking(entries, address, limit):
    def pairs(text):
        padded = f"\x02{text}\x03"
        return {padded[i : i + 2] for i in range(len(padded) - 1)} if text else set()

    def dice(one, other):
        return 2 * len(one & other) / (len(one) + len(other))

    wanted = pairs(normalise(address))
    scored = [
        (-max(dice(wanted, pairs(normalise(alias))) for alias in (entry.name, *entry.aliases)), number)
        for number, entry in enumerate(entries)
    ]
    return [(entries[number].name, round(-score, 3)) for score, number in sorted(scored) if score < 0][:limit]


def test_ranking_equals_comparing_with_every_entry(city):
    book = load_gazetteer(city.gazetteer_csv)
    rng = random.Random(8)
    for _ in range(60):
        entry = rng.choice(book.entries)
        text = rng.choice((entry.name, *entry.aliases))
        cut = rng.randrange(len(text))
        address = text[:cut] + rng.choice(["", "路", "x", "3号楼"]) + text[cut + 1 :]
        match = book.find(address, limit=7)
        if not any(candidate.score == 1.0 for candidate in match.candidates):
            ranked = [(candidate.entry.name, candidate.score) for candidate in match.candidates]
            assert ranked == naive_ranking(book.entries, address, 7)


def test_the_order_of_the_file_does_not_matter(city):
    heading, *lines = city.gazetteer_csv.decode().splitlines(keepends=True)
    shuffled = random.Random(9).sample(lines, len(lines))
    one, other = load_gazetteer(city.gazetteer_csv), load_gazetteer((heading + "".join(shuffled)).encode())
    for address in ("安和小区12号", "公园路", "Anhe Road 7"):
        assert one.find(address) == other.find(address)


def test_an_address_is_read_up_to_its_limit():
    assert TOWN.find("幸福小区" + "很" * 100_000).candidates[0].entry.name == "幸福小区"
    assert len(TOWN.find("小区", limit=1).candidates) == 1


def test_columns_may_come_in_any_order_and_more_are_ignored():
    book = load_gazetteer("\ufeffkind,note,cell,lat,lon,aliases,name\r\nroad,x,7,30,114,a | b |,c\r\n\r\n".encode())
    assert [(entry.name, entry.aliases, entry.lon, entry.cell) for entry in book.entries] == [
        ("c", ("a", "b"), 114.0, "7")
    ]


def test_all_problems_are_listed_at_once():
    data = (
        HEAD
        + 'ok,,road,1,2,\n,,road,1,2,\n"split\nname",,,200,91,\nx,,road,nan,y,\n!!,？,road,1,,\nz,,road,,,\n'
        + "w,,road,1,2,nowhere\nok,,road,1,2,\nshort,row\n"
        + f"many,{'|'.join(f'a{i}' for i in range(MAX_ALIASES))},road,1,2,\n"
    )
    assert problems(data, cells={"1a"}) == [
        "line 3: `name` is empty",
        "line 4: `lon` must be degrees within ±180, not '200'",
        "line 4: `lat` must be degrees within ±90, not '91'",
        "line 4: `kind` is empty",
        "line 6: `lon` must be degrees within ±180, not 'nan'",
        "line 6: `lat` must be degrees within ±90, not 'y'",
        "line 7: '!!' has neither letters nor digits",
        "line 7: '？' has neither letters nor digits",
        "line 7: `lon` and `lat` must be given together",
        "line 8: needs a position or a cell",
        "line 9: there is no cell 'nowhere'",
        "line 10: the same as line 2",
        "line 11: 2 fields where the heading has 6",
        f"line 12: {MAX_ALIASES} aliases; at most {MAX_ALIASES - 1} are allowed",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", ["line 1: the file is empty"]),
        (b"name,kind\n", ["line 1: the heading must name once: aliases, lon, lat, cell"]),
        (b"name,name,aliases,kind,lon,lat,cell\n", ["line 1: the heading must name once: name"]),
        (b"name,x,x,aliases,kind,lon,lat,cell\n", ["line 1: the heading must name once: each name"]),
        (HEAD.encode() + b"a,,road,1,2,\n\xff,,road,1,2,\n", ["line 3: not UTF-8"]),
    ],
)
def test_files_that_are_no_table(data, said):
    assert problems(data) == said


def test_broken_quotes_and_limits(monkeypatch):
    [said] = problems(HEAD + 'a,,road,1,2,\n"b"c,,road,1,2,\n')
    assert said.startswith("line 3: not CSV: ")
    assert problems(HEAD + f"{'x' * 4001},,road,1,2,\n") == ["line 2: a field is longer than 4000 characters"]
    monkeypatch.setattr(geo.table, "MAX_ROWS", 1)
    assert problems(HEAD + "a,,road,1,2,\nb,,road,1,2,\nc,,road,1,2,\n") == ["line 3: more than 1 rows"]


def test_an_empty_gazetteer_finds_nothing():
    assert gazetteer().find("anything").candidates == ()
