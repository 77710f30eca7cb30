"""What the worker asks of the framework."""

import subprocess
import sys
from pathlib import Path

from livekit.agents.telemetry import loop_monitor

import agent

START = """
import sys
import agent
from livekit.rtc._ffi_client import FfiClient

async def serve(_server):
    assert FfiClient._instance is not None
    print("served")

agent.serve = serve
sys.argv = ["agent.py", "start"]
assert FfiClient._instance is None
assert agent.main() == 0
"""
SETTINGS = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a secret that is long enough for LiveKit",
    "WIDGETS_URL": "http://127.0.0.1:9",
    "WIDGETS_API_KEY": "ak_1.a-secret",
}


def test_no_thread_samples_the_stacks_of_all_threads() -> None:
    assert loop_monitor.LoopMonitorThresholds.from_env() is None


def test_the_native_library_has_one_client_before_the_first_job() -> None:
    folder = Path(agent.__file__).parent
    command = [sys.executable, "-c", START]
    started = subprocess.run(command, cwd=folder, env=SETTINGS, check=False, capture_output=True)
    assert started.stdout == b"served\n", started.stderr
