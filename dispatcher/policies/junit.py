"""Test results as JUnit XML, which build servers read: one suite per file, one message per failed expectation."""

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from dispatcher.policies.cases import CaseResult
from dispatcher.policies.failures import Language, render_failure

__all__ = ["junit_tree"]

_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2 (Char)


def junit_tree(results: Sequence[CaseResult], lang: Language = "en") -> "ElementTree[Element]":
    """The results as a `testsuites` document; times in seconds."""
    root = Element("testsuites", _totals(results))
    for file, group in groupby(results, key=lambda result: _legal(result.case.place.file)):
        of_file = list(group)
        suite = SubElement(root, "testsuite", {"name": file, **_totals(of_file)})
        for result in of_file:
            place = result.case.place
            case = SubElement(
                suite,
                "testcase",
                {
                    "classname": file,
                    "name": _legal(result.case.name),
                    "file": file,
                    "line": str(place.line),
                    "time": f"{result.seconds:.3f}",
                },
            )
            lines = [f"{failure.place} {render_failure(failure, lang)}" for failure in result.failures]
            if lines:
                SubElement(case, "failure", {"message": _legal(lines[0])}).text = _legal("\n".join(lines))
    indent(root)
    return ElementTree(root)


def _totals(results: Sequence[CaseResult]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(1 for result in results if result.failures)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _legal(text: str) -> str:
    """XML cannot say control characters or half surrogate pairs, not even escaped."""
    return _ILLEGAL.sub("�", text)
