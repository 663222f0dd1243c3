"""The error of an exchange that gave no usable response."""

from __future__ import annotations

from schemas.outcomes import Reason


class FetchFailedError(Exception):
    """There is no usable response. `retryable`: another try in the same run makes sense. The message is one line for people."""

    def __init__(self, reason: Reason, detail: str, retryable: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retryable = retryable
