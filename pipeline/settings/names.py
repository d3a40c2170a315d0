"""Names that no setting has, and which one was meant. PURE."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

_PREFIX = "touchstream_"


def variable(name: str) -> str:
    """Give the environment variable of a setting."""
    return f"{_PREFIX}{name}".upper()


def unknown(settings: type[BaseModel], name: str, *within: str) -> str:
    """Say that `settings` has no such name, or its tables none `within`, and which was meant."""
    if within:
        return _said(within[-1], {*_names_in(settings.model_fields[name].annotation)})
    plain = name.lower().replace("-", "_").removeprefix(_PREFIX)
    known = settings.model_fields
    if plain in known:
        return f"there is no such setting; in a file, write it as {plain}"
    if any(other.startswith(f"{plain}_") for other in known):
        return f"there is no such setting, and the file has no sections; write {plain}_... = ..."
    near = get_close_matches(plain, known, n=1)
    return "there is no such setting" + (
        f"; did you mean {variable(near[0])} (in a file {near[0]})?" if near else ""
    )


def misplaced(settings: type[BaseModel], file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each table of a file with a setting that was meant to stand above it, and the setting.

    TOML counts what follows a [table] to the table.
    """
    for name, value in file.items():
        if isinstance(value, dict):
            yield from ((name, key) for key in value if "_" in key and key in settings.model_fields)
            yield from ((f"{name}.{inner}", key) for inner, key in misplaced(settings, value))


def secret_settings(settings: type[BaseModel]) -> list[str]:
    """Name the settings that are secrets, or contain some."""
    return [n for n, field in settings.model_fields.items() if _has_secret(field.annotation)]


def _has_secret(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return bool(secret_settings(kind))
    return kind is SecretStr or any(map(_has_secret, get_args(kind)))


def _said(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"there is no such name; {f'did you mean {near[0]}?' if near else _one_of(known)}"


def _one_of(known: set[str]) -> str:
    return f"write one of {', '.join(sorted(known))}"


def _names_in(kind: Any) -> Iterator[str]:
    """Give the names of all fields in the tables of a setting of this kind."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from kind.model_fields
    for part in get_args(kind):
        yield from _names_in(part)
