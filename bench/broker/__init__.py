"""A real Apache Kafka on this machine: for tests, for the bench, for trying things out.

`tools` and `libraries` bring it, `settings` says how it runs, `certificate` is what it shows by TLS, `storage` what it
keeps, `process` sees that it does not outlive us, `asking` that it is there; `broker` is what others use.
"""

from bench.broker.broker import Broker
from bench.broker.libraries import LIBRARIES, DownloadFailed, fetch_libraries
from bench.broker.process import DidNotStart
from bench.broker.settings import ADMIN
from bench.broker.tools import ToolMissing, find_java

__all__ = [
    "ADMIN",
    "LIBRARIES",
    "Broker",
    "DidNotStart",
    "DownloadFailed",
    "ToolMissing",
    "fetch_libraries",
    "find_java",
]
