"""Is there a combination of facts for which all of this is true? Exact, deterministic, within a budget of steps.

A *variable* is one fact with finitely many values that rules tell apart; a set of its values is a bit mask. A
*literal* (variable, mask) says the value is one of the mask's; a *clause* is a list of literals of which one must hold.
"This rule does not hold" is one clause: some condition of it fails. So all questions of the lint become: do these
clauses have a common solution? Found by cases (Davis, Logemann and Loveland 1962), on variables of several values:

- a clause with one literal left decides its variable;
- a value that satisfies no more clauses than another one is not needed;
- clauses that share no variable are solved apart;
- otherwise the shortest clause is tried literal by literal, each later one knowing that the earlier ones failed.
"""

from collections.abc import Iterable, Sequence

Literal = tuple[int, int]
Clause = Sequence[Literal]
Domains = dict[int, int]
"""By variable, the mask of the values that are still possible."""


MAX_DEPTH = 150
"""Cases within cases: well inside what the interpreter can nest."""


class OutOfBudgetError(Exception):
    """The question was given up, undecided."""


class Budget:
    """Steps that may still be spent; a step is a clause looked at."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Raise OutOfBudgetError when there are no more."""
        self.left -= steps
        if self.left < 0:
            raise OutOfBudgetError


def satisfy(domains: Domains, clauses: Iterable[Clause], budget: Budget, depth: int = 0) -> Domains | None:
    """Return domains all of whose values satisfy every clause, or None when there are none.

    Every variable of a clause must be in `domains`, at most once in each clause. Raises OutOfBudgetError.
    """
    if depth > MAX_DEPTH:
        raise OutOfBudgetError
    domains = dict(domains)
    reduced = _reduced(domains, clauses, budget)
    if reduced is None:
        return None
    parts = _apart(reduced)
    if len(parts) > 1:
        for part in parts:
            found = satisfy({var: domains[var] for clause in part for var, _ in clause}, part, budget, depth + 1)
            if found is None:
                return None
            domains |= found
        return domains
    return _by_cases(domains, reduced, budget, depth) if reduced else domains


def _by_cases(domains: Domains, clauses: list[Clause], budget: Budget, depth: int) -> Domains | None:
    for var, mask in min(clauses, key=len):
        found = satisfy({**domains, var: domains[var] & mask}, clauses, budget, depth + 1)
        if found is not None:
            return found
        domains[var] &= ~mask
    return None


def _reduced(domains: Domains, clauses: Iterable[Clause], budget: Budget) -> list[Clause] | None:
    """Return the clauses still open, with their open literals, once nothing more follows; None for a contradiction."""
    while True:
        left: list[Clause] = []
        decided = False
        for clause in clauses:
            budget.spend(1)
            literals = []
            for var, mask in clause:
                domain = domains[var]
                if not domain & ~mask:
                    break
                if domain & mask:
                    literals.append((var, mask))
            else:
                if not literals:
                    return None
                if len(literals) == 1:
                    var, mask = literals[0]
                    domains[var] &= mask
                    decided = True
                else:
                    left.append(literals)
        clauses = left
        if not decided and not _drop_needless(domains, left):
            return left


def _drop_needless(domains: Domains, clauses: list[Clause]) -> bool:
    """Take values away that satisfy no more clauses than another value of the same variable; whether there were any."""
    literals: dict[int, list[tuple[int, int]]] = {}
    for number, clause in enumerate(clauses):
        for var, mask in clause:
            literals.setdefault(var, []).append((number, mask))
    dropped = False
    for var, wanted in literals.items():
        groups = {domains[var]: 0}  # values alike so far → the clauses that they satisfy
        for number, mask in wanted:
            for group, satisfied in list(groups.items()):
                inside = group & mask
                if inside:
                    del groups[group]
                    groups[inside] = satisfied | 1 << number
                    if group != inside:
                        groups[group ^ inside] = satisfied
        needed = 0
        kept: list[int] = []
        for group, satisfied in sorted(groups.items(), key=lambda item: (-item[1].bit_count(), item[0] & -item[0])):
            if not any(satisfied & ~other == 0 for other in kept):
                kept.append(satisfied)
                needed |= group
        if needed != domains[var]:
            domains[var] = needed
            dropped = True
    return dropped


def _apart(clauses: list[Clause]) -> list[list[Clause]]:
    """Split clauses into groups that have no variable in common."""
    groups: list[tuple[set[int], list[Clause]]] = []
    for clause in clauses:
        variables, members = {var for var, _ in clause}, [clause]
        others = []
        for group in groups:
            if group[0].isdisjoint(variables):
                others.append(group)
            else:
                variables |= group[0]
                members = group[1] + members
        groups = [*others, (variables, members)]
    return [members for _, members in groups]
