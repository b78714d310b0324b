"""A span per call for OpenTelemetry, in the words of its GenAI semantic conventions (1.41); never a text, never who.

Made once, when a call is over, from its record and a list of attributes that is closed: what is not named here is not
exported. The reader's own `traceparent` is not taken up: a reader could link the calls of others to his trace, or forge
parents in the lab's. Each call is a trace of its own; a receipt leads from one to the other.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from readingroom import __version__
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.settings import OTEL_ENDPOINT, traces_wanted
from readingroom.engines.model import Kind
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import End

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

CLOSE_SECONDS = 2.0  # that the last spans may take to leave when a worker stops
_OPERATIONS = {Kind.CHAT: ("chat", "chatcmpl"), Kind.COMPLETION: ("text_completion", "cmpl")}

log = logging.getLogger("readingroom.gateway")


class Spans:
    """Makes spans and hands them to the exporter, which sends them from a thread of its own."""

    def __init__(self, provider: TracerProvider, clock: Clock, model: str, engine: str) -> None:
        """Take what exports spans, the clock, and the engine.

        Args:
            provider: with its exporters.
            clock: the time.
            model: the name of the model.
            engine: its URL, or a word for an engine of the house's own.
        """
        self._provider, self._clock, self._model = provider, clock, model
        self._tracer = provider.get_tracer("readingroom.gateway", __version__)
        where = urlsplit(engine)
        self._always: dict[str, AttributeValue] = {"gen_ai.provider.name": "readingroom"}
        if where.hostname:
            port = where.port or (443 if where.scheme == "https" else 80)
            self._always |= {"server.address": where.hostname, "server.port": port}

    def ended(self, record: Mapping[str, Json], flow: Flow, end: End, seconds: float, first: float) -> None:
        """Tell of a call that took so many seconds, and so many to its first piece."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, Status, StatusCode

        operation = _OPERATIONS[flow.request.kind][0]
        at = int(self._clock.now().timestamp() * 1e9)
        span = self._tracer.start_span(
            f"{operation} {self._model}",
            context=Context(),  # a trace of its own
            kind=SpanKind.CLIENT,
            attributes={**self._always, **self._attributes(record, flow, end, first)},
            start_time=at - int(seconds * 1e9),
        )
        if end.refusal is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end(at)

    def _attributes(self, record: Mapping[str, Json], flow: Flow, end: End, first: float) -> dict[str, AttributeValue]:
        operation, prefix = _OPERATIONS[flow.request.kind]
        found: dict[str, AttributeValue] = {
            "gen_ai.operation.name": operation,
            "gen_ai.request.model": self._model,
            "gen_ai.request.max_tokens": flow.hold.maximum,
            "gen_ai.request.stream": flow.streamed,
            "gen_ai.response.id": f"{prefix}-{flow.hold.id}",
            "gen_ai.response.finish_reasons": [
                each.finished.value if each.finished else "error" for each in flow.exits
            ],
            "gen_ai.usage.input_tokens": end.prompt,
            "gen_ai.usage.output_tokens": end.generated,
            "readingroom.stage": str(record["stage"]),
            "readingroom.ended": end.ended.value,
            "readingroom.receipt": flow.hold.id,
            "readingroom.charged.passes": end.charged.passes,
            "readingroom.charged.tokens": end.charged.tokens,
        }
        if len(flow.exits) > 1:
            found["gen_ai.request.choice.count"] = len(flow.exits)
        if flow.streamed and first:
            found["gen_ai.response.time_to_first_chunk"] = first
        if end.refusal is not None:
            found["error.type"] = end.refusal.code
        return found

    def close(self) -> None:
        """Send what is left, and stop; blocks for a moment, but never as long as a collector that does not answer."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def make_spans(clock: Clock, model: str, engine: str) -> Spans | None:
    """Make what the environment asks for; None where it names no collector, and nothing is imported then."""
    if not traces_wanted():
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        cure = "install `readingroom[otel]`"
        log.warning("%s is set, but OpenTelemetry is not installed, so no spans are sent; %s", OTEL_ENDPOINT, cure)
        return None
    ours = Resource({"service.name": "readingroom", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider, clock, model, engine)
