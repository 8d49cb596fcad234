"""A parameter of an algorithm: its type, range and help; checks, parses and shows values."""

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pynomaly.detection import members
from pynomaly.errors import BadParameter

Value = int | float | bool | str | tuple[str, ...] | tuple[float, ...]
ParameterType = Literal["int", "float", "bool", "choice", "count_or_share", "members", "numbers"]
LISTS = frozenset({"members", "numbers"})
TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class Parameter:
    """One parameter of an algorithm.

    `count_or_share` takes a count (an integer of at least `minimum`) or a share (a number above 0, at most
    1; 1 means all). `members` takes algorithms, spelled as `pynomaly.detection.members` says; `numbers` a
    list of numbers, or text with commas between them. `choices` are the words of a `choice`, or words that
    any other type takes as well ("auto"). `label` is what a form asks; empty: the name in words.
    """

    name: str
    type: ParameterType
    default: Value
    help: str
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    choices: tuple[str, ...] = ()
    label: str = ""

    @property
    def also_auto(self) -> bool:
        """Whether "auto" is a value."""
        return "auto" in self.choices

    def check(self, value: Any, algorithm: str = "") -> Value:
        """Return `value` as this parameter's type (never a numpy scalar).

        Raises:
            BadParameter: wrong type or out of range; the message names parameter, algorithm, value and range.
        """
        if isinstance(value, str) and self.type not in LISTS:
            checked: Value | None = value if value in self.choices else None
        else:
            checked = _CHECKS[self.type](self, value)
        if checked is None:
            where = f" of {algorithm}" if algorithm else ""
            raise BadParameter(
                f"Parameter {self.name}{where} is {self.allowed()}, not {_show(value)}.",
                parameter=self.name,
                algorithm=algorithm,
                value=_show(value),
                allowed=self.allowed(),
            )
        return checked

    def parse(self, text: str, algorithm: str = "") -> Value:
        """Read a value from text, as the command line and forms give it.

        Raises:
            BadParameter: as `check`.
        """
        word = text.strip()
        if word in self.choices:
            return word
        if self.type == "bool" and word.lower() in TRUE_WORDS | FALSE_WORDS:
            return word.lower() in TRUE_WORDS
        return self.check(word if self.type in LISTS else _number(word), algorithm)

    def allowed(self) -> str:
        """Say in words which values are allowed."""
        words = [repr(choice) for choice in self.choices]
        if self.type == "bool":
            words.append("true or false")
        elif self.type == "count_or_share":
            words.append(f"a whole number of at least {self.minimum or 1:g}")
            words.append("a share above 0 and at most 1")
        elif self.type == "members":
            words.append("a list of algorithms such as 'hbos, knn(n_neighbors=10)'")
        elif self.type == "numbers":
            words.append(f"a list of numbers{self._range()}")
        elif self.type != "choice":
            words.append(("a whole number" if self.type == "int" else "a number") + self._range())
        return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]

    def json(self) -> dict[str, Any]:
        """Describe the parameter as JSON values."""
        return {
            "name": self.name,
            "type": self.type,
            "default": list(self.default) if isinstance(self.default, tuple) else self.default,
            "help": self.help,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "exclusive_minimum": self.exclusive_minimum,
            "exclusive_maximum": self.exclusive_maximum,
            "choices": list(self.choices),
            "also_auto": self.also_auto,
            "allowed": self.allowed(),
        }

    def holds(self, number: float) -> bool:
        """Tell whether a number lies in the range."""
        low = self.minimum is None or (
            number > self.minimum if self.exclusive_minimum else number >= self.minimum
        )
        high = self.maximum is None or (
            number < self.maximum if self.exclusive_maximum else number <= self.maximum
        )
        return low and high

    def _range(self) -> str:
        low = (
            ""
            if self.minimum is None
            else f"{'above' if self.exclusive_minimum else 'from'} {_plain(self.minimum)}"
        )
        high = (
            ""
            if self.maximum is None
            else f"{'below' if self.exclusive_maximum else 'up to'} {_plain(self.maximum)}"
        )
        return "".join(f" {part}" for part in (low, high) if part)


def _check_bool(_: Parameter, value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _check_choice(_: Parameter, __: Any) -> None:
    return None  # every word was tried before


def _check_int(parameter: Parameter, value: Any) -> int | None:
    number = _real(value)
    if number is None or number != math.floor(number) or not parameter.holds(number):
        return None
    return int(value)


def _check_float(parameter: Parameter, value: Any) -> float | None:
    number = _real(value)
    return number if number is not None and parameter.holds(number) else None


def _check_count_or_share(parameter: Parameter, value: Any) -> int | float | None:
    number = _real(value)
    if number is not None and 0 < number <= 1:
        return number
    return _check_int(parameter, value)


def _check_members(_: Parameter, value: Any) -> tuple[str, ...] | None:
    try:
        return members.spelled_all(value) or None
    except (TypeError, ValueError, AttributeError):
        return None


def _check_numbers(parameter: Parameter, value: Any) -> tuple[float, ...] | None:
    if isinstance(value, str):
        value = [_number(word) for word in value.split(",") if word.strip()]
    if hasattr(value, "tolist"):  # an array
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return None
    numbers = [number for number in map(_real, value) if number is not None and parameter.holds(number)]
    return tuple(numbers) if len(numbers) == len(value) else None


_CHECKS: dict[str, Callable[[Parameter, Any], Value | None]] = {
    "bool": _check_bool,
    "choice": _check_choice,
    "int": _check_int,
    "float": _check_float,
    "count_or_share": _check_count_or_share,
    "members": _check_members,
    "numbers": _check_numbers,
}


def _real(value: Any) -> float | None:
    """Take a finite number (numpy's scalars too) that is not a truth value."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _number(word: str) -> Any:
    """Read an integer or else a float; a word that is neither stays a word."""
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _plain(bound: float) -> str:
    """Write a bound without an exponent when it is a whole number."""
    return str(int(bound)) if bound == int(bound) else f"{bound:.10g}"


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def rows_meant(asked: int | float | str, n: int, auto: int) -> int:
    """Turn a `count_or_share` of rows into a count: "auto" means `auto`, up to 1 a share of the `n` rows."""
    if isinstance(asked, str):
        return auto
    return int(asked * n) if asked <= 1 else int(asked)
