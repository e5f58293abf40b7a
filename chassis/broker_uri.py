"""What an AMQP URI says, in the words of py-amqp. Free of eventlet: the relay and tests use it."""

from kombu.utils.url import parse_url


def arguments(uri: str) -> dict[str, str]:
    """What `amqp.Connection` has to be told to connect to where the URI leads."""
    parts = parse_url(uri)
    return {
        "host": f"{parts['hostname']}:{parts['port'] or 5672}",
        "userid": parts["userid"],
        "password": parts["password"],
        "virtual_host": parts["virtual_host"] or "/",
    }
