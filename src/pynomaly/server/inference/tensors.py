"""Tensors of an inference request as rows, and scored rows as tensors."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from pynomaly.errors import BadValue
from pynomaly.server.inference.schemas import Datatype, InferInput, InferOutput, Tensor, TensorMetadata

MATRIX = "input"
"""The name of the one tensor that holds all columns."""
MOST_ROWS = 1000
TEXT: Datatype = "BYTES"
OUTPUTS: Mapping[str, Datatype] = {"score": "FP64", "p_value": "FP64", "is_anomaly": "BOOL"}

Columns = Sequence[Mapping[str, Any]]
Rows = list[dict[str, Any]]


def rows_of(inputs: Sequence[InferInput], columns: Columns) -> Rows:
    """Give the rows of a request; what is missing or too much is told when they are checked.

    Raises:
        BadValue: a tensor's shape, type or name does not fit the model.
    """
    names = [str(column["name"]) for column in columns]
    if [tensor.name for tensor in inputs] == [MATRIX] and MATRIX not in names:
        return _of_matrix(inputs[0], columns)
    given = {tensor.name: tensor for tensor in inputs}
    if len(given) < len(inputs):
        raise BadValue("An input is named twice.", pointer="#/inputs")
    counts = {tensor.shape[0] for tensor in inputs}
    if len(counts) > 1:
        raise BadValue("The inputs do not have the same number of rows.", pointer="#/inputs")
    _check_count(counts.pop())
    types = {str(column["name"]): str(column["type"]) for column in columns}
    cells = [_column(tensor, types.get(name, "number")) for name, tensor in given.items()]
    return [dict(zip(given, row, strict=True)) for row in zip(*cells, strict=True)]


def _of_matrix(tensor: InferInput, columns: Columns) -> Rows:
    if others := [column["name"] for column in columns if column["type"] != "number"]:
        raise BadValue(
            f"The model's column {others[0]!r} holds no numbers: give each column as a tensor of its own.",
            pointer="#/inputs/0",
        )
    if len(tensor.shape) != 2 or tensor.shape[1] != len(columns) or tensor.datatype in (TEXT, "BOOL"):
        raise BadValue(
            f"The tensor {MATRIX!r} has shape [n, {len(columns)}] and numbers, in the order of the columns.",
            pointer="#/inputs/0/shape",
        )
    _check_count(tensor.shape[0])
    flat, width = _flat(tensor), len(columns)
    names = [str(column["name"]) for column in columns]
    starts = range(0, len(flat), width)
    return [dict(zip(names, flat[start : start + width], strict=True)) for start in starts]


def _check_count(count: int) -> None:
    if not 1 <= count <= MOST_ROWS:
        raise BadValue(f"A request has 1 to {MOST_ROWS:,} rows, not {count:,}.", pointer="#/inputs/0/shape")


def _column(tensor: InferInput, type_: str) -> list[Any]:
    if len(tensor.shape) == 2 and tensor.shape[1] != 1:
        raise BadValue(f"The input {tensor.name[:200]!r} has shape [n] or [n, 1].", pointer="#/inputs")
    if (tensor.datatype == TEXT) == (type_ == "number"):
        wanted = "numbers" if type_ == "number" else TEXT
        if type_ == "number" or tensor.datatype != "BOOL":
            raise BadValue(f"The input {tensor.name[:200]!r} holds {wanted}.", pointer="#/inputs")
    cells = _flat(tensor)
    if tensor.datatype != "BOOL":
        return cells
    if not all(cell is None or isinstance(cell, bool) for cell in cells):
        raise BadValue(f"The input {tensor.name[:200]!r} holds true and false.", pointer="#/inputs")
    told: Mapping[Any, Any] = {None: None, True: 1, False: 0} if type_ == "number" else BOOLEANS
    return [told[cell] for cell in cells]


BOOLEANS = {None: None, True: "true", False: "false"}


def _flat(tensor: InferInput) -> list[Any]:
    """Give the data row by row; it may be nested as the shape says, or flat."""
    count = tensor.shape[0] * (tensor.shape[1] if len(tensor.shape) == 2 else 1)
    data = tensor.data
    nested = len(tensor.shape) == 2 and any(isinstance(row, list) for row in data)
    if nested:
        if not all(isinstance(row, list) and len(row) == tensor.shape[1] for row in data):
            raise BadValue(f"The data of {tensor.name[:200]!r} do not have its shape.", pointer="#/inputs")
        data = list(chain.from_iterable(data))
    if len(data) != count:
        raise BadValue(
            f"The data of {tensor.name[:200]!r} have {len(data):,} values; its shape says {count:,}.",
            pointer="#/inputs",
        )
    return data


def inputs_of(columns: Columns) -> list[TensorMetadata]:
    """Describe a model's inputs."""
    return [
        TensorMetadata(
            name=str(column["name"]), datatype="FP64" if column["type"] == "number" else TEXT, shape=[-1]
        )
        for column in columns
    ]


def outputs_of() -> list[TensorMetadata]:
    """Describe every model's outputs."""
    return [TensorMetadata(name=name, datatype=kind, shape=[-1]) for name, kind in OUTPUTS.items()]


def told(items: Sequence[Mapping[str, Any]], wanted: Iterable[InferOutput] | None) -> list[Tensor]:
    """Give scored rows as tensors: those that are wanted, or all.

    Raises:
        BadValue: there is no such output.
    """
    names = list(OUTPUTS) if wanted is None else [output.name for output in wanted]
    check_outputs(names)
    return [
        Tensor(name=name, datatype=OUTPUTS[name], shape=[len(items)], data=[item[name] for item in items])
        for name in names
    ]


def check_outputs(names: Iterable[str]) -> None:
    """Refuse what no model gives; raises BadValue."""
    for name in names:
        if name not in OUTPUTS:
            raise BadValue(f"There is no output {name[:100]!r}: {', '.join(OUTPUTS)}.", pointer="#/outputs")
