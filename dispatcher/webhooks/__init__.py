"""Topics sent to other systems, for those who can neither read Kafka nor hold a stream open.

A `Sender` follows a topic from where its letter box says it has come to, and posts record by record to the one address
that is configured: signed, at least once, an incident's records in their order.
"""

from dispatcher.webhooks.box import BOX_SUFFIX, Box, BoxError, Letter
from dispatcher.webhooks.counters import WebhookCounters
from dispatcher.webhooks.endpoint import Endpoint
from dispatcher.webhooks.running import sending
from dispatcher.webhooks.sender import Sender

__all__ = ["BOX_SUFFIX", "Box", "BoxError", "Endpoint", "Letter", "Sender", "WebhookCounters", "sending"]
