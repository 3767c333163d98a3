"""One POST to an address of the configuration. No redirect is followed, no proxy asked, only the status is read."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from dispatcher.notices.channel import Failed
from dispatcher.notices.deadline import deadline

__all__ = ["post"]


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int | Failed:
    """The status of the answer; `Failed`, to be tried again, where there was none in time."""
    try:
        return _post(url, body, headers, timeout_s)
    except TimeoutError:
        return Failed("timeout", retry=True)
    except OSError as error:
        return Failed(f"connection: {error.strerror or type(error).__name__}", retry=True)
    except (HTTPException, ValueError) as error:
        return Failed(f"answer: {type(error).__name__}", retry=True)


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with deadline(timeout_s, lambda: connection.sock):
            connection.request("POST", target, body, headers)
            return connection.getresponse().status  # counts even when its headers did not end in time
    finally:
        connection.close()
