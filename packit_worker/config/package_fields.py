"""Kinds of values in a package configuration, as marshmallow fields that load straight into the shapes of `jobs`.

For the schemas of this folder only. Messages are for the maintainer of the file: what is wrong and what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from packit_worker.config.problems import Hint, shown

EMPTY = "may not be empty: give it a value or remove the key"


Messages = dict[str, str | list[Any] | dict[Any, Any]]


def says(invalid: str) -> Messages:
    """The messages of a field: for a value of the wrong kind, and for none."""
    return {"invalid": invalid, "null": EMPTY}


_SCHEMA_ERRORS: dict[str, str] = {"type": "has to be a mapping of keys to values"}
_INSIDE_ERRORS: Messages = {"type": "has to be a mapping of keys to values", "null": EMPTY}


class Text(fields.String):
    """Text. Numbers and booleans are not taken for text, as 1.10 would turn into 1.1."""

    default_error_messages = says("has to be text: put the value in quotes")


class Flag(fields.Boolean):
    """Yes or no, in any of the spellings of YAML 1.1, quoted or not."""

    default_error_messages = says("has to be true or false")


class Whole(fields.Integer):
    """A whole number."""

    default_error_messages = says("has to be a whole number") | {"too_large": "is too large a number"}


class Texts(fields.List[Any]):
    """A list of texts; loads as a tuple."""

    default_error_messages = says("has to be a list, e.g. [one, two]")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Text(), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Mapped(fields.Field[Mapping[str, Any]]):
    """A mapping whose values are the user's affair; with ``text_keys`` its keys have to be text."""

    default_error_messages = says("has to be a mapping of keys to values")

    def __init__(self, *, text_keys: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text_keys = text_keys

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        if self.text_keys and (odd := [key for key in value if not isinstance(key, str)]):
            raise ValidationError({key: ["the key has to be text: put it in quotes"] for key in odd})
        return dict(value)


class Choice(fields.Field[Any]):
    """One of a few words. ``known`` maps each to what it loads as."""

    default_error_messages = says("has to be text")

    def __init__(self, known: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = known

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(f"has to be one word of: {', '.join(self.known)}")
        return choose(value, self.known)


def choose(word: str, known: Mapping[str, Any]) -> Any:
    """What ``word`` stands for; raises ValidationError naming the nearest known word, or all of them."""
    if word not in known:
        raise ValidationError(
            Hint(f"{shown(word)!r} is not known", word, known, f"use one of {', '.join(known)}")
        )
    return known[word]


class Choices(fields.List[Any]):
    """A list of known words; loads as a tuple."""

    default_error_messages = Texts.default_error_messages

    def __init__(self, known: Iterable[str], **kwargs: Any) -> None:
        super().__init__(Choice({word: word for word in known}), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Many(fields.List[Any]):
    """A list of anything, each item loaded by ``inner``; loads as a tuple."""

    default_error_messages = says("has to be a list")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Inside(fields.Nested):
    """A mapping with a closed list of keys of its own."""

    default_error_messages = _INSIDE_ERRORS


class Ignored(fields.Field[None]):
    """A key that is accepted and has no effect any more."""

    def __init__(self) -> None:
        super().__init__(allow_none=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> None:
        return None


class SourceId(fields.Field[str]):
    """Number or name of the source in the spec file: 5 loads as Source5."""

    default_error_messages = says("has to be a number or a name, e.g. Source1")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str | int | float):
            if not value:
                return ""
            raise self.make_error("invalid")
        try:
            return f"Source{int(value)}"
        except ValueError:
            return str(value)
        except OverflowError as error:
            raise self.make_error("invalid") from error


class Actions(fields.Field[Mapping[str, Any]]):
    """Commands by the name of the step they replace or follow. Only the names are checked."""

    default_error_messages = says("has to be a mapping of action names to commands")

    def __init__(self, known: Iterable[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = {word: word for word in known}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        wrong = {}
        for name in value:
            try:
                choose(name if isinstance(name, str) else str(name), self.known)
            except ValidationError as error:
                wrong[name] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return dict(value)


class Closed(Schema):
    """A mapping with a closed list of keys: any other one is an error that names the nearest.

    ``renamed`` maps keys that have gone to what to write instead.
    """

    class Meta:
        """How marshmallow treats the schema."""

        unknown = EXCLUDE  # they are reported below, with a hint

    renamed: Mapping[str, str] = MappingProxyType({})
    #: Keys that stand beside these but are read by another schema: not valid here, and perhaps what was meant.
    beside: tuple[str, ...] = ()
    error_messages = _SCHEMA_ERRORS

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def no_unknown_keys(self, data: Any, original: Any, **kwargs: Any) -> None:
        """Raise ValidationError for keys that are not in the schema."""
        if not isinstance(original, Mapping):
            return
        known = [item.data_key or name for name, item in self.fields.items()]
        wrong = {key: [self._unknown(key, known)] for key in original if key not in known}
        if wrong:
            raise ValidationError(wrong)

    def _unknown(self, key: object, known: list[str]) -> Hint:
        if isinstance(key, str) and key in self.renamed:
            advice = self.renamed[key]
            return Hint(f"is no longer a key here: use {advice}", advice.split()[0], known, "")
        return Hint("is not a known key", key, (*known, *self.beside), "remove it")


def checked(test: Callable[[Any], bool], message: str) -> Callable[[Any], None]:
    """A marshmallow validator: ``message`` unless ``test`` holds."""

    def validate(value: Any) -> None:
        if not test(value):
            raise ValidationError(message)

    return validate
