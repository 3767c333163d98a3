"""`dispatcher worker`: one of the processes that work on a Kafka cluster."""

from pathlib import Path

from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import say
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.worker import run_worker

__all__ = ["worker_command"]


def worker_command(config_path: Path) -> None:
    """Work until SIGTERM or SIGINT; the batches under way are finished first."""
    config = config_of(config_path)
    setup = load_setup(config)
    settle_memory()
    say(f"joining {config.kafka.application} at {config.kafka.bootstrap}")
    run_worker(config, setup)
    say("stopped; everything taken is committed")
