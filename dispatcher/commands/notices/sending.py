"""`dispatcher notices test`."""

import time
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.core import ms_to_text
from dispatcher.hosts.setup import policy_in_force, read_policy
from dispatcher.ledger import Ledger, MemoryLedger, SqliteLedger
from dispatcher.notices.channel import Delivered
from dispatcher.notices.compose import Voice, compose
from dispatcher.notices.notice import Notice
from dispatcher.notices.routes import Routes, open_channels

__all__ = ["test_command", "zone_of"]

_WORDS = {
    "en": {
        "delivered": "{to}: delivered by {channel}",
        "failed": "{to}: {channel} failed: {reason}",
        "unreachable": "{to}: cannot be reached by {channel}: {reason}",
    },
    "zh": {
        "delivered": "{to}：已由 {channel} 送达",
        "failed": "{to}：{channel} 发送失败：{reason}",
        "unreachable": "{to}：{channel} 无法联系：{reason}",
    },
}


def test_command(config_path: Path, ledger_path: Path | None, to: str, *, lang: str, json: bool) -> None:
    """Send one message to a recipient by its route; exit 1 when it was not delivered."""
    words = _WORDS[language_of(lang)]
    config = config_of(config_path)
    channels = open_channels(config.notices)
    ledger = _ledger(ledger_path or config.ledger)
    try:
        reached = Routes(config.notices, ledger).of(to)
        voice = Voice(config.notices.language, zone_of(ledger, config.policy))
    finally:
        ledger.close()
    outcome, reason = "unreachable", reached.why
    if reached.why is None:
        now = ms_to_text(time.time_ns() // 1_000_000)
        notice = Notice(notice_id=f"notice:test:{now}", at=now, to=to, template="test")
        answer = channels[reached.channel].deliver(compose(to, [notice], voice, address=reached.address))
        outcome, reason = ("delivered", None) if isinstance(answer, Delivered) else ("failed", answer.reason)
    said = words[outcome].format(to=to, channel=reached.channel, reason=reason)
    if json:
        print_json({"to": to, "channel": reached.channel, "outcome": outcome, "reason": reason})
    elif outcome == "delivered":
        out.print(said, soft_wrap=True)
    if outcome != "delivered":
        fail(said)


def zone_of(ledger: Ledger, policy: Path) -> ZoneInfo:
    """The zone of the policy in force; before there is one, of the policy that will be."""
    in_force = policy_in_force(ledger)
    return (read_policy(policy) if in_force is None else in_force).timezone


def _ledger(path: Path) -> Ledger:
    """To read; channels can be tried out before there is a ledger: then no reporter is known."""
    return SqliteLedger(path, read_only=True) if path.exists() else MemoryLedger()
