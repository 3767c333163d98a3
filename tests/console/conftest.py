"""The console of a running city in a real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_city import ROLES
from console_visits import Visit, visits_to
from gateway_process import Gateway, gateway_at
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. Without it what wants it is skipped, saying so; where CI is set, it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing = "no Chromium: `apt-get install chromium`, or any Chromium as `chromium` on the PATH"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(f"NOT TESTED IN A BROWSER: {missing}")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Not for longer: its driver keeps a loop running in this thread, in which asynchronous tests could not run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A made-up town under the shipped policy, for the tests that do it no harm."""
    with gateway_at(ROOT / "examples/city/config.yaml", tmp_path_factory.mktemp("city"), roles=ROLES) as made:
        yield made


@pytest.fixture
def own_city(tmp_path: Path) -> Iterator[Gateway]:
    """One that may be killed."""
    with gateway_at(ROOT / "examples/city/config.yaml", tmp_path, roles=ROLES) as made:
        yield made


@pytest.fixture
def visit(browser: Browser, city: Gateway) -> Iterator[Callable[..., Visit]]:
    """Opens a browser of its own for somebody, signed in; what went wrong in one fails the test."""
    with visits_to(browser, city) as opening:
        yield opening


@pytest.fixture
def own_visit(browser: Browser, own_city: Gateway) -> Iterator[Callable[..., Visit]]:
    with visits_to(browser, own_city) as opening:
        yield opening
