"""Which stream each column and object of a file goes into."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aetherops.archive.csv.layout import Layout
    from aetherops.archive.csv.samples import SeriesKey

__all__ = [
    "ColumnTarget",
    "Targets",
    "TargetsByColumn",
    "name_part",
    "parse_mapping",
    "with_sample_names",
]

_COLUMN, _OBJECT = "{column}", "{object}"
_NO_NAME = re.compile(r"[^A-Za-z0-9_.:+-]+")
_LONGEST_PART = 64
_MOST_OBJECTS = 10_000
_MAPPING = re.compile(r"(?P<column>.+?)=(?P<stream>[^=\[\]]+?)\s*(?:\[(?P<unit>[^\[\]]*)\])?")


@dataclass(frozen=True, slots=True)
class ColumnTarget:
    """Where the values of a column go.

    Parameters
    ----------
    template : name of the stream, in which ``{column}`` and ``{object}`` may stand.
    unit, kind : of its values.
    option : that gave it, for messages.
    """

    template: str
    unit: str
    kind: str
    option: str = "--stream"


#: By the name of each column that was mapped by itself, or one for all under ``None``.
TargetsByColumn: TypeAlias = "Mapping[str | None, ColumnTarget]"


def parse_mapping(text: str, unit: str, kind: str) -> tuple[str, ColumnTarget]:
    """A column and where it goes, from ``column=service/source/parameter [unit]``.

    Parameters
    ----------
    text : as written after ``--map``.
    unit, kind : where the text gives no unit, and of what kind the values are.
    """
    match = _MAPPING.fullmatch(text.strip())
    if match is None:
        raise InvalidInputError("--map", text, "column=service/source/parameter, or … [unit]")
    given = unit if match["unit"] is None else match["unit"].strip()
    return match["column"].strip(), ColumnTarget(match["stream"].strip(), given, kind, "--map")


def name_part(text: str) -> str:
    """A part of a stream's name made from any text, empty where nothing of it can stand in one.

    What names may not hold becomes ``_``, one for each run; nothing but a letter or digit
    begins a name, and no ``_`` made so ends it.
    """
    part = _NO_NAME.sub("_", text)
    if part != text:
        part = part.rstrip("_")
    return part.lstrip("_.:+-")


def with_sample_names(template: str, column: str = "column") -> str:
    """A name as a template makes it, for some object."""
    return template.replace(_OBJECT, "object").replace(_COLUMN, column)


@dataclass(slots=True)
class Targets:
    """The streams of one file.

    Parameters
    ----------
    layout : of the file.
    by_column : where each column goes, by its index.
    """

    layout: Layout
    by_column: Mapping[int, ColumnTarget]
    _streams: dict[SeriesKey, Stream] = field(default_factory=dict)
    _owners: dict[tuple[int, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, layout: Layout, wanted: TargetsByColumn) -> Targets:
        """The targets of a layout, checked before the first row.

        Raises
        ------
        InvalidInputError
            A name is none, or several columns or objects would go into one stream.
        """
        names = [name for name in wanted if name is not None]
        given = list(wanted.values())
        # Mapped columns were found by these names, in their order.
        chosen: Sequence[ColumnTarget] = given if names else given * len(layout.value_indices)
        targets = cls(layout, dict(zip(layout.value_indices, chosen, strict=True)))
        targets._check()
        return targets

    def stream_of(self, key: SeriesKey) -> Stream:
        """The stream of a column and an object.

        Raises
        ------
        RowError
            The object's name gives no part of a stream's name, or another object's.
        LimitExceededError
            There are too many objects: the column tells something else apart.
        """
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = self._new_stream(key)
        return stream

    @property
    def streams(self) -> list[Stream]:
        """The streams so far, in the order in which they appeared."""
        return list(self._streams.values())

    def _new_stream(self, key: SeriesKey) -> Stream:
        target = self.by_column[key.column]
        part = name_part(key.object)
        if self.layout.split_index is not None:
            self._claim(key, part)
        name = target.template.replace(_OBJECT, part)
        name = name.replace(_COLUMN, name_part(self.layout.columns[key.column]))
        return Stream(StreamName.parse(name, target.option), target.unit, target.kind)

    def _claim(self, key: SeriesKey, part: str) -> None:
        if not 0 < len(part) <= _LONGEST_PART:
            expected = f"one with 1 to {_LONGEST_PART} letters or digits"
            raise RowError(Reason.OBJECT, f"object {key.object!r}, expected {expected}")
        owner = self._owners.setdefault((key.column, part), key.object)
        if owner != key.object:
            detail = f"object {key.object!r}, whose stream is {owner!r}'s already"
            raise RowError(Reason.OBJECT, detail)
        if len(self._owners) > _MOST_OBJECTS * len(self.by_column):
            what = f"objects in column {self.layout.columns[self.layout.split_index or 0]}"
            raise LimitExceededError(what, _MOST_OBJECTS, _MOST_OBJECTS + 1)

    def _check(self) -> None:
        """Refuse names that can be none, and two columns in one stream."""
        split, names = self.layout.split_index is not None, set()
        for index, target in self.by_column.items():
            if split != (_OBJECT in target.template):
                expected = (
                    f"a name with {_OBJECT}, such as service/{_OBJECT}/parameter"
                    if split
                    else f"a name without {_OBJECT}, or --split-by"
                )
                raise InvalidInputError(target.option, target.template, expected)
            name = with_sample_names(target.template, name_part(self.layout.columns[index]))
            Stream(StreamName.parse(name, target.option), target.unit, target.kind)
            if name in names:
                hint = f" (a name with {_COLUMN})" if target.option == "--stream" else ""
                expected = f"a stream of its own for each column{hint}"
                raise InvalidInputError(target.option, target.template, expected)
            names.add(name)
