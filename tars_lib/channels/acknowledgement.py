"""Did the service itself take a message? A redirect or a web page in answer to it, such as a portal's, is no receipt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_SHORT = 65_536
"""Bytes of an answer that are looked at; judgement: an acknowledgement has about 100."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """Status, kind and beginning of what a server answered; never its address, which may hold a secret."""

    status: int
    kind: str
    content: bytes


@contextmanager
def answers() -> Iterator[list[ServiceAnswer]]:
    """Keep what is answered to requests that a library makes inside, and follow no redirect.

    apprise takes the page at the end of a redirect, and any page with a status of 200, for a receipt.
    """
    import requests

    heard: list[ServiceAnswer] = []
    before = requests.Session.request

    def request(session: requests.Session, *args: Any, **options: Any) -> requests.Response:
        answer = before(session, *args, **(options | {"allow_redirects": False}))
        heard.append(ServiceAnswer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content[:_SHORT]))
        return answer

    requests.Session.request = request  # type: ignore[method-assign, assignment]
    try:
        yield heard
    finally:
        requests.Session.request = before  # type: ignore[method-assign]


def not_received(heard: Sequence[ServiceAnswer], service: str) -> str:
    """Return why the answers to a message are no receipt; empty where they are, or nothing was answered over HTTP.

    Examples
    --------
    >>> not_received([ServiceAnswer(200, "text/html; charset=utf-8", b"<html>Please log in</html>")], "")
    'answered with a web page, which no service does that takes a message'
    >>> not_received([ServiceAnswer(200, "text/plain", b"ok")], "slack")
    ''
    """
    for answer in heard:
        if 300 <= answer.status < 400:
            return f"redirected with HTTP status {answer.status}; the address of the service itself is needed"
        if answer.status >= 400:
            return f"refused with HTTP status {answer.status}"
        begin = answer.content.lstrip()[:15].lower()
        if "html" in answer.kind.lower() or begin.startswith((b"<!doctype html", b"<html")):
            return "answered with a web page, which no service does that takes a message"
        if (
            service == "slack"
            and answer.content.strip() != b"ok"
            and b'"ok":true' not in answer.content.replace(b" ", b"")
        ):
            return "answered, but not as Slack does: neither ok nor a document that says so"
    return ""
