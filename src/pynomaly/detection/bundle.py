"""Model files: plain JSON and plain arrays in one file that is checked whole before anything in it is used.

Layout: magic (8 bytes) | SHA-256 of all that follows (32) | HMAC-SHA256 of all that follows it, zeros when
unsigned (32) | length of the manifest, little-endian (8) | manifest (JSON) | arrays (safetensors).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pynomaly.errors import BadBundle

MAGIC = b"PYNOMALY"
FORMAT = 1
MANIFEST_MOST = 256 * 1024 * 1024
"""Largest manifest, in bytes."""

DTYPES = (
    {f"float{bits}": f"F{bits}" for bits in (32, 64)}
    | {f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)}
    | {f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)}
    | {"bool": "BOOL"}
)
"""The array types that a model may hold, with safetensors' names for them."""

Arrays = Mapping[str, NDArray[Any]]

_DIGEST = 32
_HEAD = len(MAGIC) + 2 * _DIGEST + 8


def dump(manifest: Mapping[str, Any], arrays: Arrays, key: bytes | None = None) -> bytes:
    """Write a model: `manifest` is JSON, `arrays` of the types in `DTYPES`; signed when a `key` is given."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    described = {name: _describe(array) for name, array in plain.items()}
    full = {"format": FORMAT} | dict(manifest) | {"arrays": described}
    text = json.dumps(full, ensure_ascii=True, allow_nan=False, sort_keys=True).encode()
    if len(text) > MANIFEST_MOST:
        raise ValueError("The model's description is too large to be saved.")
    body: bytes = len(text).to_bytes(8, "little") + text + save(plain)
    signed = (hmac.digest(key, body, "sha256") if key else bytes(_DIGEST)) + body
    return MAGIC + hashlib.sha256(signed).digest() + signed


def load(
    data: bytes, key: bytes | None = None, require_signature: bool = False
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a model: its manifest and its arrays.

    Raises BadBundle when any byte was changed, cut or added, when a signature does not match `key`, when one
    is required and absent, and when the file was written by a newer version. Nothing is allocated that the
    file does not hold.
    """
    text, tensors = _verified(data, key, require_signature)
    manifest = _manifest(text)
    described = manifest.get("arrays")
    if not isinstance(described, dict):
        _refuse("lists no arrays")
    _check_claims(described, tensors)
    return manifest, _arrays(described, tensors)


def _describe(array: NDArray[Any]) -> dict[str, Any]:
    if array.dtype.name not in DTYPES:
        raise TypeError(f"A model cannot hold arrays of type {array.dtype}.")
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "sha256": digest}


def _refuse(what: str) -> NoReturn:
    raise BadBundle(f"The model file {what}.")


def _verified(data: bytes, key: bytes | None, require_signature: bool) -> tuple[bytes, bytes]:
    """Check digest and signature; give the manifest's and the arrays' bytes."""
    if data[: len(MAGIC)] != MAGIC:
        _refuse("is not a Pynomaly model")
    if len(data) < _HEAD:
        _refuse("is cut short")
    digest, signed = data[8:40], data[40:]
    if not hmac.compare_digest(hashlib.sha256(signed).digest(), digest):
        _refuse("is damaged or was changed: its checksum does not match")
    signature, body = signed[:_DIGEST], signed[_DIGEST:]
    if signature == bytes(_DIGEST):
        if require_signature:
            _refuse("is not signed, and only signed models are accepted here")
    elif key and not hmac.compare_digest(hmac.digest(key, body, "sha256"), signature):
        _refuse("was signed with another key")
    elif require_signature and not key:
        _refuse("is signed, and there is no key to check it with")
    length = int.from_bytes(body[:8], "little")
    if length > min(len(body) - 8, MANIFEST_MOST):
        _refuse("claims a description larger than the file")
    return body[8 : 8 + length], body[8 + length :]


def _manifest(text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        _refuse("has a description that cannot be read")
    if not isinstance(manifest, dict):
        _refuse("has a description that cannot be read")
    version = manifest.get("format")
    if type(version) is not int or version < 1:
        _refuse("does not say which version of the format it has")
    if version > FORMAT:
        newer = f"has format {version}, and this version of Pynomaly reads up to {FORMAT}: upgrade Pynomaly"
        _refuse(newer)
    return manifest


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_claims(described: dict[str, Any], tensors: bytes) -> None:
    """Compare what the manifest claims of each array with the file's size, before any array is made."""
    total = 0
    for entry in described.values():
        known = isinstance(entry, dict) and entry.get("dtype") in tuple(DTYPES)
        if not known or not _is_shape(entry.get("shape")):
            _refuse("describes an array that it cannot hold")
        total += np.dtype(entry["dtype"]).itemsize * prod(entry["shape"])
    if total > len(tensors):
        _refuse("claims arrays larger than the file")


def _is_shape(shape: Any) -> bool:
    if not isinstance(shape, list) or len(shape) > 8:
        return False
    return all(type(n) is int and 0 <= n < 2**48 for n in shape)


def _arrays(described: dict[str, Any], tensors: bytes) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError, deserialize

    try:
        found = dict(deserialize(tensors))  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, TypeError) as error:
        raise BadBundle("The model file's arrays cannot be read.") from error
    if set(found) != set(described):
        _refuse("does not hold the arrays that it describes")
    return {name: _array(name, described[name], part) for name, part in found.items()}


def _array(name: str, entry: dict[str, Any], part: Mapping[str, Any]) -> NDArray[Any]:
    data = part["data"]
    same = part["dtype"] == DTYPES[entry["dtype"]] and list(part["shape"]) == entry["shape"]
    if not same or hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        _refuse(f"holds an array {name!r} that does not match its description")
    array = np.frombuffer(bytearray(data), dtype=entry["dtype"]).reshape(entry["shape"])
    if array.dtype == np.bool_ and array.view(np.uint8).max(initial=0) > 1:
        _refuse(f"holds an array {name!r} that does not match its description")
    return array
