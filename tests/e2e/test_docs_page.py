"""What one does on the docs page is done: jsdom runs the page as it is served, scripts and all."""

import json
import subprocess

from tests.e2e.conftest import JAVASCRIPT


def test_an_operation_is_tried_on_the_page_with_a_token(ready, node):
    done = subprocess.run(
        [node, "try.mjs", ready["url"], ready["api_key"], "who_am_i"],
        cwd=JAVASCRIPT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    document, tried = map(json.loads, done.stdout.splitlines())
    assert (document["url"], document["status"]) == (f"{ready['url']}/api/openapi.json", 200)
    assert (tried["method"], tried["status"]) == ("GET", 200)
    assert tried["url"] == f"{ready['url']}/api/v1/sessions/current"
    assert tried["headers"]["authorization"] == f"Bearer {ready['api_key']}"
