"""Our provider against one that speaks HTTP, well and badly."""

import socket
import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest

from services.notifications.outcome import Reason
from services.notifications.providers import RESPONSE_CAP, HttpSms, Message
from tests.integration.notifications.world import TOKEN, a_phone


def message(phone=None, key=None):
    return Message(key=key or str(uuid4()), to=phone or a_phone(), text="【邻里】您好")


def test_a_message_is_sent(provider, standin):
    phone = a_phone()

    result = provider.send(message(phone))

    assert (result.reason, result.status) == (Reason.DELIVERED, 201)
    assert result.reference
    assert standin.texts(phone) == ["【邻里】您好"]


def test_the_same_message_sent_twice_is_told_once(provider, standin):
    once = message(a_phone())

    first, second = provider.send(once), provider.send(once)

    assert first.reference == second.reference
    assert len(standin.texts(once.to)) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (202, Reason.DELIVERED),
        (302, Reason.PROVIDER_ERROR),
        (400, Reason.PROVIDER_REFUSED),
        (401, Reason.PROVIDER_UNAUTHORIZED),
        (403, Reason.PROVIDER_UNAUTHORIZED),
        (404, Reason.PROVIDER_REFUSED),
        (408, Reason.PROVIDER_BUSY),
        (422, Reason.PROVIDER_REFUSED),
        (429, Reason.PROVIDER_BUSY),
        (500, Reason.PROVIDER_ERROR),
        (503, Reason.PROVIDER_BUSY),
    ],
)
def test_a_status_says_why(provider, standin, status, reason):
    standin.misbehave(status=status)
    result = provider.send(message())
    assert (result.reason, result.status) == (reason, status)


def test_a_provider_may_say_when_to_come_back(provider, standin):
    standin.misbehave(status=429, retry_after=42)
    assert provider.send(message()).retry_after == 42


def test_a_provider_may_not_ask_for_a_day(provider, standin):
    standin.misbehave(status=429, retry_after=86_400)
    assert provider.send(message()).retry_after is None


def test_a_provider_that_does_not_answer_in_time_is_not_waited_for(provider, standin):
    standin.misbehave(delay=3)

    result = provider.send(message())

    assert result.reason is Reason.PROVIDER_TIMEOUT
    assert 0.4 < result.seconds < 2.5


def test_a_caller_in_a_hurry_waits_less(provider, standin):
    patient = HttpSms(f"{standin.url}/messages", TOKEN, timeout=10)
    standin.misbehave(delay=3)
    assert patient.send(message(), timeout=0.1).seconds < 2
    patient.close()


def test_a_provider_that_is_not_there_is_unreachable(free_port):
    provider = HttpSms(f"http://127.0.0.1:{free_port()}/messages", TOKEN, timeout=0.5)
    assert provider.send(message()).reason is Reason.PROVIDER_UNREACHABLE
    provider.close()


def test_a_wrong_token_is_the_operators_to_mend(standin):
    provider = HttpSms(f"{standin.url}/messages", "another-token", timeout=0.5)
    assert provider.send(message()).reason is Reason.PROVIDER_UNAUTHORIZED
    provider.close()


def test_an_endless_answer_is_left_unread(provider, standin):
    standin.misbehave(status=200, bytes=RESPONSE_CAP * 100)
    result = provider.send(message())
    assert (result.reason, result.reference) == (Reason.DELIVERED, None)


def test_an_answer_that_drips_is_left_after_the_time_limit():
    with dripping() as url:
        provider = HttpSms(url, TOKEN, timeout=0.5)
        result = provider.send(message())
        provider.close()

    assert (result.reason, result.reference) == (Reason.DELIVERED, None)
    assert result.seconds < 5


def test_a_proxy_of_the_environment_is_not_used(provider, monkeypatch, free_port):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert provider.send(message()).reason is Reason.DELIVERED


def test_a_message_shows_neither_number_nor_text():
    shown = repr(Message(key="k", to="+8613800001234", text="482913"))
    assert "138" not in shown
    assert "482913" not in shown


@contextmanager
def dripping():
    """A provider that takes the message and then gives its answer a byte at a time, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            while not over.wait(0.1):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/messages"
    finally:
        over.set()
        thread.join()
        listener.close()
