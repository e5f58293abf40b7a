"""The stand-in behaves as a provider would, so that what is tested against it can be trusted."""

import requests

from tests.integration.notifications.world import TOKEN, a_phone

ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


def send(standin, to, text="hello", headers=ALLOWED, **extra):
    body = {"to": to, "text": text}
    return requests.post(
        f"{standin.url}/messages", json=body, headers={**headers, **extra}, timeout=5
    )


def test_it_says_that_it_is_a_standin(standin):
    assert requests.get(standin.url, timeout=5).json()["stand_in"] is True
    assert send(standin, a_phone()).json()["stand_in"] is True


def test_it_wants_the_token(standin):
    phone = a_phone()

    assert send(standin, phone, headers={}).status_code == 401
    assert standin.texts(phone) == []


def test_it_lists_what_was_sent_to_a_number_the_newest_last(standin):
    phone = a_phone()
    (
        send(standin, phone, "first"),
        send(standin, a_phone(), "another's"),
        send(standin, phone, "second"),
    )
    assert standin.texts(phone) == ["first", "second"]


def test_a_number_is_found_however_it_is_written(standin):
    send(standin, "+86 139 1234 5678")
    for written in ("+8613912345678", "8613912345678", "13912345678", "139-1234-5678"):
        assert standin.texts(written) == ["hello"]
    unescaped = requests.get(f"{standin.url}/messages?to=+8613912345678", timeout=5).json()
    assert len(unescaped["items"]) == 1


def test_a_key_makes_one_message(standin):
    phone, key = a_phone(), {"Idempotency-Key": a_phone()}
    first, second = send(standin, phone, **key), send(standin, phone, **key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert len(standin.texts(phone)) == 1


def test_it_refuses_what_is_no_message(standin):
    assert send(standin, "nobody").status_code == 422
    junk = requests.post(f"{standin.url}/messages", data=b"\xff{", headers=ALLOWED, timeout=5)
    assert junk.status_code == 422


def test_a_fault_strikes_as_often_as_it_was_told(standin):
    phone = a_phone()
    standin.misbehave(status=500, times=2)
    assert [send(standin, phone).status_code for _ in range(3)] == [500, 500, 201]
    assert len(standin.texts(phone)) == 1


def test_a_fault_may_keep_the_message_and_deny_it(standin):
    phone = a_phone()
    standin.misbehave(status=500, times=1, accept=True)
    assert send(standin, phone).status_code == 500
    assert len(standin.texts(phone)) == 1
