"""`geo`, `rules`, `bench` and `tests` are common words: each must resolve inside this repository."""

import importlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", ["geo", "rules", "dispatcher", "bench"])
def test_import_name_resolves_here(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == (ROOT / name / "__init__.py").resolve()


@pytest.mark.parametrize("package", ["geo", "rules", "dispatcher.core"])
def test_front_doors_list_what_they_offer(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert all(hasattr(module, name) for name in module.__all__)


def test_impure_modules_are_not_behind_a_front_door() -> None:
    import geo

    assert "city" not in geo.__all__
