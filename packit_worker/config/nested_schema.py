"""The mappings inside a package configuration that have keys of their own. For the schemas of this folder only."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from packit_worker.config.jobs import Notifications, OshOptions, Requirements, Source, SyncFile
from packit_worker.config.jobs import TestCommand as TestCommandSettings
from packit_worker.config.package_fields import Closed, Flag, Inside, Text, Texts, says
from packit_worker.config.targets import TextOrTexts


class SyncFileSchema(Closed):
    """One entry of `files_to_sync`."""

    src = TextOrTexts(required=True, error_messages={"required": "is missing: say what to copy"})
    dest = Text(required=True, error_messages={"required": "is missing: say where to copy to"})
    mkpath = Flag()
    delete = Flag()
    filters = Texts(allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> SyncFile:
        """The loaded values as SyncFile."""
        return SyncFile(**{key: value for key, value in data.items() if value is not None})


_SYNC_FILE = SyncFileSchema()


class SyncFileField(fields.Field[SyncFile]):
    """A path, copied to the same place, or a mapping of source and destination."""

    default_error_messages = says("has to be a path or a mapping of src and dest")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> SyncFile:
        if isinstance(value, str):
            return SyncFile(src=(value,), dest=value)
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        loaded: SyncFile = _SYNC_FILE.load(value)
        return loaded


class SourceSchema(Closed):
    """One entry of `sources`."""

    path = Text(required=True, error_messages={"required": "is missing"})
    url = Text(required=True, error_messages={"required": "is missing"})

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Source:
        """The loaded values as Source."""
        return Source(**data)


class PullRequestSchema(Closed):
    """`notifications.pull_request`."""

    successful_build = Flag()


class FailureCommentSchema(Closed):
    """`notifications.failure_comment`."""

    message = Text(allow_none=True)


class FailureIssueSchema(Closed):
    """`notifications.failure_issue`."""

    create = Flag()


class NotificationsSchema(Closed):
    """`notifications`."""

    pull_request = Inside(PullRequestSchema)
    failure_comment = Inside(FailureCommentSchema)
    failure_issue = Inside(FailureIssueSchema)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Notifications:
        """The loaded values as Notifications."""
        return Notifications(
            successful_build=data.get("pull_request", {}).get("successful_build", False),
            failure_message=data.get("failure_comment", {}).get("message"),
            failure_issue=data.get("failure_issue", {}).get("create", True),
        )


class LabelsSchema(Closed):
    """`require.label`."""

    present = Texts()
    absent = Texts()


class RequireSchema(Closed):
    """`require`."""

    label = Inside(LabelsSchema, allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Requirements:
        """The loaded values as Requirements."""
        label = data.get("label") or {}
        return Requirements(labels_present=label.get("present", ()), labels_absent=label.get("absent", ()))


class TestCommandSchema(Closed):
    """`test_command`."""

    __test__ = False  # the name is not a test's

    default_labels = Texts(allow_none=True)
    default_identifier = Text(allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> TestCommandSettings:
        """The loaded values as TestCommandSettings."""
        return TestCommandSettings(**{key: value for key, value in data.items() if value is not None})


class OshOptionsSchema(Closed):
    """`osh_options`."""

    analyzer = Text(allow_none=True)
    config = Text(allow_none=True)
    profile = Text(allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> OshOptions:
        """The loaded values as OshOptions."""
        return OshOptions(**data)
