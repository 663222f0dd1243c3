"""Results on their way from a child that reads hostile bytes: MessagePack, decoded into the types that the parent expects.

A pickle could make the parent run what a hostile page wrote into its child; these bytes can only be data, or be refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

UNENCODABLE: Final = (TypeError, ValueError, OverflowError, RecursionError, MemoryError)
UNDECODABLE: Final = (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError)


class ResultError(ValueError):
    """Bytes that are no result of the expected types."""


def encode_result(reason: str | None, value: Any) -> bytes:  # Any: a dataclass, or what MessagePack knows
    """One result; `reason` None: the function's own value, else why there is none. Raises one of UNENCODABLE."""
    try:
        return _ENCODER.encode((reason, type(value).__name__, value))
    except UnicodeEncodeError:  # half a surrogate pair, as broken JSON has them
        return _ENCODER.encode((reason, type(value).__name__, _encodable(msgspec.to_builtins(value, builtin_types=_BUILTIN))))


class ResultDecoder:
    """Decodes results whose values are of the given types; None, text and what is made of plain values are always understood."""

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
    """Plain values whose texts can be encoded."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple | set | frozenset):
        return [_encodable(one) for one in value]
    return {_encodable(key): _encodable(one) for key, one in value.items()} if isinstance(value, dict) else value


_BUILTIN = (bytes, datetime)
_ENCODER = msgspec.msgpack.Encoder()
_OUTER = msgspec.msgpack.Decoder(tuple[str | None, str, msgspec.Raw])
