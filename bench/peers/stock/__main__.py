"""`python -m bench.peers.stock --config FILE bench.peers.stock.gateway`: what `nameko run` does,
whose command wants a module that setuptools has dropped.
"""

import eventlet

eventlet.monkey_patch()

# ruff: noqa: E402 - everything else is imported patched
import argparse

from nameko.cli import run

parser = argparse.ArgumentParser()
parser.add_argument("--config", required=True)
parser.add_argument("services", nargs="+")
parser.set_defaults(backdoor_port=None)
run.main(parser.parse_args())
