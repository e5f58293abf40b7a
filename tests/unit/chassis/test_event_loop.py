"""What must not hold up the event loop, or be said at every start. Programs of their own, for the
tests are not patched by eventlet.
"""

import subprocess
import sys


def test_hashing_passwords_does_not_hold_up_the_event_loop() -> None:
    """Five at once, and a greenthread that notes the longest pause between its turns: a fifth of
    what one hash takes would already be seen, were it done on the loop.
    """
    longest, one_hash = map(float, _run(_HASHING).split())

    assert longest < one_hash / 2


def test_the_runner_starts_without_eventlets_warning() -> None:
    assert "Eventlet is deprecated" not in _run("import chassis.runner", "-W", "default")


def _run(program: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.stdout


_HASHING = """
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch(all=True, psycopg=True)
import time
from services.gateway import passwords

# Slow enough that no busy machine makes the difference.
passwords._hasher = passwords.PasswordHasher(time_cost=30, memory_cost=19 * 1024, parallelism=1)
started = time.monotonic()
passwords._hasher.hash("one, on the loop")
one_hash = time.monotonic() - started

longest = 0.0
def watch():
    global longest
    last = time.monotonic()
    while True:
        eventlet.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last), now

watcher = eventlet.spawn(watch)
pool = eventlet.GreenPool()
for _ in range(5):
    pool.spawn(passwords.hash_password, "five, beside it")
pool.waitall()
print(longest, one_hash)
"""
