"""Building blocks of a source in `sources.yaml`: places of secrets, lengths of time, addresses without passwords."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, model_validator

from tars_lib.config.yaml_file import Key, Model
from tars_lib.files.limits import MAX_NAME

_LENGTH = re.compile(r"([1-9]\d{0,5})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
"""A name in capitals: a secret that somebody puts in its place by mistake has small letters, and is not echoed."""
_SECRETS = ("bearer", "password", "secret_key", "access_key", "token", "secret", "key", "api_key")
_SPELT = re.compile(r"pass|pwd|secret|token|api_?key|credential|signature", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|api-?key|password", re.IGNORECASE)


def length_of(text: str) -> timedelta | None:
    """Return a length of time such as 30s, 5m, 1h or 7d; None for any other text."""
    match = _LENGTH.fullmatch(text)
    return None if match is None else timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _length(value: object) -> object:
    length = length_of(value) if isinstance(value, str) else None
    if length is None and not isinstance(value, timedelta):
        raise ValueError("a length of time is needed, such as 30s, 5m, 1h or 7d")
    return value if length is None else length


def matching(pattern: str, needed: str) -> AfterValidator:
    """Return the check that a text is of a form; `needed` is the sentence of its refusal."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if form.fullmatch(text) is None or len(text) > MAX_NAME:
            raise ValueError(needed)
        return text

    return AfterValidator(check)


Length = Annotated[timedelta, BeforeValidator(_length)]
Address = Annotated[str, matching(r"https?://[^\s/]\S*", "an address is needed that begins with http:// or https://")]
SourceName = Annotated[
    str,
    matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, - and _ is needed; a file is called so"),
]


class Auth(Model):
    """Places of a source's secrets: each in an environment variable, or in a file that holds nothing else."""

    user: Key | None = None
    user_env: Key | None = None
    password_env: Key | None = None
    password_file: Key | None = None
    bearer_env: Key | None = None
    bearer_file: Key | None = None
    access_key_env: Key | None = None
    secret_key_env: Key | None = None
    secret_key_file: Key | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, given: Any) -> Any:
        """Refuse a secret itself; its value is not repeated, as that of a mapping never is."""
        for key, value in given.items() if isinstance(given, dict) else ():
            if key in _SECRETS:
                meant = key if f"{key}_env" in cls.model_fields else "bearer"
                raise ValueError(
                    f"{key}: a secret is not allowed in this file; {meant}_env names the environment variable that holds it, "
                    f"or {meant}_file the file"
                )
            if str(key).endswith("_env") and (not isinstance(value, str) or _VARIABLE.fullmatch(value) is None):
                raise ValueError(
                    f"{key}: the name of an environment variable is needed, in capitals, such as PROM_TOKEN"
                )
        return given

    @model_validator(mode="after")
    def _one_place(self) -> Auth:
        for name in ("password", "bearer", "secret_key"):
            if getattr(self, f"{name}_env") is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"{name}_env and {name}_file: one of them is allowed")
        return self


class SourceForm(Model):
    """Fields that all kinds of sources have.

    `interval` is what one sample stands for, and `stamp` says whether its time is where that begins or ends.
    """

    name: SourceName
    kind: Key
    auth: Auth = Auth()

    @property
    def label(self) -> str:
        """Return how messages name the source."""
        return f"source {self.name}"

    @model_validator(mode="before")
    @classmethod
    def _no_password_in_url(cls, given: Any) -> Any:
        url = given.get("url") if isinstance(given, dict) else None
        if isinstance(url, str):
            refuse_secrets(url)
        return given


def refuse_secrets(url: str) -> None:
    """Refuse a password or token that stands in an address.

    Raises
    ------
    ValueError
        That does not repeat it.
    """
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError as error:
        raise ValueError("url: no address that can be read") from error
    if password is not None:
        raise ValueError("url: a password is not allowed in this file; use auth: {user: NAME, password_env: VARIABLE}")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if _SPELT.search(name):
            raise ValueError(
                f"url: a secret such as {name[:30]} is not allowed in this file; auth names where it stands"
            )


def refuse_secret_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that are none of secrets, such as the tenant of Mimir.

    Raises
    ------
    ValueError
        If a name is no header's, a value is more than one line, or the header carries a secret.
    """
    for name, value in headers.items():
        if _HEADER.fullmatch(name) is None or not value.isascii() or not value.isprintable():
            raise ValueError("a header is a name such as X-Scope-OrgID, and one line of ASCII")
        if _SECRET_HEADER.search(name):
            raise ValueError(f"{name} carries a secret; auth: {{bearer_env: VARIABLE}} says where it stands")
    return headers
