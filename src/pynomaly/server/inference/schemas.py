"""JSON of the Open Inference Protocol v2 (REST), by its field names."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pynomaly.server.web.schema import Body

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
    "BYTES",
]  # fmt: skip
MOST_TENSORS = 2000
Name = Annotated[str, Field(min_length=1, max_length=10_000)]
Parameters = dict[str, Any]


class InferInput(Body):
    """One tensor: a column by its name, of shape [n] or [n, 1]; or `input`, all columns, of shape [n, k]."""

    name: Name
    shape: list[Annotated[int, Field(strict=True, ge=0)]] = Field(min_length=1, max_length=2, examples=[[2]])
    datatype: Datatype = Field(examples=["FP64"])
    parameters: Parameters | None = None
    data: list[Any] = Field(
        description="Row by row, nested or flat; null: the value is missing.", examples=[[12.5, 4000]]
    )


class InferOutput(Body):
    """One output that is wanted."""

    name: Name
    parameters: Parameters | None = None


class InferBody(Body):
    """An inference request."""

    id: str | None = Field(None, max_length=1000)
    parameters: Parameters | None = None
    inputs: list[InferInput] = Field(min_length=1, max_length=MOST_TENSORS)
    outputs: list[InferOutput] | None = Field(None, min_length=1, max_length=10)


class _Protocol(BaseModel):
    model_config = ConfigDict(protected_namespaces=())  # the protocol's fields begin with "model_"


class Tensor(_Protocol):
    """A tensor with its data."""

    name: str = Field(examples=["score"])
    datatype: Datatype = Field(examples=["FP64"])
    shape: list[int] = Field(examples=[[2]])
    data: list[float] | list[bool] = Field(examples=[[0.31, 0.81]])


class InferAnswer(_Protocol):
    """An inference response."""

    model_name: str = Field(examples=["payments"])
    model_version: str = Field(examples=["1"])
    id: str | None = None
    parameters: Parameters
    outputs: list[Tensor]


class TensorMetadata(_Protocol):
    """What a tensor is like; -1 in its shape is any number."""

    name: str
    datatype: Datatype = Field(examples=["FP64"])
    shape: list[int] = Field(examples=[[-1]])


class ModelMetadata(_Protocol):
    """What a model is called, takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(_Protocol):
    """Whether a model can be asked."""

    name: str
    ready: bool


class ServerMetadata(_Protocol):
    """What answers here."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(_Protocol):
    """Whether the server answers."""

    live: bool


class ServerReady(_Protocol):
    """Whether it can do its work."""

    live: bool
    ready: bool
