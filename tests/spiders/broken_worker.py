"""A fetch worker whose reader of answers has a defect at some URLs."""

import sys
from typing import Any

from spiders import answer, settling, worker


def _broken(capture: Any, *arguments: Any) -> Any:
    if "breaks-it" in capture.url:
        raise ZeroDivisionError("a defect")
    return answer.read_answer(capture, *arguments)


settling.read_answer = _broken  # type: ignore[assignment]

if __name__ == "__main__":
    sys.exit(worker.main())
