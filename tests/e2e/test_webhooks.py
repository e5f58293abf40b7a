"""A department receives webhooks as the how-to says, in Python or in Node, whichever package it
verifies them with.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError as SvixError

from chassis.testing import eventually
from tests.e2e.written import JAVASCRIPT
from tests.integration.notifications.receiver import Heard, Receiver

PAGE = Path("docs/howto/receive-webhooks.md").read_text(encoding="utf-8")


@pytest.fixture
def clerk(community):
    """A clerk of the water department."""
    return community.staff("water")


@contextmanager
def running(command: list[str], cwd: str, environ: dict[str, str]) -> Iterator[Path]:
    """A program while it runs, with the file that it writes to."""
    output = Path(cwd) / "said.txt"
    with output.open("w") as file:
        # What is called Node may be a script that starts it: a group ends with all that is in it.
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **environ},
            stdout=file,
            start_new_session=True,
        )
        try:
            yield output
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


@pytest.mark.parametrize("language", ["python", "js"])
def test_the_receiver_of_the_howto_takes_what_is_signed(clerk, node, free_port, tmp_path, language):
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    script = tmp_path / ("receiver.py" if language == "python" else "receiver.mjs")
    script.write_text(code, encoding="utf-8")
    (tmp_path / "node_modules").symlink_to((JAVASCRIPT / "node_modules").absolute())
    command = [sys.executable if language == "python" else node, str(script)]
    port = str(free_port())
    webhook = clerk.make("webhooks", {"url": f"http://127.0.0.1:{port}/"})
    secret = {"WEBHOOK_SECRET": webhook["secret"]["secret"], "PORT": port}
    path = f"webhooks/{webhook['id']}"

    with running(command, str(tmp_path), secret) as output:
        delivery = clerk.make(f"{path}/test", {})

        def delivered():
            return clerk.read(f"{path}/deliveries/{delivery['id']}")["state"] == "delivered"

        # The receiver may begin later than the first attempt.
        eventually(delivered, within=30)
        said = output.read_text()

    assert said.split()[:2] == [delivery["event"], "linli.notifications.webhook_tested.v1"]
    clerk.request("DELETE", path)


def test_deliveries_verify_with_every_package_and_under_both_secrets(clerk, node):
    with Receiver() as receiver:
        webhook = clerk.make("webhooks", {"url": receiver.url("/verified")})
        path = f"webhooks/{webhook['id']}"
        newer = clerk.make(f"{path}/secrets", None)
        clerk.make(f"{path}/test", None)
        (heard,) = eventually(lambda: receiver.of("/verified"), within=20)
        clerk.request("DELETE", path)

    secrets = [webhook["secret"]["secret"], newer["secret"]]
    for secret in secrets:
        Webhook(secret).verify(heard.body, dict(heard.headers))
        SvixWebhook(secret).verify(heard.body, dict(heard.headers))
    forged = Heard(heard.method, heard.path, heard.headers, heard.body + " ", heard.at)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(forged.body, dict(forged.headers))
    with pytest.raises(SvixError):
        SvixWebhook(secrets[0]).verify(forged.body, dict(forged.headers))
    assert in_node(node, [(secret, heard) for secret in secrets]) == [[True, True]] * 2
    assert in_node(node, [(secrets[0], forged)]) == [[False, False]]


def in_node(node: str, deliveries: list[tuple[str, Heard]]) -> list[list[bool]]:
    """Whether each verifies with `standardwebhooks` and with `svix` of npm."""
    lines = [
        json.dumps({"secret": secret, "body": heard.body, "headers": dict(heard.headers)})
        for secret, heard in deliveries
    ]
    done = subprocess.run(
        [node, "webhook.mjs"],
        cwd=JAVASCRIPT,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_department_s_ticket_reaches_its_endpoint_and_another_s_does_not(community, clerk):
    staff = community.staff("staff")
    with Receiver() as receiver:
        webhook = clerk.make("webhooks", {"url": receiver.url("/water")})
        ours, theirs = (community.resident().file() for _ in range(2))
        for ticket, department in ((theirs, "roads"), (ours, "water")):
            accepted = staff.move(ticket, "acceptance")
            staff.move(accepted, "assignment", {"department": department})

        (heard,) = eventually(lambda: receiver.of("/water"), within=20)
        assert json.loads(heard.body)["subject"] == ours["id"]
        clerk.request("DELETE", f"webhooks/{webhook['id']}")
    assert community.staff("secretary").get("webhooks").status_code == 403
