import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from aetherops.runtime.logs import LIBRARY_EVENT, configure_logging, hide_secrets
from aetherops.runtime.settings import Settings

JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJvcHMifQ.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, show = root.handlers[:], root.level, warnings.showwarning
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    structlog.reset_defaults()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == "", "logs belong on standard error"
    return [json.loads(line) for line in captured.err.splitlines()]


def test_an_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))

    structlog.get_logger().info("stored", samples=3, stream="orbit/sat-7/altitude_km")

    (event,) = logged(capsys)
    assert event.pop("timestamp", "").endswith("Z")  # type: ignore[attr-defined]
    assert event == {
        "event": "stored",
        "level": "info",
        "samples": 3,
        "stream": "orbit/sat-7/altitude_km",
    }


def test_events_below_the_level_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json", log_level="warning"))

    structlog.get_logger().info("not shown")
    structlog.get_logger().warning("shown")

    assert [event["event"] for event in logged(capsys)] == ["shown"]


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))

    logging.getLogger("some.library").warning("lost %s", "connection")

    (event,) = logged(capsys)
    assert (event["event"], event["level"], event["logger"]) == (
        *(LIBRARY_EVENT, "warning", "some.library"),
    )
    assert event["message"] == "lost connection"


def test_a_value_that_json_cannot_hold_is_shown_and_raises_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(log_format="json"))

    structlog.get_logger().info("disk_measured", room=10**24, name="\ud800")

    (event,) = logged(capsys)
    assert (event["event"], event["room"]) == ("disk_measured", str(10**24))


def test_the_console_form_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="console"))

    structlog.get_logger().info("stored", samples=3)

    assert "stored samples=3" in capsys.readouterr().err


def test_a_traceback_is_logged_without_the_secrets_it_quotes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(log_format="json"))

    try:
        raise ConnectionError("postgresql://ops:hunter2@db/x refused")
    except ConnectionError:
        structlog.get_logger().exception("failed")

    (event,) = logged(capsys)
    assert "ConnectionError: postgresql://***@db/x refused" in str(event["exception"])
    assert "hunter2" not in str(event)


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "hunter2"},
        {"access_token": "hunter2"},
        {"headers": {"Authorization": "Bearer hunter2"}},
        {"dsn": "postgresql://ops:hunter2@db/x"},
        {"servers": ["nats://hunter2@one", "nats://hunter2@two"]},
        {"error": ValueError("redis://:hunter2@cache")},
        {"sent": f"Bearer {JWT}"},
    ],
)
def test_secrets_never_reach_a_log(fields: dict[str, object]) -> None:
    shown = repr(hide_secrets(None, "info", {"event": "x", **fields}))

    assert "hunter2" not in shown
    assert JWT not in shown
    assert "***" in shown


def test_what_is_no_secret_stays() -> None:
    event = {
        "event": "ready",
        "url": "http://127.0.0.1:8080/graphql",
        "at": "a@b",
        "n": 1,
        "f": None,
    }

    assert hide_secrets(None, "info", dict(event)) == event


def test_what_a_library_says_again_and_again_is_a_few_lines_without_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(log_format="json"))
    for attempt in range(100):
        try:
            raise ConnectionRefusedError(f"attempt {attempt}")
        except ConnectionRefusedError:
            logging.getLogger("some.pool").warning("retrying in %d s", attempt, exc_info=True)

    events = logged(capsys)
    assert [event.get("times", 1) for event in events] == [1, 2, 4, 8, 16, 32, 64]
    assert events[0]["reason"] == "ConnectionRefusedError: attempt 0"
    assert not any("exception" in event for event in events)


def test_a_librarys_error_shows_where_it_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("some.library").exception("failed")

    (event,) = logged(capsys)
    assert "Traceback" in str(event["exception"])
