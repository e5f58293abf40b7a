"""From the commit of a filing to a subscriber of its event, at fifty filings a second, with one
replica of tickets and with several: the relay may belong to another replica than the filing.
"""

from bench.ground import Ground
from bench.pace import committed, file_steadily, listening
from bench.report import Bar, latencies
from tests.stack.stack import Stack

RATE = 50
_TELLS = "commit to subscriber"
BARS = (
    Bar(_TELLS, "1 replica", "p50 ms", 5),
    Bar(_TELLS, "4 replicas", "p50 ms", 15),
)


def measure(ground: Ground) -> None:
    """Rounds of each number of replicas in turn."""
    for _ in range(ground.size.rounds):
        for replicas in ground.size.replicas:
            further = [ground.stack.add_replica("tickets") for _ in range(replicas - 1)]
            ground.stack.wait_ready(*further)
            seconds = _measure(ground.stack, round(RATE * ground.size.seconds))
            name = f"{replicas} replica{'s' if replicas > 1 else ''}"
            ground.report.add(_TELLS, name, **latencies(seconds))
            for replica in further:
                ground.stack.stop(replica)


def _measure(stack: Stack, count: int) -> list[float]:
    with listening("bench.subscriber", stack.ready["amqp_uri"], count) as subscriber:
        file_steadily(stack, RATE, count)
        heard = subscriber.heard()
    at = committed(stack, [*heard])
    return [moments[0] - at[ticket] for ticket, moments in heard.items()]
