"""Children that are forked before their parent has threads: used once, with none of the parent's locks, as workers of pages are."""

from __future__ import annotations

import json
import subprocess
import sys

START = "import fcntl, json, os, subprocess, sys, threading, time; from runtime.forked_child import forked_early, take\n"
POOL = "from processing.workers.pool import Exceeded, first_worker, run_limited\n"


def printed(code: str) -> object:
    done = subprocess.run([sys.executable, "-P", "-c", START + code], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_first_worker_is_forked_and_the_next_one_is_a_new_interpreter() -> None:
    code = """
with forked_early([first_worker('os._exit')]):
    started = []
    start = subprocess.Popen
    subprocess.Popen = lambda *given, **more: started.append(given) or start(*given, **more)
    found = [result.detail for _, result in run_limited([3, 4], 'os._exit', 1)]
print(json.dumps([found, len(started), take(*first_worker('os._exit')) is None]))
"""
    assert printed(POOL + code) == [["the process exited with 3", "the process exited with 4"], 1, True]


def test_a_call_may_have_several_children() -> None:
    code = """
with forked_early([('time.sleep', 'no number')] * 2):
    children = [take('time.sleep', 'no number') for _ in range(3)]
    codes = [child.wait() for child in children if child is not None]
print(json.dumps([codes, len({child and child.pid for child in children})]))
"""
    assert printed(code) == [[1, 1], 3]


def test_children_end_when_another_one_cannot_be_forked() -> None:
    code = """
fork, pids = os.fork, []
def one_only():
    if pids:
        raise BlockingIOError('no more processes')
    pid = fork()
    pids.append(pid)
    return pid
os.fork = one_only
try:
    with forked_early([('time.sleep', 'no number')] * 2):
        outcome = 'began'
except BlockingIOError as error:
    outcome = str(error)
try:
    left = os.waitpid(pids[0], os.WNOHANG)
except ChildProcessError:
    left = 'waited for'
print(json.dumps([outcome, left]))
"""
    assert printed(code) == ["no more processes", "waited for"]


def test_a_child_has_none_of_its_parents_files_and_ends_with_the_block() -> None:
    code = """
handle = os.open(sys.executable, os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_EX)
with forked_early([('time.sleep', 'no number'), ('processing.workers.child.serve_pages', 'builtins.len', '1000000000')]):
    broken = take('time.sleep', 'no number')
    code = broken.wait()
    child = next(iter(children for children in sys.modules['runtime.forked_child']._waiting.values() if children))[0]
    assert child.stdout.read(8)  # it is ready
    os.close(handle)
    other = os.open(sys.executable, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the child does not hold it
print(json.dumps([code, child.returncode, broken.stderr]))
"""
    assert printed(code) == [1, -9, None]


def test_messages_of_a_child_apart_are_in_its_own_file_and_nothing_is_forked_beside_threads() -> None:
    code = """
with forked_early([], apart=[('time.sleep', 'no number')]):
    child = take('time.sleep', 'no number')
    child.wait(20.0)
    child.stderr.seek(0)
    last = child.stderr.read().decode().splitlines()[-1]
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
with forked_early([('time.sleep', '1')]):
    print(json.dumps([last, take('time.sleep', '1')]))
"""
    found = printed(code)
    assert isinstance(found, list)
    assert found[0].startswith("TypeError")
    assert found[1] is None
