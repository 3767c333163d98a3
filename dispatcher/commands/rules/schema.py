"""`dispatcher rules schema`."""

from dispatcher.commands.talk import print_json

__all__ = ["schema_command"]


def schema_command() -> None:
    """Print the JSON Schema of policy files."""
    from rules.schema import policy_schema

    print_json(policy_schema())
