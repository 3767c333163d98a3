"""`dispatcher rules fmt`: tidy the files of a policy."""

import os
import tempfile
from pathlib import Path

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, out
from dispatcher.hosts.setup import policy_files
from rules.fmt import MeaningChanged, tidy

__all__ = ["fmt_command"]

_WORDS = {
    "en": {"would": "{count} of {total} files would change", "did": "{count} of {total} files tidied"},
    "zh": {"would": "{total} 个文件中有 {count} 个需要整理", "did": "{total} 个文件中整理了 {count} 个"},
}


def fmt_command(config_path: Path, directory: Path | None, *, check: bool, lang: str) -> None:
    """Print the names of the files that change; with `check` write nothing and exit 1 if there are any."""
    language_of(lang)
    directory = directory or config_of(config_path).policy
    files = policy_files(directory)
    try:
        changed = tidy(files)
    except MeaningChanged as error:
        fail(str(error))
    for name, content in changed.items():
        out.print(str(directory / name))
        if not check:
            _replace(directory / name, content)
    out.print(_WORDS[lang]["would" if check else "did"].format(count=len(changed), total=len(files)))
    if check and changed:
        raise SystemExit(1)


def _replace(file: Path, content: bytes) -> None:
    """All of the new file or all of the old one, whatever happens; its permissions stay."""
    mode = file.stat().st_mode
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "wb") as new:
        new.write(content)
    Path(name).chmod(mode)
    Path(name).replace(file)
