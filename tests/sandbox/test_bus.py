"""The message feed: order, numbers, waiting."""

import threading
import time

import requests

from packit_worker.sandbox import Sandbox


def test_messages_are_numbered(sandbox: Sandbox) -> None:
    for number in range(3):
        sandbox.bus.publish("t", {"n": number})
    answer = requests.get(f"{sandbox.bus.url}/messages", params={"after": 1}, timeout=5).json()
    assert ([message["body"]["n"] for message in answer["messages"]], answer["last"]) == ([1, 2], 3)
    assert set(answer["messages"][0]) == {"number", "id", "topic", "body", "sent_at"}
    assert requests.get(f"{sandbox.bus.url}/messages?after=3", timeout=5).json() == {
        "messages": [],
        "last": 3,
    }


def test_waiting_for_a_message(sandbox: Sandbox) -> None:
    timer = threading.Timer(0.1, sandbox.bus.publish, args=("t", {}))
    timer.start()
    started = time.monotonic()
    answer = requests.get(f"{sandbox.bus.url}/messages", params={"after": 0, "wait": 5}, timeout=10).json()
    assert answer["last"] == 1
    assert 0.05 < time.monotonic() - started < 2
    timer.join()


def test_injected_twice(sandbox: Sandbox) -> None:
    for _ in range(2):
        body = {"topic": "t", "body": {"a": 1}, "id": "same"}
        assert requests.post(f"{sandbox.bus.url}/messages", json=body, timeout=5).json()["id"] == "same"
    assert [message["id"] for message in sandbox.bus.messages()] == ["same", "same"]
    assert requests.post(f"{sandbox.bus.url}/messages", json=["no"], timeout=5).status_code == 400


def test_stopping_lets_waiters_go() -> None:
    sandbox = Sandbox(auto=False).start()
    answers = []

    def wait() -> None:
        try:
            answers.append(requests.get(f"{sandbox.bus.url}/messages?wait=30", timeout=40).status_code)
        except requests.ConnectionError:
            answers.append(0)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    started = time.monotonic()
    sandbox.stop()
    thread.join(5)
    assert time.monotonic() - started < 2
    assert answers in ([200], [0])
