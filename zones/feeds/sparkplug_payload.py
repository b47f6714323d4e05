"""Sparkplug B payloads: the parts that carry states, read and written with protobuf.

The message types are those of the Eclipse Sparkplug specification 3.0, chapter 6.4; fields that
are not named here are skipped by the library.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from zones.feeds.payload import MAX_BYTES, Refused

_UINT32, _UINT64, _FLOAT, _DOUBLE, _BOOL, _STRING = 13, 4, 2, 1, 8, 9
"""Field types of ``google.protobuf.FieldDescriptorProto``."""

_VALUES = {
    "int_value": (10, _UINT32),
    "long_value": (11, _UINT64),
    "float_value": (12, _FLOAT),
    "double_value": (13, _DOUBLE),
    "boolean_value": (14, _BOOL),
    "string_value": (15, _STRING),
}

_SIGNED = frozenset({1, 2, 3, 4})
"""Data types that are sent as unsigned numbers, in two's complement."""

INT32, INT64, BOOLEAN, TEXT = 3, 4, 11, 12
"""Data types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One value of a payload.

    Attributes:
        name: Empty where only the alias is sent.
        value: None if it is null or of a type that carries no state.
    """

    name: str = ""
    alias: int | None = None
    datatype: int = 0
    value: bool | int | float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A message of an edge node.

    Attributes:
        timestamp: Milliseconds of Unix time; None if it has none.
        seq: 0-255; None in death certificates.
    """

    timestamp: int | None = None
    seq: int | None = None
    metrics: tuple[Metric, ...] = ()


def read_payload(data: bytes) -> Payload:
    """A payload from its bytes.

    Raises:
        Refused: They are none.
    """
    from google.protobuf.message import DecodeError

    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"{len(data)} bytes; at most {MAX_BYTES} are read")
    message = _message_class()()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise Refused("schema", f"no Sparkplug B payload: {error}"[:200]) from None
    return Payload(
        timestamp=message.timestamp if message.HasField("timestamp") else None,
        seq=message.seq if message.HasField("seq") else None,
        metrics=tuple(_metric(each) for each in message.metrics),
    )


def write_payload(payload: Payload) -> bytes:
    """The bytes of a payload."""
    message = _message_class()()
    if payload.timestamp is not None:
        message.timestamp = payload.timestamp
    if payload.seq is not None:
        message.seq = payload.seq
    for metric in payload.metrics:
        _write(message.metrics.add(), metric)
    written: bytes = message.SerializeToString()
    return written


def named(metrics: Iterable[Metric], name: str) -> Metric | None:
    """The metric of this name."""
    return next((metric for metric in metrics if metric.name == name), None)


def _metric(each: Any) -> Metric:
    kind = each.WhichOneof("value") or ""
    value = getattr(each, kind) if kind and not each.is_null else None
    bits = {"int_value": 32, "long_value": 64}.get(kind, 0)
    if bits and value is not None and each.datatype in _SIGNED and value >= 1 << (bits - 1):
        value -= 1 << bits
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return Metric(
        name=each.name,
        alias=each.alias if each.HasField("alias") else None,
        datatype=each.datatype,
        value=value,
    )


def _write(field: Any, metric: Metric) -> None:
    if metric.name:
        field.name = metric.name
    if metric.alias is not None:
        field.alias = metric.alias
    field.datatype = metric.datatype
    match metric.value:
        case bool():
            field.boolean_value = metric.value
        case int() if metric.datatype in {INT64, 8}:
            field.long_value = metric.value & (1 << 64) - 1
        case int():
            field.int_value = metric.value & (1 << 32) - 1
        case float():
            field.double_value = metric.value
        case str():
            field.string_value = metric.value
        case None:
            field.is_null = True


@cache
def _message_class() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="anjeon_sparkplug.proto", package="anjeon.sparkplug", syntax="proto2"
    )
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in (
        ("name", 1, _STRING),
        ("alias", 2, _UINT64),
        ("timestamp", 3, _UINT64),
        ("datatype", 4, _UINT32),
        ("is_null", 7, _BOOL),
    ):
        metric.field.add(name=name, number=number, type=kind, label=1)
    for name, (number, kind) in _VALUES.items():
        metric.field.add(name=name, number=number, type=kind, label=1, oneof_index=0)
    payload.field.add(name="timestamp", number=1, type=_UINT64, label=1)
    payload.field.add(
        name="metrics", number=2, type=11, label=3, type_name=".anjeon.sparkplug.Payload.Metric"
    )
    payload.field.add(name="seq", number=3, type=_UINT64, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("anjeon.sparkplug.Payload")
    return message_factory.GetMessageClass(found)
