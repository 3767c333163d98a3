"""Somebody at the console: a browser of their own, and what is done with it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from gateway_process import Gateway
from playwright.sync_api import Browser, Locator, Page, expect

__all__ = ["Visit", "visits_to"]

WAIT_MS = 15_000  # a busy machine; what is waited for comes in a fraction of it
expect.set_options(timeout=WAIT_MS)


class Visit:
    """A page in a browser that knows one person."""

    def __init__(self, page: Page, city: Gateway) -> None:
        self.page, self.city = page, city
        self.wrong: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", lambda said: said.type == "error" and self.wrong.append(f"console: {said.text}"))
        page.on("request", self._only_here)

    def _only_here(self, request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.city.url).netloc and not request.url.startswith("data:"):
            self.wrong.append(f"a request leaves the host: {request.url}")

    def to(self, path: str) -> "Visit":
        """Go to a page, until the line to the server stands."""
        self.page.goto(f"{self.city.url}{path}")
        if self.page.locator("#connection").count():
            expect(self.page.locator("#connection")).not_to_be_empty()
        return self

    def form(self, action: str, **given: object) -> Locator:
        """The form of an action, with what it already knows."""
        found = self.page.locator(f'form.act[data-action="{action}"]')
        for name, value in given.items():
            found = found.filter(has=self.page.locator(f'input[name="{name}"][value="{value}"]'))
        return found.first

    def act(self, incident_id: str, action: str, given: dict[str, Any] | None = None, **fields: Any) -> None:
        """Do something about an incident, as a person would: open its page, press the button, fill in, send."""
        self.to(f"/console/incidents/{incident_id}")
        form = self.form(action, **(given or {}))
        expect(form).to_be_attached()
        if "at-once" in (form.get_attribute("class") or ""):
            form.locator("button").click()
        else:
            dialog = self.page.locator("dialog").filter(has=form)
            self.page.locator(f'button[data-dialog="{dialog.get_attribute("id")}"]').click()
            for name, value in fields.items():
                self.fill(form, name, value)
            form.locator(".buttons button.first").click()
            done, wrong = self.page.locator("dialog[open]"), form.locator(".wrong:not([hidden])")
            self.page.wait_for_function(
                "() => !document.querySelector('dialog[open]')"
                " || document.querySelector('dialog[open] .wrong:not([hidden])')"
            )
            assert not done.count(), wrong.text_content()
        expect(self.page.locator("#toast")).to_have_text("Done")

    @staticmethod
    def fill(form: Locator, name: str, value: Any) -> None:
        """One field, whatever kind it is."""
        field = form.locator(f'[name="{name}"]')
        kind = field.first.evaluate("each => each.type")
        if kind in ("radio", "checkbox"):
            form.locator(f'[name="{name}"][value="{value}"]').check()
        elif kind == "file":
            field.set_input_files({"name": "picture.png", "mimeType": "image/png", "buffer": value})
        elif kind.startswith("select"):
            field.select_option(value)
        else:
            field.fill(str(value))


@contextmanager
def visits_to(browser: Browser, city: Gateway) -> Iterator[Callable[..., Visit]]:
    """Opens visits; at the end nothing may have gone wrong in any of them."""
    opened: list[Visit] = []

    def opening(name: str | None, **context: Any) -> Visit:
        of = browser.new_context(**({"locale": "en-US", "timezone_id": "Asia/Shanghai"} | context))
        if name is not None:
            of.add_cookies([{"name": "dispatch_session", "value": city.session(name), "url": city.url}])
        visit = Visit(of.new_page(), city)
        opened.append(visit)
        return visit

    yield opening
    wrong = [each for visit in opened for each in visit.wrong]
    for visit in opened:
        visit.page.context.close()
    assert not wrong, "\n".join(wrong)
