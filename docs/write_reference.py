"""Write the reference of the policy format into docs/policy.md and docs/policy.zh.md, between its two marks."""

import sys
from pathlib import Path

from rules.reference import reference

FIRST, LAST = "<!-- reference: made by `make reference` -->\n", "<!-- end of reference -->\n"
PAGES = {"en": Path(__file__).with_name("policy.md"), "zh": Path(__file__).with_name("policy.zh.md")}


def renewed(page: Path, language: str) -> str:
    """The page with its reference made anew."""
    before, _, rest = page.read_text(encoding="utf-8").partition(FIRST)
    _, _, after = rest.partition(LAST)
    return f"{before}{FIRST}\n{reference('zh' if language == 'zh' else 'en')}\n{LAST}{after}"


if __name__ == "__main__":
    for language, page in PAGES.items():
        page.write_text(renewed(page, language), encoding="utf-8")
        sys.stdout.write(f"{page}\n")
