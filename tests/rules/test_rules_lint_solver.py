"""The solver against trying every combination."""

import random
from itertools import product

import pytest

from rules.lint.solver import Budget, OutOfBudgetError, satisfy


def problem(rng: random.Random) -> tuple[dict[int, int], list[tuple[tuple[int, int], ...]]]:
    sizes = [rng.randint(1, 4) for _ in range(rng.randint(1, 5))]
    domains = {var: (1 << size) - 1 for var, size in enumerate(sizes)}
    clauses = [
        tuple(
            (var, rng.randint(0, domains[var]))
            for var in rng.sample(list(domains), rng.randint(1, min(3, len(domains))))
        )
        for _ in range(rng.randint(0, 14))
    ]
    return domains, clauses


def solutions(domains: dict[int, int], clauses: list) -> set[tuple[int, ...]]:
    values = [[1 << at for at in range(mask.bit_length()) if mask >> at & 1] for mask in domains.values()]
    return {
        chosen
        for chosen in product(*values)
        if all(any(chosen[var] & mask for var, mask in clause) for clause in clauses)
    }


@pytest.mark.parametrize("part", range(3))
def test_equals_trying_everything(part: int):
    rng = random.Random(f"solver {part}")
    solvable = 0
    for _ in range(700):
        domains, clauses = problem(rng)
        wanted = solutions(domains, clauses)
        found = satisfy(domains, clauses, Budget(100_000))
        assert (found is not None) == bool(wanted), (domains, clauses)
        if found is not None:
            solvable += 1
            assert solutions({**domains, **found}, []) <= wanted, "every value left must do"
    assert 200 < solvable < 650


def test_the_arguments_are_left_alone():
    domains, clauses = {0: 0b11, 1: 0b11}, [((0, 0b01), (1, 0b01)), ((0, 0b10),)]
    assert satisfy(domains, clauses, Budget(10)) == {0: 0b10, 1: 0b01}
    assert domains == {0: 0b11, 1: 0b11}


def test_gives_up_when_the_budget_is_spent():
    # pigeons into one hole less: without a solution, and long to find out
    pigeons, holes = 9, 8
    domains = dict.fromkeys(range(pigeons), (1 << holes) - 1)
    clauses = [
        ((one, ~(1 << hole) & (1 << holes) - 1), (other, ~(1 << hole) & (1 << holes) - 1))
        for hole in range(holes)
        for one in range(pigeons)
        for other in range(one)
    ]
    with pytest.raises(OutOfBudgetError):
        satisfy(domains, clauses, Budget(5_000))
    assert satisfy(dict(list(domains.items())[:holes]), [c for c in clauses if c[0][0] < holes], Budget(50_000))


def test_gives_up_where_cases_would_nest_too_deep(monkeypatch: pytest.MonkeyPatch):
    chain = dict.fromkeys(range(40), 0b111)
    clauses = [((var, 0b011), (var + 1, 0b110)) for var in range(39)]
    clauses += [((var, 0b101), (var + 1, 0b011)) for var in range(39)]
    clauses += [((var, 0b110), (var + 1, 0b101)) for var in range(39)]
    assert satisfy(chain, clauses, Budget(100_000)) is not None
    monkeypatch.setattr("rules.lint.solver.MAX_DEPTH", 2)
    with pytest.raises(OutOfBudgetError):
        satisfy(chain, clauses, Budget(100_000))
