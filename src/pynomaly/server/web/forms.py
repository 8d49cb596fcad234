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
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.language import ngettext

PREFIX = "parameter-"
MAX_FIELDS = 10_000
TYPED_AS_TEXT = ("count_or_share", "members", "numbers")

Kind = Literal["number", "text", "checkbox", "question", "select"]


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
    """Choose the control for a parameter; a number that may also be a word is typed as text.

    A truth value with a label of its own is a question, which one may leave open.
    """
    if parameter.type == "bool":
        return "question" if parameter.label else "checkbox"
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
    told = _(parameter.help)
    if parameter.type in ("bool", "choice"):
        return told
    allowed = _allowed(parameter)
    return f"{told} {allowed[:1].upper()}{allowed[1:]}."


def _allowed(parameter: Parameter) -> str:
    """Say which values are allowed, as `Parameter.allowed` does, in the request's language."""
    words = list(parameter.choices)
    if parameter.type == "count_or_share":
        words.append(_("a whole number of at least %(least)s") % {"least": text(parameter.minimum or 1)})
        words.append(_("a share above 0 and at most 1"))
    elif parameter.type == "members":
        words.append(_("a list of algorithms such as %(example)s") % {"example": "hbos, knn(n_neighbors=10)"})
    elif parameter.type == "numbers":
        words.append(_("a list of numbers") + _range(parameter))
    else:
        number = _("a whole number") if parameter.type == "int" else _("a number")
        words.append(number + _range(parameter))
    return (
        words[0]
        if len(words) == 1
        else _("%(words)s or %(last)s")
        % {
            "words": ", ".join(words[:-1]),
            "last": words[-1],
        }
    )


def _range(parameter: Parameter) -> str:
    bounds = {"low": parameter.minimum, "high": parameter.maximum}
    shown = {name: text(bound) for name, bound in bounds.items() if bound is not None}
    parts = []
    if "low" in shown:
        parts.append((_("above %(low)s") if parameter.exclusive_minimum else _("from %(low)s")) % shown)
    if "high" in shown:
        parts.append((_("below %(high)s") if parameter.exclusive_maximum else _("up to %(high)s")) % shown)
    return "".join(f" {part}" for part in parts)


def field(parameter: Parameter, typed: Mapping[str, str] | None, error: str = "") -> Field:
    """Make a parameter's field, holding what was typed, or else the default."""
    name = PREFIX + parameter.name
    control = kind(parameter)
    if control == "question":
        value = (typed or {}).get(name, "")
    elif typed is None:
        value = text(parameter.default)
    else:
        value = typed.get(name, "false" if control == "checkbox" else text(parameter.default))
    number = control == "number"
    return Field(
        name=name,
        label=_(parameter.label or label(parameter.name)),
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
IN_PERCENT = ("contamination", "fdr")
"""Ways whose own field is a percentage."""


def ways(chosen_by_hand: float | None) -> tuple[tuple[str, str], ...]:
    """The ways that a form offers; first of all to leave a threshold that was chosen by hand."""
    labels = (
        (AUTO, _("what stands out (automatic)")),
        ("contamination", _("a share of the rows")),
        ("max_alerts", _("a number of rows at most")),
        ("fdr", _("by share of false alarms")),
        ("quantile", _("above a score quantile")),
    )
    if chosen_by_hand is None:
        return labels
    return ((OWN, _hand(chosen_by_hand)), *labels)


def _hand(score: float) -> str:
    return _("scores above %(score)s, chosen by hand") % {"score": formats.number(score)}


@dataclass(frozen=True)
class Way:
    """One way to say which rows are anomalies, with a number field of its own unless `field` is empty."""

    name: str
    label: str
    help: str
    chosen: bool
    field: str = ""
    value: str = ""
    unit: str = ""
    example: str = ""
    error: str = ""


def way_fields(
    typed: Mapping[str, str], errors: Mapping[str, str], chosen_by_hand: float | None = None
) -> list[Way]:
    """The ways as choices, each with its own number; what was typed stays in every field."""
    chosen = typed.get(WAY, AUTO)
    made = [Way(name, *words, chosen == name, **_own_field(name, typed, errors)) for name, words in _said()]
    if chosen_by_hand is None:
        return made
    return [Way(OWN, _hand(chosen_by_hand), _("As the detector has it."), chosen == OWN), *made]


def _said() -> list[tuple[str, tuple[str, str]]]:
    return [
        (AUTO, (_("What stands out"), _("Rows clearly apart from the others; that may be none."))),
        ("max_alerts", (_("About so many rows"), _("An alert budget: what somebody can look at."))),
        ("contamination", (_("A share of the rows"), _("When the share of anomalies is known."))),
        (
            "fdr",
            (
                _("Few false alarms"),
                _("At most this share of the flagged rows should be ordinary (false discovery rate)."),
            ),
        ),
        ("quantile", (_("Above a quantile"), _("This share of the rows is left alone, such as 0.99."))),
    ]


def _own_field(way: str, typed: Mapping[str, str], errors: Mapping[str, str]) -> dict[str, str]:
    if way not in WAYS:
        return {}
    name = f"{WAY}-{way}"
    unit = "%" if way in IN_PERCENT else _("rows") if way == "max_alerts" else ""
    example = OWN_EXAMPLES[way]
    return {"field": name, "value": typed.get(name, ""), "unit": unit, "example": example} | {
        "error": errors.get(name, "")
    }


OWN_EXAMPLES = {"contamination": "1", "max_alerts": "20", "fdr": "10", "quantile": "0.99"}
EXAMPLES = {"contamination": "0.01", "max_alerts": "20", "fdr": "0.1", "quantile": "0.99"}


def threshold(typed: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Read which rows are to be flagged, as a keyword argument; what is wrong goes to `errors`.

    >>> errors = {}
    >>> threshold({"flag": "fdr", "flag-value": "0.1"}, errors), threshold({}, errors), errors
    ({'fdr': 0.1}, {'contamination': 'auto'}, {})
    """
    way, written = typed.get(WAY, AUTO), typed.get(WAY_VALUE, "").strip()
    if any(f"{WAY}-{name}" in typed for name in WAYS):
        return _own_threshold(way, typed, errors)
    if way in WAYS and written:
        values: dict[str, Value] = {}
        read(WAYS[way], written, WAY_VALUE, values, errors)
        return dict(values)
    if way in WAYS:
        errors[WAY_VALUE] = _("Type the number, such as %(example)s.") % {"example": EXAMPLES[way]}
    elif written:
        errors[WAY_VALUE] = _("Choose what this number means, or empty the field.")
    return {"contamination": AUTO}


def _own_threshold(way: str, typed: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Read a form where every way has a number field of its own; shares are in percent."""
    for other in WAYS:
        if other != way and typed.get(f"{WAY}-{other}", "").strip():
            errors[f"{WAY}-{other}"] = _("Choose this, or empty its field.")
    if way not in WAYS:
        return {"contamination": AUTO}
    name = f"{WAY}-{way}"
    written = typed.get(name, "").strip().rstrip("% ").replace(",", ".")
    if not written:
        errors[name] = _("Type the number, such as %(example)s.") % {"example": OWN_EXAMPLES[way]}
        return {"contamination": AUTO}
    try:
        number = round(float(written) / 100, 12) if way in IN_PERCENT else written
        return {way: WAYS[way].check(number) if way in IN_PERCENT else WAYS[way].parse(str(number))}
    except (ValueError, InputError):
        errors[name] = {
            "max_alerts": _("Type a whole number of rows, at least 1."),
            "quantile": _("Type a number above 0, at most 1."),
        }.get(way, _("Type a percentage above 0, at most 50."))
    return {"contamination": AUTO}


def ways_typed(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Write the ways of a detector or a recipe as a form with a number field for each way holds them.

    >>> ways_typed({"contamination": 0.015}), ways_typed({})
    ({'flag': 'contamination', 'flag-contamination': '1.5'}, {})
    """
    for way, value in chosen.items():
        if way in WAYS and value not in (None, AUTO):
            shown = round(value * 100, 10) if way in IN_PERCENT else value
            return {WAY: way, f"{WAY}-{way}": text(shown)}
    return {}


def recipe_typed(info: AlgorithmInfo, recipe: Mapping[str, Any]) -> dict[str, str]:
    """Write what makes a detection as its form would hold it: parameters, seed and which rows to flag."""
    typed = parameters_typed(info, recipe["parameters"])
    return typed | {"seed": str(recipe["seed"])} | ways_typed(recipe)


def parameters_typed(info: AlgorithmInfo, values: Mapping[str, Value]) -> dict[str, str]:
    """Write parameters as the form holds them; those that are not given have their defaults."""
    return {PREFIX + p.name: text(values.get(p.name, p.default)) for p in info.parameters}


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
    n = len(errors)
    return ngettext("One field below is wrong.", "%(n)s fields below are wrong.", n) % {"n": n}
