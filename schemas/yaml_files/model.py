"""What every part of a configuration file has in common."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class ConfigModel(BaseModel):
    """A part of a configuration file. It is frozen. An unknown key, infinity and NaN are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PlacedError(ValueError):
    """Mistakes of a model, each with the keys that lead to its place."""

    def __init__(self, mistakes: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(message for _, message in mistakes))
        self.mistakes = tuple(mistakes)


class SetByPlan:
    """Marks a field that is set when a run is planned, and is an unknown key in a file."""
