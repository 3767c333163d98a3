"""A producer's requests made to fail: each by its name and number, before or after the broker has seen it."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError, RequestTimedOutError

__all__ = ["CUT", "Fault", "Wire"]

CUT = (RequestTimedOutError, KafkaConnectionError, NodeNotReadyError)  # raised by the client: there is no answer


class Fault(NamedTuple):
    """What happens to one request."""

    request: str  # `Produce`, `EndTxn`, ...
    nth: int  # of its name, from when the wire was laid
    error: type[KafkaError]
    seen: bool = False  # by the broker, whose own answer is lost then

    def __str__(self) -> str:
        return f"{self.error.__name__} {'after' if self.seen else 'instead of'} {self.request} {self.nth}"


class Wire:
    """Between a producer and its broker: counts what is sent, and does what the faults say."""

    def __init__(self, producer: AIOKafkaProducer, *faults: Fault) -> None:
        self._client = producer.client
        self._send, self._client.send = self._client.send, self.send
        self._wait, self._client._wait_on_metadata = self._client._wait_on_metadata, self._wait_on_metadata
        self._faults = {(fault.request, fault.nth): fault for fault in faults}
        self.sent: Counter[str] = Counter()
        self.order: list[str] = []
        self.hit: list[Fault] = []

    def _next(self, name: str) -> Fault | None:
        fault = self._faults.pop((name, self.sent[name]), None)
        self.sent[name] += 1
        self.order.append(name)
        if fault is not None:
            self.hit.append(fault)
        return fault

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        """In the place of `AIOKafkaClient.send`."""
        fault = self._next(type(request).__name__.removesuffix("Request"))
        if fault is None or fault.seen:
            answer = await self._send(node_id, request, **options)
            if fault is None:
                return answer
        if fault.error in CUT:
            raise fault.error
        return _refusal(fault.request, request, fault.error.errno)

    async def _wait_on_metadata(self, topic: str) -> Any:
        """In the place of the client's own: it asks on the connection itself, where no wire can be laid."""
        fault = self._next("Metadata")
        if fault is not None:
            raise fault.error
        return await self._wait(topic)


def _refusal(name: str, request: Any, code: int) -> Any:
    """An answer that says so of everything that was asked for, with the fields that aiokafka looks at."""
    if name == "Produce":
        topics = [(topic, [(n, code, -1, -1, -1) for n, _ in of]) for topic, of in request._topics]
        return SimpleNamespace(API_VERSION=7, topics=topics)
    if name == "AddPartitionsToTxn":
        return SimpleNamespace(errors=[(topic, [(n, code) for n in of]) for topic, of in request._topics])
    return SimpleNamespace(error_code=code)
