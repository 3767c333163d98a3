"""What the gateway does, as Prometheus metrics: requests by route, streams, appends, keys that were refused.

Labels are bounded: a route is its template as it is written in the code, `none` where there is no such route; a status
is its class; problems and reasons are words of ours. Nothing of an address, a key or a body becomes a label.
"""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Counting", "HttpMetrics"]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
_EVENTS: Final = b"text/event-stream"
REFUSED: Final = ("none", "wrong", "locked", "role", "rate")


class HttpMetrics:
    """Told of requests by `Counting`, of appends by the city, of keys by the gate."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "dispatch_http_requests", "Requests that were answered", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "dispatch_http_request_seconds", "From a request to the beginning of its answer", ["route"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._problems = Counter(
            "dispatch_http_problems", "Requests that were answered with a problem", ["problem"], registry=registry
        )
        self._streams = Gauge("dispatch_http_streams_open", "Streams being read", registry=registry)
        self._refused = Counter(
            "dispatch_keys_refused", "Requests turned away for their key: none was shown, a wrong one, too many wrong"
            " ones from that address, one without the role, one that asks too much", ["why"], registry=registry,
        )  # fmt: skip
        self._appended = Histogram(
            "dispatch_append_records", "Records made durable by one commit of the gateway", buckets=_RECORDS,
            registry=registry,
        )  # fmt: skip
        self._append_seconds = Histogram(
            "dispatch_append_seconds", "One commit of the gateway", buckets=_SECONDS, registry=registry
        )
        for why in REFUSED:  # what has not happened is 0: an alert sees the first time
            self._refused.labels(why)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """An answer begins."""
        self._requests.labels(route, method if method in METHODS else "other", f"{status // 100}xx").inc()
        self._seconds.labels(route).observe(seconds)

    def problem(self, word: str) -> None:
        """The answer is a problem."""
        self._problems.labels(word).inc()

    def streams(self, more: int) -> None:
        """A stream begins (1) or ends (-1)."""
        self._streams.inc(more)

    def refused(self, why: str) -> None:
        """A key was not let in, or not that far: one of `REFUSED`."""
        self._refused.labels(why).inc()

    def appended(self, records: int, seconds: float) -> None:
        """So many records are durable."""
        self._appended.observe(records)
        self._append_seconds.observe(seconds)


class Counting:
    """Sees every request and its answer; the outermost layer, so that failures of ours are counted as answered."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s, streams = time.perf_counter(), False

        async def sent(message: Message) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path_format", "none")
                self._metrics.answered(route, scope["method"], message["status"], time.perf_counter() - begun_s)
                if word := scope.get("dispatch.problem"):
                    self._metrics.problem(word)
                streams = any(
                    name == b"content-type" and value.startswith(_EVENTS) for name, value in message["headers"]
                )
                if streams:
                    self._metrics.streams(1)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            if streams:
                self._metrics.streams(-1)
