"""Carries results from a child that reads harmful bytes to its parent, as MessagePack, decoded into the types that the parent expects.

With a pickle, a page that has taken over the child could run code in the parent. These bytes are data or an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

UNENCODABLE: Final = (TypeError, ValueError, OverflowError, RecursionError, MemoryError)
UNDECODABLE: Final = (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError)


class ResultError(ValueError):
    """The bytes are not a result of the expected types."""


def encode_result(reason: str | None, value: Any) -> bytes:  # Any: a dataclass, or what MessagePack knows
    """One result. `reason` is None for the value of a function, otherwise it says why there is none. Raises one of UNENCODABLE."""
    try:
        return _ENCODER.encode((reason, type(value).__name__, value))
    except UnicodeEncodeError:  # a lone surrogate, as in broken JSON
        return _ENCODER.encode((reason, type(value).__name__, _encodable(msgspec.to_builtins(value, builtin_types=_BUILTIN))))


class ResultDecoder:
    """Decodes results whose values have the given types. None, text and containers of plain values need no type."""

    def __init__(self, types: Sequence[type] = ()) -> None:
        self._decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {one.__name__: msgspec.msgpack.Decoder(one) for one in types}
        self._default = msgspec.msgpack.Decoder()

    def decode(self, data: bytes) -> tuple[str | None, Any]:  # Any: one of the types
        """The reason and the value. Raises ResultError."""
        try:
            reason, name, raw = _OUTER.decode(data)
            return reason, self._decoders.get(name, self._default).decode(raw)
        except UNDECODABLE as error:
            raise ResultError(f"not a result: {error}") from error


def _encodable(value: Any) -> Any:  # Any: plain values
    """Plain values, with all text encodable as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple | set | frozenset):
        return [_encodable(one) for one in value]
    return {_encodable(key): _encodable(one) for key, one in value.items()} if isinstance(value, dict) else value


_BUILTIN = (bytes, datetime)
_ENCODER = msgspec.msgpack.Encoder()
_OUTER = msgspec.msgpack.Decoder(tuple[str | None, str, msgspec.Raw])
