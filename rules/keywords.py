"""Finds the policy's literal keywords in a text, overlapping ones too, in one pass of one compiled search.

The keywords are folded into a tree and written as one expression (`ga(?:s(?: leak)?|te)`), so that its cost hardly
grows with their number. At each position it gives the longest keyword; those that are part of it are known beforehand.
"""

import re

from rules.conditions import normal_text

_Tree = dict[str, "_Tree"]
_END = ""


class Keywords:
    """A fixed set of normalised keywords."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = tuple(sorted(set(words)))
        known = set(self.words)
        self._within = {
            word: frozenset(word[i:j] for i in range(len(word)) for j in range(i + 1, len(word) + 1)) & known
            for word in self.words
        }
        self._search = re.compile(f"(?=({_expression(_tree(self.words))}))") if self.words else None

    def find(self, text: str) -> tuple[str, ...]:
        """Return the keywords that occur in `text`, sorted; case and width make no difference."""
        if self._search is None:
            return ()
        found: set[str] = set()
        for word in set(self._search.findall(normal_text(text))):
            found |= self._within[word]
        return tuple(sorted(found))


def _tree(words: tuple[str, ...]) -> _Tree:
    root: _Tree = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return root


def _expression(node: _Tree) -> str:
    """Longest first: what may follow is tried before stopping here."""
    parts = []
    for letter, child in node.items():
        if letter == _END:
            continue
        stem = re.escape(letter)
        while len(child) == 1 and _END not in child:
            letter, child = next(iter(child.items()))  # noqa: PLW2901
            stem += re.escape(letter)
        parts.append(stem + _expression(child))
    if not parts:
        return ""
    if len(parts) == 1 and _END not in node:
        return parts[0]
    return f"(?:{'|'.join(parts)})" + ("?" if _END in node else "")
