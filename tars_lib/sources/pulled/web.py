"""One HTTP server, asked again where that helps: bounded answers, deadlines, back-off, and no way to another host.

References
----------
RFC 9110, section 10.2.3, Retry-After, https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit

from tars_lib.errors import ConfigError, InputError
from tars_lib.files.reading import parse_json, refuse_halves

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from tars_lib.sources.pulled.protocol import Ask

ATTEMPTS = 5
"""Times that a request is made; judgement: with the pauses below a server may be away for 7.5 s, a restart."""
FIRST_PAUSE = 0.5
"""Seconds before the second attempt; each pause is twice the one before. Judgement."""
LONGEST_PAUSE = 60.0
"""Seconds that a server may ask to wait, by Retry-After; judgement: somebody looks at the bar meanwhile."""
TIMEOUTS = 2
"""Attempts at an answer that does not come in time; judgement: a server that is too slow stays so."""
REDIRECTS = 3
_AGAIN = frozenset({429, 500, 502, 503, 504})
MAX_ANSWER = 50_000_000
"""Bytes of one answer, unpacked; judgement: as JSON it takes ten times as much memory."""


class TooLargeError(InputError):
    """An answer is larger than one may be; a smaller question may help."""


class RefusedError(InputError):
    """The server refuses the request for what it asks, with the status in `status` and its own words in `said`."""

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class Web:
    """A server, with what it needs to know the asker by. Threads may share it.

    Parameters
    ----------
    label : str
        How messages begin, such as ``source prod``.
    url : str
        Without a secret in it.
    headers : mapping of str to str
        Secrets included.
    timeout : float
        Seconds that one answer may take in all.
    at_most : int
        Bytes of one answer.
    """

    def __init__(
        self,
        label: str,
        url: str,
        headers: Mapping[str, str],
        timeout: float,
        ask: Ask,
        *,
        auth: tuple[str, str] | None = None,
        at_most: int = MAX_ANSWER,
    ) -> None:
        try:
            import httpx
        except ImportError as error:
            raise ConfigError(f"{label}: httpx is not installed; pip install 'tars-incident-workbook[pull]'") from error
        self._label, self._url, self._timeout, self._ask, self._at_most = label, url.rstrip("/"), timeout, ask, at_most
        try:
            self._client = httpx.Client(
                headers={"Accept": "application/json", "User-Agent": "tars-incident-workbook", **headers},
                auth=auth,
                timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
                follow_redirects=False,
            )
        except (ValueError, OSError) as error:  # a proxy or certificate of the environment that is none
            raise ConfigError(f"{label}: {_one_line(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def json(self, path: str, parameters: Mapping[str, str] | None = None, *, form: bool = False) -> Any:
        """Return the JSON that a path answers.

        Parameters
        ----------
        path : str
            Below the server's address, or an address on the same host (the next page of a list).
        form : bool
            Send them as a form by POST, which has room for long queries.

        Raises
        ------
        InputError
            If it cannot be reached, refuses, leads elsewhere, or answers no JSON.
        """
        return self.page(path, parameters, form=form)[0]

    def page(
        self, path: str, parameters: Mapping[str, str] | None = None, *, form: bool = False
    ) -> tuple[Any, str | None]:
        """The JSON of a page of a list, and the address of the next one (RFC 8288), None at the end. Raises as `json` does."""
        import httpx

        address = path if path.startswith(("http://", "https://")) else self._url + path
        self._same_host(address)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, headers, body = self._once(address, parameters, form=form)
            except httpx.TimeoutException as error:
                if attempt >= TIMEOUTS:
                    raise InputError(f"{self._said}: no answer within {self._timeout:g} s, {attempt} times") from error
                wait = 0.0
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise InputError(f"{self._said}: not reached: {_one_line(error)}") from error
                wait = 0.0
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise InputError(f"{self._said}: {_one_line(error)}") from error
            else:
                if status not in _AGAIN:
                    self._refuse_status(status, body)
                    return self._parsed(body), _next(headers.get("link", ""))
                if attempt == ATTEMPTS:
                    raise RefusedError(f"{self._said}: HTTP status {status}, {attempt} times", status, _words(body))
                wait = self._asked_to_wait(headers.get("retry-after", ""), headers.get("date", ""))
            self._ask.pause(max(wait, FIRST_PAUSE * 2.0 ** (attempt - 1)))
        raise AssertionError("the last attempt raises")

    @property
    def _said(self) -> str:
        return f"{self._label}, {self._url}"

    def _same_host(self, address: str) -> None:
        ours, theirs = urlsplit(self._url), urlsplit(address)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise InputError(
                f"{self._said}: leads to {theirs.scheme}://{theirs.hostname or ''}; only the host of the source is asked"
            )

    def _once(
        self, address: str, parameters: Mapping[str, str] | None, *, form: bool
    ) -> tuple[int, httpx.Headers, bytes]:
        """One attempt, redirects within the host followed."""
        begun = self._ask.clock()
        for _ in range(REDIRECTS + 1):
            given: dict[str, Any] = (
                {"data": dict(parameters or {})} if form else {"params": dict(parameters or {}) or None}
            )
            with self._client.stream("POST" if form else "GET", address, **given) as answer:
                location = answer.headers.get("location") if answer.is_redirect else None
                if location is None:
                    return answer.status_code, answer.headers, self._body(answer, begun)
            address, parameters = urljoin(address, location), None
            self._same_host(address)
        raise InputError(f"{self._said}: more than {REDIRECTS} redirects")

    def _body(self, answer: httpx.Response, begun: float) -> bytes:
        import httpx

        pieces: list[bytes] = []
        size = 0
        for piece in answer.iter_bytes():
            size += len(piece)
            if size > self._at_most:
                raise TooLargeError(
                    f"{self._said}: an answer of more than {self._at_most} bytes; up to that many are read"
                )
            if self._ask.clock() - begun > self._timeout:
                raise httpx.ReadTimeout("the rest of the answer did not come in time")
            pieces.append(piece)
        return b"".join(pieces)

    def _asked_to_wait(self, text: str, date: str) -> float:
        seconds = 0.0
        if text.isascii() and text.isdigit() and len(text) < 10:
            seconds = float(text)
        elif text:
            until, now = _http_time(text), _http_time(date)
            seconds = max((until - now).total_seconds(), 0.0) if until is not None and now is not None else 0.0
        if seconds > LONGEST_PAUSE:
            raise InputError(
                f"{self._said}: asks to wait {seconds:g} s; up to {LONGEST_PAUSE:g} s are waited, pull again later"
            )
        return seconds

    def _refuse_status(self, status: int, body: bytes) -> None:
        if 200 <= status < 300:
            return
        said = _words(body)
        if status in (401, 403):
            raise RefusedError(
                f"{self._said}: HTTP status {status}: the token or password is refused; "
                "auth in sources.yaml says where it stands",
                status,
                said,
            )
        raise RefusedError(f"{self._said}: HTTP status {status}{': ' if said else ''}{said}", status, said)

    def _parsed(self, body: bytes) -> Any:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{self._said}: the answer is not UTF-8 text") from error
        content = parse_json(text, f"{self._said}: answer")
        refuse_halves(content, text, f"{self._said}: answer")
        return content


def bearer(ask: Ask, auth: Any, scheme: str = "Bearer") -> dict[str, str]:
    """Return the header of the token, none where `auth` names none."""
    token = ask.secret(auth, "bearer")
    if token is not None and not token.isascii():
        raise ConfigError("sources.yaml: the token has characters that no header may have")
    return {} if token is None else {"Authorization": f"{scheme}{'' if scheme.endswith('=') else ' '}{token}"}


def basic(ask: Ask, auth: Any) -> tuple[str, str] | None:
    """Return the user and password, None where `auth` names none."""
    user, password = ask.user(auth), ask.secret(auth, "password")
    return None if user is None and password is None else (user or "", password or "")


_LINK = re.compile(r'<([^<>]{1,2000})>\s*;[^,<]*\brel="?next"?')


def _next(header: str) -> str | None:
    link = _LINK.search(header[:10_000])
    return None if link is None else link[1]


def _words(body: bytes) -> str:
    """Return what a server says is wrong, as its JSON says it or as plain text; bounded, in one line."""
    text = body[:2000].decode("utf-8", "replace")
    for key in ("error", "message"):
        said = re.search(rf'"{key}"\s*:\s*"((?:[^"\\]|\\.){{1,300}})"', text)
        if said is not None:
            return " ".join(said[1].replace('\\"', '"').split())[:200]
    return "" if text.lstrip().startswith(("<", "{")) else " ".join(text.split())[:200]


def _http_time(text: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
