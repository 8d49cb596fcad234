"""Forms made from the catalogue: one field per parameter of an algorithm, and the values that come back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from starlette.datastructures import FormData

from pynomaly.detection.catalogue import check_parameters
from pynomaly.detection.choice import WAYS
from pynomaly.detection.entries.info import AlgorithmInfo
from pynomaly.detection.parameters import Parameter, Value
from pynomaly.errors import BadParameter, InputError
from pynomaly.server.web import formats

PREFIX = "parameter-"
MAX_FIELDS = 10_000
TYPED_AS_TEXT = ("count_or_share", "members", "numbers")

Kind = Literal["number", "text", "checkbox", "select"]


@dataclass(frozen=True)
class Field:
    """One parameter as a form field: what the template needs, all of it text."""

    name: str
    label: str
    kind: Kind
    value: str
    help: str
    error: str = ""
    options: tuple[tuple[str, str], ...] = ()
    minimum: str | None = None
    maximum: str | None = None
    step: str | None = None


@dataclass(frozen=True)
class Answers:
    """What a form said: the values that are right, and an error by field name for those that are not."""

    values: dict[str, Value]
    errors: dict[str, str]


def label(name: str) -> str:
    """Turn a parameter's name into words.

    >>> label("n_trees"), label("max_samples")
    ('Number of trees', 'Max samples')
    """
    words = name.replace("_", " ")
    return f"Number of {words[2:]}" if words.startswith("n ") else words[:1].upper() + words[1:]


def kind(parameter: Parameter) -> Kind:
    """Choose the control for a parameter; a number that may also be a word is typed as text."""
    if parameter.type == "bool":
        return "checkbox"
    if parameter.type == "choice":
        return "select"
    return "text" if parameter.choices or parameter.type in TYPED_AS_TEXT else "number"


def text(value: Value) -> str:
    """Write a value as a form holds it.

    >>> text(100), text(1.0), text(True), text(0.001)
    ('100', '1', 'true', '0.001')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return ", ".join(text(item) for item in value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def help_text(parameter: Parameter) -> str:
    """Join a parameter's help and its range."""
    if parameter.type in ("bool", "choice"):
        return parameter.help
    allowed = parameter.allowed().replace("'", "")
    return f"{parameter.help} {allowed[:1].upper()}{allowed[1:]}."


def field(parameter: Parameter, typed: Mapping[str, str] | None, error: str = "") -> Field:
    """Make a parameter's field, holding what was typed, or else the default."""
    name = PREFIX + parameter.name
    control = kind(parameter)
    if typed is None:
        value = text(parameter.default)
    else:
        value = typed.get(name, "false" if control == "checkbox" else text(parameter.default))
    number = control == "number"
    return Field(
        name=name,
        label=parameter.label or label(parameter.name),
        kind=control,
        value=value,
        help=help_text(parameter),
        error=error,
        options=tuple((choice, choice) for choice in parameter.choices),
        minimum=text(parameter.minimum) if number and parameter.minimum is not None else None,
        maximum=text(parameter.maximum) if number and parameter.maximum is not None else None,
        step=("1" if parameter.type == "int" else "any") if number else None,
    )


def fields(
    info: AlgorithmInfo, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> list[Field]:
    """Make the fields of an algorithm; `typed` (field name -> text) is what an earlier try held."""
    found = errors or {}
    return [field(parameter, typed, found.get(PREFIX + parameter.name, "")) for parameter in info.parameters]


def answers(info: AlgorithmInfo, typed: Mapping[str, str]) -> Answers:
    """Read what was typed; an empty field means the default, a checkbox that is not sent means no."""
    values: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for parameter in info.parameters:
        name = PREFIX + parameter.name
        written = typed.get(name, "").strip()
        if parameter.type == "bool":
            written = written or "false"
        if written:
            read(parameter, written, name, values, errors)
    if not errors:
        _check_together(info, values, errors)
    return Answers(values, errors)


def _check_together(info: AlgorithmInfo, values: dict[str, Value], errors: dict[str, str]) -> None:
    """Check what no field shows alone, such as an ensemble's members, and name the field that is wrong."""
    try:
        check_parameters(info.name, values)
    except InputError as problem:
        errors[PREFIX + str(problem.details.get("parameter", ""))] = problem.message


def read(
    parameter: Parameter, written: str, name: str, values: dict[str, Value], errors: dict[str, str]
) -> None:
    """Put the value into `values`, or what is wrong with it into `errors`."""
    try:
        values[parameter.name] = parameter.parse(written)
    except BadParameter as problem:
        errors[name] = problem.message


def single(parameter: Parameter, typed: Mapping[str, str], errors: dict[str, str]) -> Value:
    """Read one field that is named as its parameter; an empty or wrong one gives the default."""
    values: dict[str, Value] = {}
    written = typed.get(parameter.name, "").strip()
    if written:
        read(parameter, written, parameter.name, values, errors)
    return values.get(parameter.name, parameter.default)


AUTO = "auto"
WAY, WAY_VALUE = "flag", "flag-value"
OWN = "own"
"""The way of a detector whose threshold is a score that was chosen by hand: leave it."""
WAY_LABELS: tuple[tuple[str, str], ...] = (
    (AUTO, "what stands out (automatic)"),
    ("contamination", "a share of the rows"),
    ("max_alerts", "a number of rows at most"),
    ("fdr", "by share of false alarms"),
    ("quantile", "above a score quantile"),
)
"""How the form names the ways to say which rows are anomalies."""


def ways(chosen_by_hand: float | None) -> tuple[tuple[str, str], ...]:
    """The ways that a form offers; first of all to leave a threshold that was chosen by hand."""
    if chosen_by_hand is None:
        return WAY_LABELS
    return ((OWN, f"scores above {formats.number(chosen_by_hand)}, chosen by hand"), *WAY_LABELS)


EXAMPLES = {"contamination": "0.01", "max_alerts": "20", "fdr": "0.1", "quantile": "0.99"}


def threshold(typed: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Read which rows are to be flagged, as a keyword argument; what is wrong goes to `errors`.

    >>> errors = {}
    >>> threshold({"flag": "fdr", "flag-value": "0.1"}, errors), threshold({}, errors), errors
    ({'fdr': 0.1}, {'contamination': 'auto'}, {})
    """
    way, written = typed.get(WAY, AUTO), typed.get(WAY_VALUE, "").strip()
    if way in WAYS and written:
        values: dict[str, Value] = {}
        read(WAYS[way], written, WAY_VALUE, values, errors)
        return dict(values)
    if way in WAYS:
        errors[WAY_VALUE] = f"Type the number, such as {EXAMPLES[way]}."
    elif written:
        errors[WAY_VALUE] = "Choose what this number means, or empty the field."
    return {"contamination": AUTO}


def threshold_typed(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Write the ways of a detector as its form would hold them.

    >>> threshold_typed({"contamination": None, "max_alerts": 20})
    {'flag': 'max_alerts', 'flag-value': '20'}
    """
    given = ((way, value) for way, value in chosen.items() if value not in (None, AUTO))
    return next(({WAY: way, WAY_VALUE: text(value)} for way, value in given), {})


async def read_form(request: Request) -> FormData:
    """Read a form that holds no file."""
    return await request.form(max_files=0, max_fields=MAX_FIELDS)


FormDep = Annotated[FormData, Depends(read_form)]


def texts(form: FormData) -> dict[str, str]:
    """Take what was typed, by field name (of a field that occurs twice, the last one)."""
    return {name: value for name, value in form.items() if isinstance(value, str)}


def listed(form: FormData, name: str) -> list[str]:
    """Take all values of a field that may occur more than once."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


def count_errors(errors: Mapping[str, str]) -> str:
    """Say above a form that some fields are wrong.

    >>> count_errors({"seed": "The seed is wrong."}), count_errors({})
    ('One field below is wrong.', '')
    """
    if not errors:
        return ""
    return "One field below is wrong." if len(errors) == 1 else f"{len(errors)} fields below are wrong."
