"""`dispatcher worker`: one of the processes that work on a Kafka cluster."""

import logging
from pathlib import Path

from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.worker import run_worker
from dispatcher.logs import report_ends, write_logs

__all__ = ["worker_command"]

log = logging.getLogger(__name__)


def worker_command(config_path: Path) -> None:
    """Work until SIGTERM or SIGINT; the batches under way are finished first."""
    config = config_of(config_path)
    write_logs(config.log.format)
    report_ends()
    setup = load_setup(config)
    settle_memory()
    log.info(f"joining {config.kafka.application} at {config.kafka.bootstrap}", extra={"event": "joining"})
    run_worker(config, setup)
    log.info("stopped; everything taken is committed", extra={"event": "stopped"})
