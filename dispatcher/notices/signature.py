"""Signed webhooks: who receives one can tell that it is ours, unchanged, and recent.

The signature is HMAC-SHA256 (RFC 2104) with the shared secret over the timestamp (epoch seconds in decimal), a full
stop and the body, in hexadecimal after `v1=`. The timestamp is signed too, so an old message cannot be passed off as
a new one.
"""

import hashlib
import hmac

__all__ = ["SIGNATURE_HEADER", "TIMESTAMP_HEADER", "TOLERANCE_S", "signature_of", "verify"]

TIMESTAMP_HEADER = "X-Dispatch-Timestamp"
SIGNATURE_HEADER = "X-Dispatch-Signature"
TOLERANCE_S = 300  # clocks that nobody sets differ by minutes


def signature_of(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of the signature's header."""
    return "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(
    secret: bytes, timestamp: str, body: bytes, signature: str, *, now_s: int, tolerance_s: int = TOLERANCE_S
) -> bool:
    """Whether a received body bears our signature and a timestamp near `now_s`; takes the same time for any signature.

    Args:
        secret: shared with the sender.
        timestamp: the header `X-Dispatch-Timestamp` as it came.
        body: as it came, before any decoding.
        signature: the header `X-Dispatch-Signature` as it came.
        now_s: the receiver's clock, epoch seconds.
        tolerance_s: how far the two clocks may be apart.
    """
    expected = signature_of(secret, timestamp, body)
    genuine = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    recent = timestamp.isascii() and timestamp.isdigit() and abs(now_s - int(timestamp[:15])) <= tolerance_s
    return genuine and recent
