"""Why an exchange gave no answer to keep."""

from __future__ import annotations

from schemas.outcomes import Reason


class FetchFailedError(Exception):
    """No usable answer. `retryable` tells whether another try in the same run makes sense; the text is one line for people."""

    def __init__(self, reason: Reason, detail: str, retryable: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retryable = retryable
