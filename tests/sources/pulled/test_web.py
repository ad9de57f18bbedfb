"""A server may be away, slow or lying: what is asked again, how long is waited, and the one line that says what is wrong."""

from __future__ import annotations

import gzip
import itertools
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers import Scripted, free_port, said, scripted
from worlds import World

from tars_lib.config.pulling.values import Auth
from tars_lib.errors import ConfigError, InputError
from tars_lib.sources.pulled.web import ATTEMPTS, Web, basic, bearer

Answer = bytes | Callable[[socket.socket], None]
FINE = said({"fine": True})


@contextmanager
def web(world: World, *answers: Answer, **options: Any) -> Iterator[tuple[Web, Scripted]]:
    with (
        scripted(*answers) as server,
        Web("source prod", server.url, {}, options.pop("timeout", 5.0), world.ask, **options) as made,
    ):
        yield made, server


def refused(tmp_path: Path, *answers: Answer, **options: Any) -> tuple[str, World]:
    """The sentence with which an answer is refused."""
    world = World(tmp_path, clock=options.pop("clock", lambda: 0.0))
    with web(world, *answers, **options) as (made, _), pytest.raises(InputError) as error:
        made.json("/x")
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("source prod, http://127.0.0.1:")
    return str(error.value).partition(": ")[2], world


def drop(connection: socket.socket) -> None:
    """Go away in the middle, as a server that restarts."""
    connection.close()


def test_a_server_that_restarts_is_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    with web(world, drop, said(b"starting", "503 Service Unavailable"), FINE) as (made, server):
        assert made.json("/x") == {"fine": True}
        assert len(server.asked) == 3
    assert world.waited == [0.5, 1.0]


def test_a_server_that_stays_away_is_told_in_one_line(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = Web("source prod", f"http://127.0.0.1:{free_port()}", {}, 5.0, world.ask)
    with made, pytest.raises(InputError, match="not reached"):
        made.json("/x")
    assert world.waited == [0.5, 1.0, 2.0, 4.0]


def test_a_server_says_how_long_to_wait(tmp_path: Path) -> None:
    world = World(tmp_path)
    busy = said({}, "429 Too Many Requests", Retry_After="7")
    dated = said({}, "503 Busy", Date="Mon, 05 Jan 2026 10:00:00 GMT", Retry_After="Mon, 05 Jan 2026 10:00:09 GMT")
    with web(world, busy, dated, FINE) as (made, _):
        made.json("/x")
    assert world.waited == [7.0, 9.0]


def test_an_hour_is_not_waited_for(tmp_path: Path) -> None:
    text, world = refused(tmp_path, said({}, "429 Too Many Requests", Retry_After="3600"))
    assert text == "asks to wait 3600 s; up to 60 s are waited, pull again later"
    assert world.waited == []


def test_a_server_that_is_always_busy(tmp_path: Path) -> None:
    text, world = refused(tmp_path, said({"error": "overloaded"}, "503 Busy"))
    assert text == f"HTTP status 503, {ATTEMPTS} times"
    assert len(world.waited) == ATTEMPTS - 1


def test_a_wrong_token(tmp_path: Path) -> None:
    text, world = refused(tmp_path, said(b"Unauthorized", "401 Unauthorized"))
    assert text == "HTTP status 401: the token or password is refused; auth in sources.yaml says where it stands"
    assert world.waited == []


def test_a_server_says_what_it_does_not_like(tmp_path: Path) -> None:
    text, _ = refused(tmp_path, said({"status": "error", "error": 'parse error: "x"\nthere'}, "400 Bad Request"))
    assert text == 'HTTP status 400: parse error: "x"\\nthere'


def slowly(connection: socket.socket) -> None:
    """A byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" " * 1000)


def test_a_slow_server_is_not_waited_for(tmp_path: Path) -> None:
    seconds = itertools.count(0.0, 2.0)
    text, _ = refused(tmp_path, slowly, clock=lambda: next(seconds))
    assert text == "no answer within 5 s, 2 times"


def test_a_silent_server_is_not_waited_for(tmp_path: Path) -> None:
    gate = socket.socketpair()

    def silent(connection: socket.socket) -> None:
        gate[0].recv(1)

    try:
        text, _ = refused_quickly(tmp_path, silent, lambda: gate[1].sendall(b"xx"))
    finally:
        for end in gate:
            end.close()
    assert text == "no answer within 0.1 s, 2 times"


def refused_quickly(tmp_path: Path, answer: Answer, release: Callable[[], None]) -> tuple[str, World]:
    world = World(tmp_path)
    with scripted(answer) as server, Web("source prod", server.url, {}, 0.1, world.ask) as made:
        with pytest.raises(InputError) as error:
            made.json("/x")
        release()
    return str(error.value).partition(": ")[2], world


def test_a_gigantic_answer_is_not_read_to_its_end(tmp_path: Path) -> None:
    bomb = said(gzip.compress(b" " * 5_000_000), Content_Encoding="gzip")
    assert len(bomb) < 10_000
    for answer in (said(b" " * 2_000_000), bomb):
        text, _ = refused(tmp_path, answer, at_most=1_000_000)
        assert text == "an answer of more than 1000000 bytes; up to that many are read"


def test_a_truncated_answer_is_asked_for_again(tmp_path: Path) -> None:
    half = said({"fine": True})[:-4]
    world = World(tmp_path)
    with web(world, half, FINE) as (made, _):
        assert made.json("/x") == {"fine": True}
    text, _ = refused(tmp_path, half)
    assert text.startswith("not reached: peer closed connection")


@pytest.mark.parametrize(
    ("body", "needed"),
    [
        (b"<html>log in</html>", "answer, row 1: not valid JSON"),
        (b'{"a": 1, "a": 2}', "stands twice in one object"),
        (b"[" * 2000 + b"]" * 2000, "nested deeper than 100 levels"),
        (b"\xff\xfe", "the answer is not UTF-8 text"),
        (b'"\\ud800"', "half of a surrogate pair"),
        (b"", "not valid JSON"),
    ],
)
def test_what_is_no_proper_json(tmp_path: Path, body: bytes, needed: str) -> None:
    text, _ = refused(tmp_path, said(body))
    assert needed in text


def test_a_redirect_to_another_host_is_not_followed(tmp_path: Path) -> None:
    text, _ = refused(tmp_path, said(b"", "302 Found", Location="http://evil.example/steal?x"))
    assert text == "leads to http://evil.example; only the host of the source is asked"


def test_a_redirect_within_the_host_is_followed_but_not_for_ever(tmp_path: Path) -> None:
    moved = said(b"", "301 Moved", Location="/y")
    world = World(tmp_path)
    with web(world, moved, FINE) as (made, server):
        assert made.json("/x") == {"fine": True}
        assert server.asked[1].startswith("GET /y ")
    text, _ = refused(tmp_path, moved)
    assert text == "more than 3 redirects"


def test_the_next_page_must_be_on_the_host(tmp_path: Path) -> None:
    world = World(tmp_path)
    with web(world, said([1], Link='<http://127.0.0.1:1/next>; rel="next"')) as (made, _):
        content, following = made.page("/x")
        assert (content, following) == ([1], "http://127.0.0.1:1/next")
        with pytest.raises(InputError, match="only the host of the source is asked"):
            made.page(str(following))


def test_the_token_goes_to_the_server_and_into_no_message(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n", encoding="utf-8")
    world = World(tmp_path, {"TOKEN": "s3cret", "PASS": "w0rd"})
    assert bearer(world.ask, Auth(bearer_env="TOKEN")) == {"Authorization": "Bearer s3cret"}
    assert bearer(world.ask, Auth(bearer_file="token"), "Token token=") == {"Authorization": "Token token=t0ken"}
    assert basic(world.ask, Auth.model_validate({"user": "me", "password_env": "PASS"})) == ("me", "w0rd")
    assert bearer(world.ask, Auth()) == {}
    with scripted(said({"error": "no"}, "403 Forbidden")) as server:
        headers = bearer(world.ask, Auth(bearer_env="TOKEN"))
        with Web("source prod", server.url, headers, 5.0, world.ask) as made, pytest.raises(InputError) as error:
            made.json("/x", {"q": "1"}, form=True)
        assert "authorization: bearer s3cret" in server.asked[0].lower()
        assert server.asked[0].endswith("q=1")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("auth", "needed"),
    [
        (Auth(bearer_env="UNSET"), "environment variable UNSET is not set or empty"),
        (Auth(bearer_env="LINES"), "LINES holds more than one line"),
        (Auth(bearer_file="nowhere"), "bearer_file nowhere: cannot be read"),
        (Auth(bearer_env="ODD"), "characters that no header may have"),
    ],
)
def test_a_secret_that_is_not_where_it_should_be(tmp_path: Path, auth: Auth, needed: str) -> None:
    world = World(tmp_path, {"LINES": "a\nb", "ODD": "t\u00f6ken"})
    with pytest.raises(ConfigError, match=needed) as error:
        bearer(world.ask, auth)
    assert "t\u00f6ken" not in str(error.value)


def test_the_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(ConfigError, match=r"pip install 'tars-incident-workbook\[pull\]'"):
        Web("source prod", "http://127.0.0.1", {}, 5.0, World(tmp_path).ask)
