"""Bring the catalogues of the pages' texts up to date: `python scripts/messages.py [--check]`.

Texts are found in the templates, in the Python code of the server and in the catalogue of algorithms;
what a catalogue lacks is listed.
`--check` writes nothing and fails when a text is missing, not translated, or not used any more.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pynomaly import errors
from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.server.web.forms import label

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "pynomaly"
SOURCE = PACKAGE / "server"
LOCALE = SOURCE / "web" / "locale"
METHODS = [("**.py", "python"), ("web/templates/**.html", "jinja2.ext:babel_extract")]
TEMPLATES = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}


def used() -> Catalog:
    """Collect every text of the source."""
    found = Catalog(project="Pynomaly", charset="utf-8")
    for name, _, text, comments, context in extract_from_dir(
        SOURCE, METHODS, options_map={"web/templates/**.html": TEMPLATES}, keywords=KEYWORDS
    ):
        found.add(text, locations=[(name, 0)], auto_comments=comments, context=context)
    for text in chain(errors_say(), catalogue_texts()):
        found.add(text)
    return found


def errors_say() -> Iterator[str]:
    """Give what errors say by default, and each message of theirs that nothing is filled into."""
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.PynomalyError)
    }
    for kind in kinds.values():
        yield kind().message
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in ("cli", "client"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds and node.args:
                first = node.args[0]
                text = first.value if isinstance(first, ast.Constant) else None  # settings are for a terminal
                if isinstance(text, str) and " " in text and "PYNOMALY_" not in text:
                    yield text


def catalogue_texts() -> Iterator[str]:
    """Give what pages show of the catalogue of algorithms, which is data: no call names its texts."""
    for info in CATALOGUE.values():
        yield from (info.title, info.summary)
        for parameter in info.parameters:
            yield from (parameter.label or label(parameter.name), parameter.help)


def update(path: Path, texts: Catalog) -> Catalog:
    """Read the catalogue at `path` and give it the present texts."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.name)
    catalogue.update(texts, no_fuzzy_matching=True)
    return catalogue


def problems(path: Path, texts: Catalog) -> list[str]:
    """Tell what is wrong with a catalogue."""
    catalogue = update(path, texts)
    wrong = [f"not used any more: {key}" for key in catalogue.obsolete]
    for message in catalogue:
        if not message.id:
            continue
        given = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(given) or message.fuzzy:
            wrong.append(f"not translated: {message.id}")
        else:
            wrong += [f"{error}: {message.id}" for error in message.check(catalogue)]
    return wrong


def main() -> int:
    """Update or check all catalogues."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    texts, wrong = used(), 0
    for path in sorted(LOCALE.glob("*/messages.po")):
        for problem in problems(path, texts):
            print(f"{path.parent.name}: {problem}")
            wrong += 1
        if not check:
            catalogue = update(path, texts)
            with path.open("wb") as file:
                write_po(file, catalogue, width=110, sort_output=True, ignore_obsolete=True, no_location=True)
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
