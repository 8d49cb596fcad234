"""What in a dataset deserves a look, in words of the reader's language."""

from collections.abc import Sequence

from pynomaly.server.datasets import quality
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.quality import Finding
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.language import ngettext
from pynomaly.server.web.profile import Notice


def of_dataset(dataset: Dataset) -> tuple[dict[str, list[Notice]], list[Notice]]:
    """Tell what deserves a look: by column, and of the table as a whole."""
    if dataset.status != "ready":
        return {}, []
    found = quality.assess(
        dataset.profile, dataset.rejects, dataset.n_rows or 0, dataset.n_duplicates, dataset.label_column
    )
    columns: dict[str, list[Notice]] = {}
    whole: list[Notice] = []
    for finding in found.findings:
        if finding.kind == "unparsed":
            continue  # the validation report has them, one by one
        if finding.column is None:
            whole.append(notice(finding))
        else:
            columns.setdefault(finding.column, []).append(notice(finding))
    return columns, whole


def count(columns: Sequence[Sequence[Notice]], severities: Sequence[str] = ("serious", "warning")) -> int:
    """Count the notices that are more than a hint."""
    return sum(one.severity in severities for notices in columns for one in notices)


def notice(finding: Finding) -> Notice:
    """Put one finding into words."""
    return Notice(finding.severity, *_words(finding))


def _words(finding: Finding) -> tuple[str, str]:
    n = finding.count or 0
    match finding.kind:
        case "missing" if finding.severity == "serious":
            return _("mostly missing"), _("Leave the column out, if the values cannot be filled in.")
        case "missing":
            return _("some missing"), _("Fill the values in, or leave the column out.")
        case "constant":
            return _("constant"), _("All rows have the same value, or none: leave the column out.")
        case "identifier":
            return _("identifier-like"), _("Nearly every row has its own value: detection leaves it out.")
        case "text":
            return _("free text"), _("If it names a few kinds of things, read it as a category.")
        case "mixed":
            return _("numbers and text"), _("If it should be a number, choose that type.")
        case "far_values":
            return _("far values"), _("An extreme lies far out: if it stands for a missing value, empty it.")
        case "few_values":
            return _("few values"), _("If these numbers are codes and not amounts, read them as a category.")
        case "dominant":
            return _("one value rules"), _("Rare values will stand out; leave it out if they mean nothing.")
        case "many_categories":
            return _("many categories"), _("Each is seen seldom; group rare ones if that makes sense.")
        case "duplicates":
            told = ngettext("%(n)s row equals an earlier one.", "%(n)s rows equal an earlier one.", n) % {
                "n": f"{n:,}"
            }
            return _("duplicates"), told
        case "few_rows":
            return _("few rows"), _("With few rows little can be said of what is usual.")
        case "unparsed":
            return _("not read"), _("The validation report has each cell.")
