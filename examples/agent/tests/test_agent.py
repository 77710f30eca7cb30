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
sys.argv = ["agent.py", "start"]
assert FfiClient._instance is None
assert agent.main() == 2, "it has no settings"
assert FfiClient._instance is not None
"""


def test_no_thread_samples_the_stacks_of_all_threads() -> None:
    assert loop_monitor.LoopMonitorThresholds.from_env() is None


def test_the_native_library_has_one_client_before_the_first_job() -> None:
    folder = Path(agent.__file__).parent
    started = subprocess.run([sys.executable, "-c", START], cwd=folder, env={}, check=False)
    assert started.returncode == 0
