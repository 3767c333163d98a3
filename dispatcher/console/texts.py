"""Every text of the console, in Chinese and English. Data holds codes; labels are here, in policies and in grids."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from dispatcher.console.texts_codes import WORK_CODES
from dispatcher.console.texts_figures import FIGURE_CODES, FIGURE_TEXTS
from dispatcher.console.texts_governing import GOVERNING, GOVERNING_CODES
from dispatcher.console.texts_work import WORK_TEXTS

__all__ = ["CODES", "LANGUAGES", "TEXTS", "Lang", "Texts"]

Lang = Literal["zh", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("zh", "en")
TEXTS: Final[Mapping[str, tuple[str, str]]] = {**WORK_TEXTS, **FIGURE_TEXTS, **GOVERNING}  # zh, en
CODES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {**WORK_CODES, **FIGURE_CODES, **GOVERNING_CODES}


class Texts:
    """The texts in one language; an unknown name is a mistake of ours and raises KeyError."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self._at = LANGUAGES.index(lang)

    def __call__(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever the text shows
        """A text with its values in place."""
        text = TEXTS[name][self._at]
        return text.format(**values) if values else text

    def code(self, kind: str, code: object) -> str:
        """What a code is called; a code nothing is known of stands for itself."""
        known = CODES[kind].get(str(code))
        return str(code) if known is None else known[self._at]

    def pick(self, zh: str, en: str, otherwise: str) -> str:
        """The name in this language, else in the other, else the code."""
        first, second = (zh, en) if self.lang == "zh" else (en, zh)
        return first or second or otherwise

    def codes(self, kind: str) -> dict[str, str]:
        """All codes of a kind with what they are called."""
        return {code: names[self._at] for code, names in CODES[kind].items()}
