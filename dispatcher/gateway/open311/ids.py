"""The id of a request that was made here, and the token that proves who made it.

A token is `<source>.<130 bits>`, the id `<source>.<130 bits of its hash>`: from a token follows its id, from an id
nothing. So an id may be shown to anybody, a token is kept nowhere, and every gateway knows which id it is of. What came
in otherwise has no such id and goes by its incident's.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final

__all__ = ["PATTERN", "id_of", "new_token", "same_token", "source_of", "token_for"]

_CHARS: Final = 26
PATTERN: Final = "." + "[a-z2-7]" * _CHARS
"""What an id has after its source, as SQLite's GLOB has it."""
_ID: Final = re.compile(rf"(?P<source>.+)\.[a-z2-7]{{{_CHARS}}}", re.DOTALL)


def new_token(source: str) -> str:
    """A token nobody can guess."""
    return f"{source}.{_text(secrets.token_bytes(32))}"


def token_for(source: str, api_key: str, said: str) -> str:
    """The token of what a key's owner calls `said`: the same each time, known to nobody without the key."""
    digest = hmac.digest(api_key.encode(), f"{source}\n{said}".encode(), "sha256")
    return f"{source}.{_text(digest)}"


def id_of(token: str) -> str:
    """The id that goes with a token; of what is no token, one that no request has."""
    digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    return f"{source_of(token) or '-'}.{_text(digest)}"


def same_token(token: str, request_id: str) -> bool:
    """Whether it is the token of this request."""
    return hmac.compare_digest(id_of(token).encode(), request_id.encode("utf-8", "replace"))


def source_of(text: str) -> str | None:
    """The source in an id or a token; None for what is neither."""
    found = _ID.fullmatch(text)
    return None if found is None else found["source"]


def _text(digest: bytes) -> str:
    return base64.b32encode(digest).decode()[:_CHARS].lower()
