"""Putting a policy in force over HTTP: a draft or a former one, checked as the command line checks it."""

from typing import Any, Final, Literal, NamedTuple

import msgspec

from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.city import City
from dispatcher.gateway.commanding import commanded
from dispatcher.gateway.drafts import Drafts
from dispatcher.gateway.enacted import ever_in_force
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import Person
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.setup import POLICY_SUFFIXES, unmet
from dispatcher.ledger import Ledger
from dispatcher.policies.activation import Stale, activate, lost_departments, without_topics
from dispatcher.policies.control import REFUSALS, Submitted
from rules import Policy, PolicyError, load_canonical, load_policy
from rules import Problem as PolicyProblem
from rules.problems import Language

__all__ = ["Wish", "put_in_force", "read_draft"]

POLICY_CHARS_MAX: Final = 4_000_000  # the policy of a city has 300,000; what is beyond is no policy


class Wish(NamedTuple):
    """What is asked for: a draft, or one that was in force before."""

    what: Literal["draft", "former"]
    sha256: str
    expects: str
    by: str
    reason: str


async def read_draft(
    city: City,
    atlas: Atlas,
    drafts: Drafts,
    person: Person,
    files: dict[str, str],
    lang: Language,
    *,
    keep: bool,
) -> dict[str, Any]:
    """Load a policy: what is wrong with it; kept, when that is asked for, if it can be put in force.

    Raises:
        Problem: 413 it is larger than a policy is, 422 a file is of another kind.
    """
    if sum(map(len, files.values())) > POLICY_CHARS_MAX:
        raise Problem(413, "too_large", f"a policy has at most {POLICY_CHARS_MAX:,} characters")
    strange = next((name for name in files if not name.endswith(POLICY_SUFFIXES)), None)
    if strange is not None:
        raise Problem(422, "invalid", f"{strange[:64]}: files of a policy end in {', '.join(POLICY_SUFFIXES)}")
    async with city.trying:
        policy, problems = await city.work(lambda: _load({name: text.encode() for name, text in files.items()}))
    told: dict[str, Any] = {
        "sha256": None if policy is None else policy.sha256,
        "problems": [_told(problem, lang) for problem in problems],
        "unmet": [] if policy is None else unmet(policy, atlas.grid_version),
        "kept": False,
    }
    if policy is not None:
        told |= {"name": policy.name, "version": policy.version}
        if keep and not told["unmet"]:
            drafts.keep(policy, person)
            told["kept"] = True
    return told


async def put_in_force(city: City, atlas: Atlas, drafts: Drafts, wish: Wish, wait_s: float) -> dict[str, Any]:
    """Check what lies around the policy, write, and say what the engine made of it.

    Raises:
        Problem: 404 there is no such policy; 409 another is in force than was to be replaced, or it is this one
            already, or something that it requires is not there.
        LedgerError: the ledger cannot be written.
    """
    policy = await _wanted(city, drafts, wish)
    missing, in_force = unmet(policy, atlas.grid_version), await city.policy()
    new = await city.consult(lambda ledger: without_topics(ledger, policy, in_force))
    missing += [f"topics of department {code}, which `dispatcher topics create` makes" for code in new]
    if missing:
        raise Problem(409, "unmet", f"the policy requires {'; '.join(missing)}; nothing was changed")
    lost = await city.consult(lambda ledger: lost_departments(ledger, policy))

    def write(ledger: Ledger) -> Submitted | None:
        refuse_unfinished_replay(ledger)
        ends = ledger.ends(REFUSALS)
        written = activate(ledger, policy, expects=wish.expects, by=wish.by, reason=wish.reason)
        if written is None or written.command is None:
            return None
        return Submitted(written.command.command_id, written, ends)

    try:
        told = await commanded(city, write, wait_s)
    except Stale as stale:
        said = f"{stale.in_force or 'nothing'} is in force, not {wish.expects}: look again; nothing was changed"
        raise Problem(409, "stale", said) from stale
    if told is None:
        raise Problem(409, "already", "it is in force already, or about to be; nothing was changed")
    return told | {"sha256": policy.sha256, "lost": [each._asdict() for each in lost]}


async def _wanted(city: City, drafts: Drafts, wish: Wish) -> Policy:
    if wish.what == "draft":
        canonical = drafts.canonical(wish.sha256)
        if canonical is None:
            raise Problem(404, "not_found", "no such policy was handed in; `POST /v1/policy/validate` with `keep` does")
        return await city.work(lambda: load_canonical(canonical))
    policy = await city.policy_of(wish.sha256)
    if policy is None or wish.sha256 not in await ever_in_force(city):
        raise Problem(404, "not_found", "no such policy was ever in force here")
    return policy


def _load(files: dict[str, bytes]) -> tuple[Policy | None, tuple[PolicyProblem, ...]]:
    try:
        policy = load_policy(files)
    except PolicyError as error:
        return None, error.problems
    return policy, policy.warnings


def _told(problem: PolicyProblem, lang: Language) -> dict[str, Any]:
    message, hint = problem.said(lang)
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "code": problem.number,
        "message": message,
        "hint": hint,
        "values": dict(msgspec.to_builtins(problem.values)),
    }
