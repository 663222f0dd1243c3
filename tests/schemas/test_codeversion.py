"""The code's version: the same for the same code, another for other code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from schemas.codeversion import code_version, sources_digest


def test_the_same_code_has_the_same_version_in_every_process() -> None:
    command = [sys.executable, "-c", "from schemas.codeversion import code_version; print(code_version())"]
    again = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}).stdout.strip()
    assert again == code_version()
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", again)


def test_it_changes_with_a_source_and_with_nothing_else(tmp_path: Path) -> None:
    first, copy = tmp_path / "a" / "processing", tmp_path / "b" / "processing"
    first.mkdir(parents=True)
    (first / "decode.py").write_text("x = 1\n")
    shutil.copytree(first, copy)
    digest = sources_digest((first,))
    (copy / "decode.pyc").write_bytes(b"compiled")
    assert sources_digest((copy,)) == digest
    (copy / "decode.py").write_text("x = 2\n")
    changed = sources_digest((copy,))
    assert changed != digest
    (copy / "decode.py").rename(copy / "decoding.py")
    assert sources_digest((copy,)) not in {digest, changed}
