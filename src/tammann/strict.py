"""Strict reading of hand-written files.

YAML becomes plain data (text, numbers, true and false, lists, blocks) and nothing else that YAML can do; a block that
does not fit its model raises one sentence with the path of the key, what was expected and what was given.
"""

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from tammann.errors import DataError, RecipeError, TammannError
from tammann.files import read_text

MAX_DEPTH = 12
BRANCHES = frozenset({"[key]", "<name>", "<block>"})
"""What pydantic puts into a location that the user did not write: the tags of unions must be among these."""


class Block(BaseModel):
    """A frozen block of a file that knows all its keys; the description of a field says what is expected there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Document(Block):
    """The outermost block of a file; what does not fit raises ``ERROR`` with one sentence."""

    ERROR: ClassVar[type[TammannError]] = RecipeError

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise self.ERROR(explain(error, type(self))) from None

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, replaced: Mapping[str, Any] | None = None) -> Self:
        """Read a YAML file in UTF-8 of at most 200 kB; file names in it are taken relative to it.

        Entries that are ``replaced`` are those of another place, as a command line.

        Raises:
            TammannError: The file cannot be read, or its text is refused by ``from_text``.
        """
        text = read_text(path, error=cls.ERROR)
        try:
            return cls.from_text(text, directory=Path(path).parent, replaced=replaced)
        except cls.ERROR as error:
            raise cls.ERROR(f"{path}: {error}") from None

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        directory: str | os.PathLike[str] | None = None,
        replaced: Mapping[str, Any] | None = None,
    ) -> Self:
        """Read YAML text; file names in it are taken relative to a directory, by default the current one.

        Raises:
            TammannError: The text is no valid file of its kind.
        """
        return cls(**cls.with_paths(read_block(text, error=cls.ERROR), directory or "") | dict(replaced or {}))

    @classmethod
    def with_paths(cls, data: dict[str, Any], directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the data with the file names in them made relative to a directory; here there are none."""
        return data


def read_block(text: str, *, error: type[TammannError] = RecipeError) -> dict[str, Any]:
    r"""Read plain data from YAML: a block with text as keys.

    Anchors, aliases, tags, repeated keys and deep nesting are refused. Numbers are those of YAML 1.2 in base ten; what
    only looks like a number (``.nan``, ``0x1F``) stays text.

    Args:
        text: YAML.
        error: What to raise.

    Raises:
        TammannError: Of the kind asked for, where the text is anything else.

    Example:
        >>> read_block("precursors:\n  - phase: BaO\n    ratio: 1")
        {'precursors': [{'phase': 'BaO', 'ratio': 1}]}
    """
    try:
        _refuse_fancy(text, error)
        root = YAML(typ="safe", pure=True).compose(text)
    except TammannError:
        raise
    except YAMLError as reason:
        mark = getattr(reason, "problem_mark", None) or getattr(reason, "context_mark", None)
        what = getattr(reason, "problem", None) or getattr(reason, "reason", None) or "it cannot be parsed"
        where = "" if mark is None else f" on line {mark.line + 1}"
        raise error(f"expected YAML, one 'key: value' a line, got something else{where} ({what}).") from None
    except Exception as reason:  # the parser raises errors of its own on malformed text
        raise error(f"expected YAML, got text that its parser cannot take ({type(reason).__name__}).") from None
    if root is None:
        raise error("expected YAML, one 'key: value' a line, got an empty file.")
    if not isinstance(root, MappingNode):
        raise error("expected YAML, one 'key: value' a line, got no keys; is it the right file?")
    data: dict[str, Any] = _plain(root, "", error)
    return data


def _refuse_fancy(text: str, error: type[TammannError]) -> None:
    """Check the events before anything is built: composing is recursive, and aliases multiply."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise error(f"expected blocks at most {MAX_DEPTH} deep, got more on {_line(event)}.")
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise error(f"expected plain YAML, got an anchor or alias on {_line(event)}; write the values out.")
        if getattr(event, "tag", None) is not None:
            raise error(f"expected plain YAML, got the tag {shown(str(event.tag))} on {_line(event)}; remove it.")


def _line(item: Any) -> str:
    return f"line {item.start_mark.line + 1}"


def _plain(node: Node, path: str, error: type[TammannError]) -> Any:
    if isinstance(node, MappingNode):
        block: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if isinstance(key_node, MappingNode | SequenceNode):
                raise error(f"expected a word as a key on {_line(key_node)}, got a block.")
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in block:
                raise error(f"{_shorter(inner)}: expected the key once, got it again on {_line(key_node)}; remove one.")
            block[key] = _plain(value_node, inner, error)
        return block
    if isinstance(node, SequenceNode):
        return [_plain(item, f"{path}[{i}]", error) for i, item in enumerate(node.value)]
    return _scalar(str(node.value), str(node.tag).rpartition(":")[2])


def _scalar(text: str, kind: str) -> str | int | float | bool | None:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    readers: tuple[Callable[[str], int | float], ...] = (int, float) if kind in ("int", "float") else ()
    for number in readers:
        with suppress(ValueError):  # hexadecimal, .nan, thousands of digits
            return number(text)
    return text


def finite_number(value: object, where: str) -> float:
    """Return a number from a file; text, true, false and what is not finite are refused.

    Args:
        value: From YAML or JSON.
        where: The file and key, for the message.

    Raises:
        DataError: It is no finite number.

    Example:
        >>> finite_number(2, "mine.json: volume")
        2.0
    """
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        raise DataError(f"{where} is {shown(value)}, expected a finite number")
    return number


def shown(value: object) -> str:
    """Return a value as it may stand in a message of one line.

    Example:
        >>> shown("x" * 100)
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    try:
        text = repr(value)
    except ValueError:  # whole numbers of thousands of digits
        return "a very large number"
    return text if len(text) <= 60 else text[:57] + "..."


def _shorter(path: str) -> str:
    return (path if len(path) <= 120 else path[:117] + "...") or "''"


def explain(error: ValidationError, model: type[Block]) -> str:
    """Return the first complaint of a `Block` as one sentence: the path of the key, what was expected, what arrived.

    Args:
        error: Raised by ``model(**data)``.
        model: The outermost block.

    Example:
        >>> from pydantic import Field
        >>> class Soup(Block):
        ...     salt: float = Field(ge=0, description="a mass in grams, at least 0")
        >>> try:
        ...     Soup(salt=-1)
        ... except ValidationError as error:
        ...     print(explain(error, Soup))
        salt: expected a mass in grams, at least 0, got -1.
    """
    # a default that follows from other entries cannot be had when those are wrong: that is no complaint of its own
    errors = [e for e in error.errors(include_url=False) if e["type"] != "default_factory_not_called"]
    # nor is a list that comes out short because an entry of it is wrong
    errors = [e for e in errors if not any(_within(other["loc"], e["loc"]) for other in errors)]
    # an unknown key says more than the missing one it was meant to be
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    more = f" (and {len(errors) - 1} more error{'s' * (len(errors) > 2)})" if len(errors) > 1 else ""
    loc, inner, expected = _follow(first["loc"], model)
    # a key may hold line breaks, a message may not
    parts = (f"[{part}]" if isinstance(part, int) else f".{' '.join(str(part).split())}" for part in loc)
    path = _shorter("".join(parts).removeprefix("."))
    if first["type"] == "value_error":
        reason = f"{first['ctx']['error']}{more}"
        stop = "" if reason.endswith("?") else "."
        return f"{path}: {reason}{stop}" if loc else f"{reason}{stop}"
    if first["type"] == "extra_forbidden":
        known = list(inner.model_fields) if inner else []
        close = get_close_matches(str(loc[-1]), known, 1, 0.5)
        advice = f"did you mean {close[0]}?" if close else f"the keys there are {', '.join(known)}."
        return f"{path}: expected no such key, got {shown(first['input'])}{more}; {advice}"
    if first["type"] == "missing":
        return f"{path}: expected {expected}, got nothing{more}; add the key."
    return f"{path}: expected {expected}, got {shown(first['input'])}{more}."


def _within(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _follow(location: tuple[int | str, ...], model: type[Block]) -> tuple[list[int | str], type[Block] | None, str]:
    """Walk pydantic's location through the blocks.

    Returns:
        The path as the user wrote it, the innermost block on it, and the description of the last known key.
    """
    path: list[int | str] = []
    inner: type[Block] | None = model
    expected = "a block"
    for part in location:
        if inner is not None and isinstance(part, str) and part in inner.model_fields:
            field = inner.model_fields[part]
            expected = field.description or "something else"
            inner = _block_in(field.annotation)
        elif isinstance(part, int) and inner is not None:
            expected = f"a block with {', '.join(k for k, f in inner.model_fields.items() if f.is_required())}"
        elif path and part in BRANCHES:
            continue
        path.append(part)
    return path, inner, expected


def _block_in(annotation: Any) -> type[Block] | None:
    """The block behind an annotation such as ``tuple[Step, ...]`` or ``Calibration | None``."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _block_in(arg))), None)
