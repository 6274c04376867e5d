"""Reading by dotted path, and the forms a value must have."""

from __future__ import annotations

import pytest

from parsers import MalformedPayload, Payload, forms

PAYLOAD = Payload({"a": {"b": [{"c": 1}, {"c": None}]}, "text": "x", "empty": "", "n": None}, at="msg")


@pytest.mark.parametrize(
    ("path", "value"),
    [("a.b.0.c", 1), ("a.b.-1.c", None), ("a.b.2.c", None), ("a.b.-3.c", None), ("n.b.c", None), ("z", None)],
)
def test_optional(path, value):
    assert PAYLOAD.optional(path, int) == value


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("text.b", "msg.text: is str, not an object"),
        ("a.b.c", "msg.a.b: is list, not an object"),
        ("a.b.c.d", "msg.a.b: is list, not an object"),
        ("text", "msg.text: is str, not int"),
        ("z", "msg.z: is missing or null"),
    ],
)
def test_dig_complains(path, complaint):
    with pytest.raises(MalformedPayload, match=f"^{complaint}$") as caught:
        PAYLOAD.dig(path, int)
    assert str(caught.value) == f"{caught.value.path}: {caught.value.why}"


def test_parts():
    assert [part.optional("c", int) for part in PAYLOAD.parts("a.b")] == [1, None]
    assert PAYLOAD.parts("n") == PAYLOAD.parts("z") == []
    with pytest.raises(MalformedPayload, match=r"^msg\.a\.b\.1\.c: is missing or null$"):
        PAYLOAD.parts("a.b")[1].dig("c", int)


def test_has():
    assert PAYLOAD.has("a.b")
    assert not PAYLOAD.has("n")
    assert not PAYLOAD.has("text.b")


def test_read():
    assert PAYLOAD.read("text", forms.name) == "x"
    assert PAYLOAD.read_optional("empty", forms.name) is None
    with pytest.raises(MalformedPayload, match=r"^msg\.empty: is missing or null$"):
        PAYLOAD.read("empty", forms.name)


@pytest.mark.parametrize(
    ("form", "value", "fact"),
    [
        (forms.page, "https://github.com/a/b.git", "https://github.com/a/b"),
        (forms.page, "http://localhost:8080/a/b/", "http://localhost:8080/a/b"),
        (forms.site, "https://pagure.io/", "https://pagure.io"),
        (forms.namespace, "a/b/c", "a/b/c"),
        (forms.login, "dependabot[bot]", "dependabot[bot]"),
        (forms.branch, "refs/heads/refs/heads/x", "refs/heads/x"),
        (forms.ref, "žluťoučký/kůň#1", "žluťoučký/kůň#1"),
        (forms.moment, 0, "1970-01-01T00:00:00Z"),
        (forms.moment, "2015-06-22 14:04:41.44985", "2015-06-22T14:04:41.449850Z"),
        (forms.moment, "2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00Z"),
        (forms.moment, "0001-01-01T00:00:00+14:00", None),
        (forms.moment, float("nan"), None),
        (forms.moment, float("inf"), None),
        (forms.moment, 10**400, None),
        (forms.moment, "٣", None),
        (forms.number, 1, 1),
    ],
)
def test_form(form, value, fact):
    assert form(value) == fact


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (forms.page, "https://github.com"),
        (forms.page, "https://github.com/a/../b"),
        (forms.page, "https://github.com/a/b?x"),
        (forms.page, "https://github.com/a/b#@evil.example/"),
        (forms.page, "https://github.com/a/b\n"),
        (forms.page, "ftp://github.com/a/b"),
        (forms.page, "https://github.com/" + "a" * 2000),
        (forms.link, "https://x/a b"),
        (forms.name, "."),
        (forms.name, "a/b"),
        (forms.name, "a\n"),
        (forms.namespace, "a//b"),
        (forms.login, "a\r\nX: y"),
        (forms.key, "x" * 129),
        (forms.sha, "g" * 40),
        (forms.sha, "abc"),
        (forms.ref, "a@{1}"),
        (forms.ref, "a.lock"),
        (forms.ref, "a/"),
        (forms.ref, "a\x7f"),
        (forms.branch, 7),
        (forms.number, True),
        (forms.number, 2**63),
        (forms.moment, True),
        (forms.moment, None),
    ],
)
def test_form_refuses(form, value):
    with pytest.raises(ValueError, match=r"^is "):
        form(value)
