"""Where the time of one filing goes: starts the whole system, files a ticket over HTTP, and prints
the spans of that request as a tree. `make trace`.
"""

import shutil
import sys

from chassis.testing import eventually
from deploy.local import places
from tests.stack.collector import Collector, Span, walk, whole
from tests.stack.stack import Stack


def main() -> None:
    """Print it, and end all that was started."""
    folder = places.scratch()
    with Collector() as collector:
        stack = Stack(folder, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        try:
            stack.up()
            sys.stdout.write(told(filed(stack, collector)))
        finally:
            stack.down()
            shutil.rmtree(folder, ignore_errors=True)


def filed(stack: Stack, collector: Collector) -> list[Span]:
    """The spans of filing one ticket, once the reporter has been told by SMS."""
    community = stack.community
    resident = community.resident()
    before = {span.trace for span in collector.spans()}
    resident.file(category="water.no_supply")
    community.close()

    def complete() -> list[Span]:
        new = [span for span in collector.spans() if span.trace not in before]
        traces = {span.trace for span in new if span.name == "POST /api/v1/tickets"}
        found = [span for span in new if span.trace in traces]
        told = any(span.name.startswith("send ") for span in found)
        return found if told and whole(found) else []

    return eventually(complete, within=30)


def told(spans: list[Span]) -> str:
    """The tree as text: when each began, how long it took, in milliseconds, whose it is, what."""
    begun = spans[0].begun
    return "".join(
        f"{(span.begun - begun) * 1000:9.1f} {span.milliseconds:8.1f}  "
        f"{'  ' * depth}{span.service}: {span.name}{' FAILED' if span.failed else ''}\n"
        for depth, span in walk(spans)
    )


if __name__ == "__main__":
    main()
