"""What every part of a configuration file has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ConfigModel(BaseModel):
    """A part of a configuration file. It is frozen. An unknown key, infinity and NaN are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SetByPlan:
    """Marks a field that is set when a run is planned, and is an unknown key in a file."""
