"""No secret reaches a log line."""

import pytest

from safety.logs import redact, redact_event


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://admin:p%40ss@10.0.0.5/ch1", "rtsp://***@10.0.0.5/ch1"),
        ("see postgresql://anjeon:geheim@db/anjeon now", "see postgresql://***@db/anjeon now"),
        ("https://hook.example/x?id=1&sig=abc&v=2", "https://hook.example/x?id=1&sig=***&v=2"),
        ("nothing secret: a@b.kr", "nothing secret: a@b.kr"),
    ],
)
def test_credentials_in_addresses_are_redacted(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_values_of_secret_names_are_redacted_at_any_depth() -> None:
    event = {
        "event": "opened",
        "password": "x",
        "Authorization": "Bearer x",
        "camera": {"url": "rtsp://u:x@h/", "api_key": "x", "tries": [1, "rtsp://u:x@h/"]},
    }
    assert redact_event(None, "info", event) == {
        "event": "opened",
        "password": "***",
        "Authorization": "***",
        "camera": {"url": "rtsp://***@h/", "api_key": "***", "tries": [1, "rtsp://***@h/"]},
    }
