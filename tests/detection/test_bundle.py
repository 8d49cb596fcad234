"""Model files: what goes in comes out, and any change of any byte is refused."""

import hashlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.detection import bundle
from pynomaly.errors import BadBundle

ARRAYS = {
    "a": np.arange(6, dtype=np.float64).reshape(2, 3),
    "flags": np.array([True, False]),
    "small": np.array([1, 2], dtype=np.int8),
    "none": np.zeros((0, 4), dtype=np.int32),
}
PLAIN = bundle.dump({"algorithm": "x", "n": 1.5}, ARRAYS)
SIGNED = bundle.dump({"algorithm": "x"}, ARRAYS, key=b"secret")
HEAD = 80


def sealed(manifest, tensors):
    """Write a file whose checksum is right, whatever it holds."""
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    signed = bytes(32) + len(text).to_bytes(8, "little") + text + tensors
    return bundle.MAGIC + hashlib.sha256(signed).digest() + signed


def opened(data):
    """Split a file into manifest and arrays' bytes."""
    length = int.from_bytes(data[72:80], "little")
    return json.loads(data[HEAD : HEAD + length]), data[HEAD + length :]


def test_what_goes_in_comes_out():
    manifest, arrays = bundle.load(PLAIN)
    assert manifest["algorithm"] == "x"
    assert manifest["format"] == bundle.FORMAT
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert (arrays[name] == array).all()


def test_the_same_model_gives_the_same_bytes():
    assert bundle.dump({"n": 1.5, "algorithm": "x"}, ARRAYS) == PLAIN


@given(st.sampled_from([PLAIN, SIGNED]), st.data())
@settings(deadline=None, max_examples=300)
def test_every_flipped_cut_or_inserted_byte_is_refused(data, drawn):
    at = drawn.draw(st.integers(0, len(data) - 1))
    how = drawn.draw(st.sampled_from(["flip", "cut", "drop", "insert", "swap"]))
    byte = drawn.draw(st.integers(1, 255))
    if how == "flip":
        changed = data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :]
    elif how == "cut":
        changed = data[:at]
    elif how == "drop":
        changed = data[:at] + data[at + 1 :]
    elif how == "insert":
        changed = data[:at] + bytes([byte]) * drawn.draw(st.integers(1, 9)) + data[at:]
    else:
        changed = data + data[at:]
    if changed == data:
        return
    with pytest.raises(BadBundle):
        bundle.load(changed, key=b"secret")


def test_a_changed_digit_of_the_description_is_seen():
    at = PLAIN.index(b"1.5")
    with pytest.raises(BadBundle, match="checksum"):
        bundle.load(PLAIN[:at] + b"2" + PLAIN[at + 1 :])


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_noise_is_refused(noise):
    for data in (noise, bundle.MAGIC + noise, sealed(noise, b""), sealed({"format": 1, "arrays": {}}, noise)):
        with pytest.raises(BadBundle):
            bundle.load(data)


def test_signatures():
    assert bundle.load(SIGNED, key=b"secret", require_signature=True)[0]["algorithm"] == "x"
    assert bundle.load(SIGNED)[0]["algorithm"] == "x"
    assert bundle.load(PLAIN, key=b"secret")[0]["algorithm"] == "x"
    with pytest.raises(BadBundle, match="signed with another key"):
        bundle.load(SIGNED, key=b"other")
    with pytest.raises(BadBundle, match="not signed"):
        bundle.load(PLAIN, key=b"secret", require_signature=True)
    with pytest.raises(BadBundle, match="no key to check"):
        bundle.load(SIGNED, require_signature=True)


def test_a_forged_model_with_a_right_checksum_does_not_pass_for_signed():
    manifest, tensors = opened(SIGNED)
    forged = sealed(manifest | {"algorithm": "evil"}, tensors)
    with pytest.raises(BadBundle, match="not signed"):
        bundle.load(forged, key=b"secret", require_signature=True)


def test_a_newer_format_says_so():
    manifest, tensors = opened(PLAIN)
    with pytest.raises(BadBundle, match="format 2, and this version of Pynomaly reads up to 1: upgrade"):
        bundle.load(sealed(manifest | {"format": 2}, tensors))


def header(**entries):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda m: m.pop("format"), "which version"),
        (lambda m: m.update(format="1"), "which version"),
        (lambda m: m.update(format=True), "which version"),
        (lambda m: m.update(arrays=[]), "lists no arrays"),
        (lambda m: m["arrays"].pop("a"), "does not hold the arrays"),
        (lambda m: m["arrays"].update(b=m["arrays"]["a"]), "larger than the file|does not hold"),
        (lambda m: m["arrays"].update(a=3), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(dtype="object"), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(dtype=["float64"]), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(dtype="int64"), "does not match"),
        (lambda m: m["arrays"]["a"].update(shape=[3, 2]), "does not match"),
        (lambda m: m["arrays"]["a"].update(shape=[6]), "does not match"),
        (lambda m: m["arrays"]["a"].update(shape=[-2, -3]), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(shape=[2.0, 3]), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(shape=[1] * 9), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(shape=None), "cannot hold"),
        (lambda m: m["arrays"]["a"].update(shape=[2**40, 2**40]), "larger than the file"),
        (lambda m: m["arrays"]["a"].update(sha256="00"), "does not match"),
    ],
)
def test_a_manifest_that_does_not_fit_its_arrays_is_refused(spoil, says):
    manifest, tensors = opened(PLAIN)
    spoil(manifest)
    with pytest.raises(BadBundle, match=says):
        bundle.load(sealed(manifest, tensors))


@pytest.mark.parametrize("text", [b"[1]", b"{", b'{"format": NaN}', b"[" * 100_000, b"\xff\xfe"])
def test_a_manifest_that_is_no_object_is_refused(text):
    with pytest.raises(BadBundle, match="cannot be read"):
        bundle.load(sealed(text, b""))


def test_a_length_beyond_the_file_is_refused_before_anything_is_read():
    signed = bytes(32) + (2**62).to_bytes(8, "little")
    with pytest.raises(BadBundle, match="larger than the file"):
        bundle.load(bundle.MAGIC + hashlib.sha256(signed).digest() + signed)


def test_truth_values_other_than_0_and_1_are_refused():
    tensors = header(x={"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}) + b"\x07"
    entry = {"dtype": "bool", "shape": [1], "sha256": hashlib.sha256(b"\x07").hexdigest()}
    with pytest.raises(BadBundle, match="does not match"):
        bundle.load(sealed({"format": 1, "arrays": {"x": entry}}, tensors))


@pytest.mark.parametrize("array", [np.array(["x"]), np.array([None]), np.array([1j])])
def test_arrays_that_are_not_plain_numbers_cannot_be_saved(array):
    with pytest.raises(TypeError, match="cannot hold"):
        bundle.dump({}, {"x": array})


def test_a_description_beyond_the_limit_cannot_be_saved(monkeypatch):
    monkeypatch.setattr(bundle, "MANIFEST_MOST", 10)
    with pytest.raises(ValueError, match="too large"):
        bundle.dump({}, {})
