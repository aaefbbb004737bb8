"""Reading ``pinyon.yaml``. Every finding names the line, the place, what is wrong and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from pinyon.domain.errors import ConfigurationInvalid
from pinyon.domain.money import currency_code
from pinyon.flows.configure.places import line_of, lines, repeated_keys
from pinyon.ports.destination import DestinationType

#: Reads a secret by its reference, ``env:NAME`` or ``file:PATH``. Raises ``LookupError`` with a sentence for people.
Resolve = Callable[[str], str]

_REFERENCE = re.compile(r"(env|file):(.+)")
_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SourceEntry(_Entry):
    name: str = Field(pattern=_NAME)
    kind: Literal["web", "app", "server"] = "web"
    write_key: Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = (
        Field(min_length=1)
    )
    consent_default: Literal["granted", "denied"] = "denied"
    currency: str | None = None
    enabled: bool = True

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str | None) -> str | None:
        code = currency_code(value) if value is not None else None
        if value is not None and code is None:
            raise ValueError("is not an ISO 4217 code such as EUR")
        return code


class DestinationEntry(_Entry):
    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    name: str = Field(pattern=_NAME)
    type: str
    sources: list[str] = Field(min_length=1)
    preset: str = "pinyon"
    consent_categories: list[str] = []
    enabled: bool = True

    @property
    def settings(self) -> dict[str, Any]:
        """What belongs to the destination's type."""
        return dict(self.__pydantic_extra__ or {})


class WorkspaceEntry(_Entry):
    name: str = Field(pattern=_NAME)
    sources: list[SourceEntry] = []
    destinations: list[DestinationEntry] = []


class Configuration(_Entry):
    """What the file says, secrets resolved."""

    workspaces: list[WorkspaceEntry]


def parse(text: str, filename: str, types: Mapping[str, DestinationType], resolve: Resolve) -> Configuration:
    """Raises ``ConfigurationInvalid`` with every finding at once."""
    try:
        places = lines(text)
        doubled = repeated_keys(text)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"{filename} is not YAML.", [_yaml_finding(filename, error)]) from error
    except RecursionError as error:
        finding = f"{filename}:1: is nested too deeply, or an alias refers to what it stands in."
        raise ConfigurationInvalid(f"{filename} cannot be used.", [finding]) from error
    checker = _Checker(filename, places, types, resolve)
    for line, key in doubled:
        checker.findings.append(f'{filename}:{line}: "{key}" stands twice. Keep one.')
    configuration = checker.check(data)
    if configuration is None or checker.findings:
        raise ConfigurationInvalid(f"{filename} cannot be used.", checker.findings)
    return configuration


class _Checker:
    def __init__(
        self,
        filename: str,
        places: dict[tuple[str | int, ...], int],
        types: Mapping[str, DestinationType],
        resolve: Resolve,
    ) -> None:
        self.findings: list[str] = []
        self._filename = filename
        self._places = places
        self._types = types
        self._resolve = resolve

    def check(self, data: Any) -> Configuration | None:
        if not isinstance(data, dict):
            self._find((), "is empty", 'Begin with "workspaces:"; see docs/reference/configuration.md.')
            return None
        resolved = self._resolve_references(data, ())
        try:
            configuration = Configuration.model_validate(resolved)
        except ValidationError as error:
            for detail in error.errors():
                self._find(*_explain(detail))
            return None
        self._check_names(configuration)
        for index, workspace in enumerate(configuration.workspaces):
            for number, destination in enumerate(workspace.destinations):
                path = ("workspaces", index, "destinations", number)
                self._check_destination(path, destination, [source.name for source in workspace.sources])
        return configuration

    def _resolve_references(self, value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._resolve_references(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolve_references(inner, (*path, index)) for index, inner in enumerate(value)]
        if isinstance(value, str) and _REFERENCE.fullmatch(value):
            try:
                return self._resolve(value)
            except LookupError as error:
                self._find(path, str(error.args[0]), "")
        return value

    def _check_names(self, configuration: Configuration) -> None:
        keys: dict[str, str] = {}
        names = [workspace.name for workspace in configuration.workspaces]
        self._check_unique(("workspaces",), names)
        for index, workspace in enumerate(configuration.workspaces):
            path = ("workspaces", index)
            self._check_unique((*path, "sources"), [source.name for source in workspace.sources])
            self._check_unique((*path, "destinations"), [entry.name for entry in workspace.destinations])
            for number, source in enumerate(workspace.sources):
                for key in source.write_key:
                    if key in keys:
                        place = (*path, "sources", number, "write_key")
                        self._find(place, f'is the write key of the source "{keys[key]}" too', "Give each its own.")
                    if len(key) < 8:
                        place = (*path, "sources", number, "write_key")
                        self._find(
                            place, "is shorter than 8 characters", "Take a longer one: it is all that guards it."
                        )
                    keys[key] = source.name

    def _check_unique(self, path: tuple[str | int, ...], names: list[str]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                self._find((*path, index, "name"), f'"{name}" is taken', "Names are unique within their list.")

    def _check_destination(self, path: tuple[str | int, ...], entry: DestinationEntry, sources: list[str]) -> None:
        for index, name in enumerate(entry.sources):
            if name not in sources:
                self._find((*path, "sources", index), f'no source is named "{name}"', _nearest(name, sources))
        kind = self._types.get(entry.type)
        if kind is None:
            self._find((*path, "type"), f'"{entry.type}" is not known', _nearest(entry.type, list(self._types)))
            return
        presets = [preset.name for preset in kind.presets]
        if entry.preset not in presets:
            self._find((*path, "preset"), f'"{entry.preset}" is not known', _nearest(entry.preset, presets))
        self._check_settings(path, entry, kind)

    def _check_settings(self, path: tuple[str | int, ...], entry: DestinationEntry, kind: DestinationType) -> None:
        known = {field.name: field for field in kind.fields}
        common = [*DestinationEntry.model_fields]
        for name, value in entry.settings.items():
            field = known.get(name)
            if field is None:
                self._find((*path, name), "is not known here", _nearest(name, [*common, *known]))
            elif value is None:
                continue  # told below, where it is required
            elif not isinstance(value, str):
                advice = f'Put it in quotes: {name}: "{value}"' if isinstance(value, int) else ""
                self._find((*path, name), "must be text", advice)
            elif field.pattern and not re.fullmatch(field.pattern, value):
                self._find((*path, name), "is not of the right form", f"{field.help} Example: {field.example}")
        for name, field in known.items():
            if field.required and not entry.settings.get(name):
                self._find(path, f'"{name}" is missing', f"{field.help} Example: {name}: {field.example}")

    def _find(self, path: tuple[str | int, ...], what: str, advice: str) -> None:
        line = line_of(self._places, path)
        where = f"{_dotted(path)} " if path else ""
        self.findings.append(f"{self._filename}:{line}: {where}{what}. {advice}".rstrip())


def _explain(detail: Any) -> tuple[tuple[str | int, ...], str, str]:
    """A pydantic finding as (path, what is wrong, what to do)."""
    path: tuple[str | int, ...] = detail["loc"]
    kind = detail["type"]
    if kind == "missing":
        return path, "is missing", ""
    if kind == "extra_forbidden":
        return path, "is not known here", _nearest(str(path[-1]), _names_beside(path))
    if kind == "value_error":
        return path, str(detail["ctx"]["error"]), ""
    if kind == "too_short":
        return path, "is empty", "Name at least one."
    if kind == "string_pattern_mismatch":
        return path, "is not a name", "Use letters, digits, spaces, dots, dashes; 64 characters at most."
    return path, f"is wrong: {detail['msg'][0].lower()}{detail['msg'][1:]}", ""


def _names_beside(path: tuple[str | int, ...]) -> list[str]:
    names = [part for part in path if isinstance(part, str)]
    if len(names) == 1:
        return list(Configuration.model_fields)
    models: dict[str, type[_Entry]] = {
        "workspaces": WorkspaceEntry,
        "sources": SourceEntry,
        "destinations": DestinationEntry,
    }
    model = models.get(names[-2])
    return list(model.model_fields) if model is not None else []


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Known: {', '.join(known)}." if known else "There is none yet."


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _yaml_finding(filename: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "cannot be read"
    line = mark.line + 1 if mark is not None else 1
    return f"{filename}:{line}: {problem}."
