"""A warm process is in all that tests look at what a cold one is."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from runtime.child import START_CODE
from runtime.child_results import ResultDecoder
from runtime.frames import read_frame, write_frame
from tests.demosite import run_demo_site
from tests.warm import popen

GATE = [sys.executable, "-m", "processing.expectations.suite_process"]


def is_warm(process: subprocess.Popen[str]) -> bool:
    return "tests.warm.server" in psutil.Process(process.pid).cmdline()


def test_it_is_our_child_and_ends_by_its_signal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(popen.SWITCH, "0")
    with run_demo_site(tmp_path / "site") as site:
        assert is_warm(site.process)
        assert psutil.Process(site.process.pid).ppid() == os.getpid()
        assert psutil.Process(site.process.pid).num_fds() < 20
        site.process.kill()
        assert site.process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("cold", ["0", "1"])
def test_output_and_exit_code(cold: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(popen.SWITCH, cold)
    said = subprocess.run([popen.SCRIPT, "--version"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (said.stdout.startswith("crawlhouse "), said.stderr) == (True, "")
    refused = subprocess.run([popen.SCRIPT, "query"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Missing argument" in refused.stderr
    asked = io.BytesIO()
    write_frame(asked, json.dumps(["none", "none"]).encode())
    broken = subprocess.run(GATE, input=asked.getvalue(), capture_output=True, cwd=tmp_path, check=False)
    assert broken.returncode == 1
    assert b"FileNotFoundError" in broken.stderr


@pytest.mark.parametrize("cold", ["0", "1"])
def test_environment_folder_group_and_files(cold: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page worker's module says where it stands; only what was given is open."""
    monkeypatch.setenv(popen.SWITCH, cold)
    script = tmp_path / "asked.py"
    script.write_text(
        "import os, sys\n"
        "def told(_):\n"
        "    return [os.environ.get('ASKED'), os.environ.get('LEFT_OUT'), os.getcwd(), os.getpgid(0) == os.getpid(), sys.argv[1:2]]\n"
    )
    monkeypatch.setenv("LEFT_OUT", "1")
    environment = {"ASKED": "yes", popen.SWITCH: cold, "PATH": os.environ["PATH"]}
    path = json.dumps([str(tmp_path), *sys.path])
    command = [sys.executable, "-P", "-c", START_CODE, path, "processing.workers.child.serve_pages", "asked.told", "1000000000"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, process_group=0, **pipes) as process:  # type: ignore[call-overload]
        read_frame(process.stdout)
        write_frame(process.stdin, pickle.dumps(["item"]))
        _, answer = ResultDecoder().decode(read_frame(process.stdout) or b"")
        process.stdin.close()
    assert answer == ["yes", None, str(tmp_path), True, [path]]


def test_without_its_server_it_starts_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    monkeypatch.setattr(popen.WarmPopen, "server", popen.Server(ours))
    said = subprocess.run([popen.SCRIPT, "--version"], capture_output=True, check=True)
    assert said.stdout.startswith(b"crawlhouse ")
    ours.close()


def test_another_python_path_starts_cold(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('first')")
    said = subprocess.run([popen.SCRIPT, "--version"], env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, check=True)
    assert said.stdout.startswith(b"first\n")
