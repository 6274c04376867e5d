"""The two keys that are a list or a mapping: `targets` and `dist_git_branches`. For the schemas of this folder only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from packit_worker.config.package_fields import Texts, says
from packit_worker.config.problems import Hint, shown

# what may be set for one target, and the kind of its value
_TARGET_KEYS: Mapping[str, type] = {
    "distros": list,
    "additional_modules": str,
    "additional_packages": list,
    "additional_repos": list,
    "with_opts": list,
    "without_opts": list,
}
_FAST_FORWARD = "fast_forward_merge_into"


# names in the order of the file without repeats, and what is said of some of them
Named = tuple[tuple[str, ...], Mapping[str, Any]]


class Targets(fields.Field[Named]):
    """Chroots and aliases: a list, or a mapping with settings for each. Loads as names and the settings of some.

    Names are not checked: new distributions appear without our knowing. Of the settings only the first one of the first
    target that has any is checked, which is what the files in the world are written against.
    """

    default_error_messages = says("has to be a list of targets, or a mapping of targets to their settings")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Named:
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(dict.fromkeys(value)), {}
        if not _named_mappings(value):
            raise self.make_error("invalid")
        for name, settings in value.items():
            if settings:
                key, first = next(iter(settings.items()))
                _check_setting(name, key, first)
                break
        return tuple(value), {name: dict(settings) for name, settings in value.items() if settings}


def _check_setting(name: str, key: object, value: object) -> None:
    kind = _TARGET_KEYS.get(key) if isinstance(key, str) else None
    if kind is None:
        hint = Hint(
            "is not a known setting of a target", key, _TARGET_KEYS, f"use one of {', '.join(_TARGET_KEYS)}"
        )
        raise ValidationError({name: {key: [hint]}})
    texts = key == "distros" and isinstance(value, list) and not all(isinstance(item, str) for item in value)
    if not isinstance(value, kind) or texts:
        wanted = "a list of texts" if kind is list else "one text, the values separated by commas"
        raise ValidationError({name: {key: [f"has to be {wanted}"]}})


class DistGitBranches(fields.Field[Named]):
    """Branches of dist-git: a list, or a mapping that says what each is merged into. Loads as names and the latter."""

    default_error_messages = says("has to be a list of branches, or a mapping of branches to mappings")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Named:
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(dict.fromkeys(value)), {}
        if not _named_mappings(value):
            raise self.make_error("invalid")
        for name, settings in value.items():
            for key in settings:
                if key and key != _FAST_FORWARD:
                    message = Hint(
                        "is not known here", key, (_FAST_FORWARD,), f"the only key is {_FAST_FORWARD}"
                    )
                    raise ValidationError({name: {key: [message]}})
        into = {name: _merged_into(settings.get(_FAST_FORWARD)) for name, settings in value.items()}
        return tuple(value), {name: branches for name, branches in into.items() if branches}


def _merged_into(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(shown(item) for item in value) if isinstance(value, list) else ()


def _named_mappings(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and all(isinstance(key, str) for key in value)
        and all(isinstance(item, Mapping) for item in value.values())
    )


class TextOrTexts(Texts):
    """One text or a list of them; loads as a tuple."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return (value,) if isinstance(value, str) else super()._deserialize(value, attr, data, **kwargs)
