"""The section `notices` of the configuration, and which recipient it leads where."""

from pathlib import Path

import pytest
from notices_cases import City, settings

from dispatcher.config import ConfigError, load_config
from dispatcher.notices import Routes
from dispatcher.notices.routes import Reached

ROOT = Path(__file__).parent.parent.parent
GOOD = "policy: p\ngrid: g.json\n"
MAIL = "    mail: {kind: smtp, host: h, sender: a@b.example}\n"
CHANNELS = "  channels:\n    hub: {kind: webhook, secret_env: S}\n" + MAIL


def load(tmp_path: Path, text: str, environment: dict[str, str] | None = None):
    path = tmp_path / "config.yaml"
    path.write_text(GOOD + text, encoding="utf-8")
    return load_config(path, environment or {}).notices


def test_without_a_section_everything_goes_to_the_log(tmp_path: Path) -> None:
    made = load(tmp_path, "")
    assert made == settings()
    assert Routes(made, City().ledger).of("anybody") == Reached("log")


def test_what_is_shipped_is_the_default_and_its_examples_are_valid(tmp_path: Path) -> None:
    shipped = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert load_config(ROOT / "config.yaml", {}).notices == settings()
    section = shipped[shipped.index("\nnotices:") :].replace("\n  # ", "\n  ")
    section = section.replace("Secrets are", "# ").replace("The first route", "# ")
    made = load(tmp_path, section)
    assert list(made.channels) == ["hub", "mail"]
    assert [route.to for route in made.routes] == ["gas-company", "report:*", "*"]


def test_environment(tmp_path: Path) -> None:
    made = load(tmp_path, "", {"DISPATCHER__NOTICES__DIGEST_MINUTES": "5", "DISPATCHER__NOTICES__LANGUAGE": "en"})
    assert (made.digest_minutes, made.language) == (5, "en")


BAD = {
    "notices: {digest_minuts: 5}": "notices.digest_minuts",
    "notices: {quiet_from: 22:00}": "notices.quiet_from",  # YAML reads 1320
    'notices: {quiet_from: "24:00"}': "notices.quiet_from",
    "notices: {language: fr}": "notices.language",
    "notices: {attempts_max: 0}": "notices.attempts_max",
    "notices: {digest_minutes: 60, late_minutes: 30}": "late_minutes must be at least digest_minutes",
    "notices:\n  channels: {hub: {kind: pigeon}}": "pigeon",
    "notices:\n  channels: {hub: {kind: webhook}}": "secret_env",
    "notices:\n  channels: {hub: {kind: webhook, secret_env: a b}}": "secret_env",
    "notices:\n  channels: {log: {kind: log}}": "the name log is taken",
    "notices:\n  channels: {m: {kind: smtp, host: h, sender: nobody}}": "sender",
    "notices:\n  channels: {m: {kind: smtp, host: h, sender: a@b, user_env: U}}": "go together",
    "notices:\n  routes: [{to: x, channel: hub}]": "there is no channel hub",
    "notices:\n" + CHANNELS + "  routes: [{to: x, channel: hub}]": "a webhook needs an address",
    "notices:\n" + CHANNELS + "  routes: [{to: x, channel: hub, address: 'file:///etc/passwd'}]": "an http or https",
    "notices:\n" + CHANNELS + "  routes: [{to: x, channel: hub, address: 'http://u:p@h/'}]": "an http or https",
    "notices:\n" + CHANNELS + "  routes: [{to: x, channel: hub, address: 'http://h:many/'}]": "an http or https",
    "notices:\n" + CHANNELS + "  routes: [{to: x, channel: hub, address: 'https:///x'}]": "an http or https",
    "notices:\n" + CHANNELS + "  routes: [{to: '*', channel: mail}]": "mail needs an address",
}


@pytest.mark.parametrize(("text", "said"), BAD.items(), ids=range(len(BAD)))
def test_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert said in str(error.value)


def test_the_first_route_that_takes_a_recipient_is_used() -> None:
    made = settings(
        channels={"hub": {"kind": "webhook", "secret_env": "S"}, "quiet": {"kind": "log"},
                  "mail": {"kind": "smtp", "host": "h", "sender": "a@b.example"}},
        routes=[
            {"to": "gas-company", "channel": "hub", "address": "http://gas.example"},
            {"to": "street-office@*", "channel": "mail", "address": "streets@city.example"},
            {"to": "report:app/*"},
            {"to": "report:*", "channel": "mail"},
            {"to": "cell:*", "channel": "quiet"},
            {"to": "*", "channel": "mail", "address": "all@city.example"},
        ],
    )  # fmt: skip
    city = City()
    city.reporter("r1", name="Li", email=" li@example.org ")
    routes = Routes(made, city.ledger)
    assert routes.of("gas-company") == Reached("hub", "http://gas.example")
    assert routes.of("gas-company@530001") == Reached("mail", "all@city.example")
    assert routes.of("street-office@530001") == Reached("mail", "streets@city.example")
    assert routes.of("report:app/r1") == Reached("log")
    assert routes.of("report:hotline/r1") == Reached("mail", "li@example.org")
    assert routes.of("report:hotline/r2") == Reached("mail", why="no contact")
    assert routes.of("cell:530001001") == Reached("quiet")
    assert routes.of("city") == Reached("mail", "all@city.example")


@pytest.mark.parametrize(
    ("email", "reached"),
    [("li@example.org", True), ("李@例子.中国", True), ("", False), ("li", False), ("li@", False), ("@x", False),
     ("a@b, c@d", False), ("Li <li@example.org>", False), ("li@x\n", True), ("li@x\nBcc: y@z", False),
     ("x" * 65 + "@example.org", False), ("a@b@c", False), (None, False)],
)  # fmt: skip
def test_addresses_that_reporters_leave(email: str | None, reached: bool) -> None:
    made = settings(channels={"mail": {"kind": "smtp", "host": "h", "sender": "a@b.example"}},
                    routes=[{"to": "report:*", "channel": "mail"}])  # fmt: skip
    city = City()
    city.reporter("r1", email=email)
    assert (Routes(made, city.ledger).of("report:hotline/r1").why is None) is reached
