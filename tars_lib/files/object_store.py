"""Folders in object stores: fetched whole into a folder here, and sent whole from one.

An address is `s3://bucket/path`, `gs://bucket/path` or `abfs://container@account.../path`. Keys are the environment's and the
provider's own files'; an address that holds one is refused, because addresses are printed and kept.

References
----------
https://arrow.apache.org/docs/python/filesystems.html, for schemes and the options after `?`
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tars_lib.errors import ConfigError, InputError
from tars_lib.files.limits import MAX_FILES, MAX_TABLE_BYTES

SCHEMES = ("s3", "gs", "abfs")
_OPTIONS = {
    "s3": ("region", "scheme", "endpoint_override"),
    "gs": ("scheme", "endpoint_override", "retry_limit_seconds", "anonymous"),
    "abfs": (
        "blob_storage_authority",
        "dfs_storage_authority",
        "enable_tls",
        "credential_kind",
        "tenant_id",
        "client_id",
    ),
}
"""What may stand after `?`: none of it is a secret."""
_REMOTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_CONNECT_SECONDS, _ANSWER_SECONDS, _ATTEMPTS = 10, 30, 3
"""How long a store is waited for, and how often it is asked; judgement: a slow network answers in seconds."""
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CHUNK = 8 << 20
_ROOM = 1 << 28
"""Bytes of the temporary folder that stay free; judgement: what a run writes beside what it reads."""


@dataclass(frozen=True, slots=True)
class StorePath:
    """A folder in an object store.

    Attributes
    ----------
    scheme : str
        One of `SCHEMES`.
    place : str
        Bucket and path, or `container@account` and path, without slashes at its end.
    options : str
        After the `?`; empty where there are none.
    """

    scheme: str
    place: str
    options: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}" + (f"?{self.options}" if self.options else "")

    def __truediv__(self, name: str) -> StorePath:
        return replace(self, place=f"{self.place}/{name}")

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.place.rpartition("/")[2]

    @property
    def parent(self) -> StorePath:
        """Return the folder that it is in."""
        return replace(self, place=self.place.rpartition("/")[0])


def is_remote(text: str) -> bool:
    """Return whether a text is an address and no path.

    Examples
    --------
    >>> is_remote("s3://bucket/x"), is_remote("C:/x"), is_remote("org-health")
    (True, False, False)
    """
    return _REMOTE.match(text) is not None


def store_path(text: str) -> StorePath:
    """Read an address.

    Raise ConfigError if the scheme or an option is not known, if it names no bucket, or holds a key; the message does not
    show that.

    Examples
    --------
    >>> str(store_path("s3://bucket/runs/?region=eu-west-1"))
    's3://bucket/runs?region=eu-west-1'
    """
    try:
        parts = urlsplit(text)
        options = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError as error:
        raise ConfigError(f"an address that cannot be read: {error}") from error
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        allowed = ", ".join(f"{known}://" for known in SCHEMES)
        raise ConfigError(f"{scheme}://: no scheme that is known; allowed: {allowed}, or a path")
    user, _, host = parts.netloc.rpartition("@")
    # of abfs the part before @ is the container
    if ":" in user or (user and scheme != "abfs"):
        raise ConfigError(
            f"{scheme}://...@{host}: a key in an address is printed and kept; give it by the environment or by the "
            "provider's own files"
        )
    unknown = next((name for name in options if name not in _OPTIONS[scheme]), None)
    if unknown is not None:
        raise ConfigError(f"{scheme}://{host}: option {unknown[:60]!r}; allowed: {', '.join(_OPTIONS[scheme])}")
    path = f"{parts.netloc}{parts.path}".rstrip("/")
    if not host or any(part in ("", ".", "..") for part in path.split("/")):
        raise ConfigError(f"{scheme}://{path}: a bucket and a path of plain names are needed")
    return StorePath(scheme, path, parts.query)


def fetch_folder(source: StorePath, into: Path) -> None:
    """Fetch all files below a folder of a store.

    Parameters
    ----------
    into : Path
        An empty folder.

    Raises
    ------
    InputError
        If nothing is there, a name could leave the folder, there are more or larger files than the limits allow or than
        there is room for, or the store does not answer.
    """
    with _name_store(source, InputError):
        filesystem, base = filesystem_of(source)
        files = [(path, size) for path, size, is_file in _listed(filesystem, base, recursive=True) if is_file]
        if not files:
            raise InputError(f"{source}: nothing is there; a folder with files is needed")
        if len(files) > MAX_FILES:
            raise InputError(f"{source}: {len(files)} files; up to {MAX_FILES} are allowed")
        for path, size in files:
            if size > MAX_TABLE_BYTES:
                raise InputError(f"{source}: {path}: {size} bytes; up to {MAX_TABLE_BYTES} are allowed")
        whole, free = sum(size for _, size in files), shutil.disk_usage(into).free - _ROOM
        if whole > free:
            raise InputError(f"{source}: {whole} bytes, and {max(free, 0)} are free in {into.parent.parent}")
        names = {path: _inside(path.removeprefix(f"{base}/"), source) for path, _ in files}
        if len({str(name).casefold() for name in names.values()}) < len(names):
            raise InputError(f"{source}: two names differ by case alone; a system may take them for one")
        for path, size in files:
            target = into / names[path]
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch(filesystem, path, size, target, source)


def send_folder(folder: Path, target: StorePath, last: Sequence[str] = ()) -> None:
    """Send all files of a folder; where one cannot be sent, those that were are taken back.

    Parameters
    ----------
    target : StorePath
        What stands there under the same names is replaced.
    last : sequence of str
        Names of files that are sent after all others: without them what is there is not whole.

    Raises
    ------
    OSError
        If the store does not take it.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files.sort(key=lambda path: last.index(path.name) if path.name in last else -1)
    with _name_store(target, OSError):
        filesystem, base = filesystem_of(target)
        sent: list[str] = []
        try:
            for path in files:
                name = f"{base}/{path.relative_to(folder).as_posix()}"
                sent.append(name)
                with path.open("rb") as local, filesystem.open_output_stream(name) as remote:
                    while chunk := local.read(_CHUNK):
                        remote.write(chunk)
        except BaseException:
            _take_back(filesystem, base, sent)
            raise


def _take_back(filesystem: Any, base: str, sent: Sequence[str]) -> None:
    """Delete what was sent, and the empty folders that Arrow leaves in its place."""
    from pyarrow import fs

    for name in sent:
        with suppress(OSError):
            filesystem.delete_file(name)
    folders = {name.rpartition("/")[0] for name in sent} | {base}
    for folder in sorted(folders, key=len, reverse=True):
        with suppress(OSError):
            if not filesystem.get_file_info(fs.FileSelector(folder, allow_not_found=True)):
                filesystem.delete_dir(folder)


def names_in(folder: StorePath, pattern: str = "*") -> list[str]:
    """Return the names right below a folder that fit a pattern of the shell, sorted; none where nothing is there.

    Raise InputError if the store does not answer.
    """
    with _name_store(folder, InputError):
        filesystem, base = filesystem_of(folder)
        # in Google's store a folder is there by the files below it alone
        listed = _listed(filesystem, base, recursive=folder.scheme == "gs")
        below = {path.removeprefix(f"{base}/").partition("/")[0] for path, _, _ in listed}
    return sorted(name for name in below if fnmatch.fnmatchcase(name, pattern))


def filesystem_of(path: StorePath) -> tuple[Any, str]:
    """Return the file system of a store, and bucket and path in it.

    Raise ConfigError if the address names no container.
    """
    from pyarrow import fs

    options = dict(parse_qsl(path.options))
    if path.scheme == "gs":
        return _google(options), path.place
    if path.scheme == "abfs":
        return _azure(path, options)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and "endpoint_override" not in options:
        # what Arrow reads for an address alone, and not for a file system with time limits
        scheme, _, host = endpoint.rpartition("://")
        options |= {"endpoint_override": host.rstrip("/"), "scheme": scheme or "https"}
    if "region" not in options and "endpoint_override" not in options and not any(map(os.environ.get, _REGIONS)):
        with suppress(OSError):
            options["region"] = fs.resolve_s3_region(path.place.partition("/")[0])
    made = fs.S3FileSystem(
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_ANSWER_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        **options,
    )
    return made, path.place


def _google(options: dict[str, str]) -> Any:
    """Google's store; `STORAGE_EMULATOR_HOST` leads to another server, as for Google's own libraries, and asks for no login."""
    from pyarrow import fs

    emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
    if emulator and "endpoint_override" not in options:
        scheme, _, host = emulator.rpartition("://")
        options |= {"endpoint_override": host.rstrip("/"), "scheme": scheme or "http", "anonymous": "true"}
    return fs.GcsFileSystem(
        anonymous=options.get("anonymous", "false").lower() == "true",
        scheme=options.get("scheme", "https"),
        endpoint_override=options.get("endpoint_override"),
        retry_time_limit=timedelta(seconds=float(options.get("retry_limit_seconds", _ANSWER_SECONDS))),
    )


def _azure(path: StorePath, options: dict[str, str]) -> tuple[Any, str]:
    """Azure's store, by the key or signature of the environment, else by the login of the machine."""
    from pyarrow import fs

    container, _, host = path.place.partition("/")[0].rpartition("@")
    account, _, domain = host.partition(".")
    if not container:
        raise ConfigError(f"{path}: abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH is needed")
    inside = "/".join(part for part in (container, path.place.partition("/")[2]) if part)
    key, signature = (os.environ.get(name) for name in ("AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"))
    if not key and not signature:
        # an account by its bare name would be taken for the container
        address = replace(path, place=f"{container}@{account}.{domain or 'dfs.core.windows.net'}")
        return fs.FileSystem.from_uri(str(address))[0], inside
    scheme = "http" if options.get("enable_tls", "true").lower() == "false" else "https"
    servers = {name: options[name] for name in ("blob_storage_authority", "dfs_storage_authority") if name in options}
    made = fs.AzureFileSystem(
        account,
        account_key=key or None,
        # Arrow puts it behind the address as it is, and Azure's tools print it without the mark
        sas_token=None if key or not signature else f"?{signature.removeprefix('?')}",
        blob_storage_scheme=scheme,
        dfs_storage_scheme=scheme,
        **servers,
    )
    return made, inside


def _listed(filesystem: Any, base: str, *, recursive: bool) -> Iterator[tuple[str, int, bool]]:
    """Yield the path, size and whether it is a file, of what is below a folder."""
    from pyarrow import fs

    selector = fs.FileSelector(base, recursive=recursive, allow_not_found=True)
    for info in filesystem.get_file_info(selector):
        is_file = info.type == fs.FileType.File
        yield info.path, int(info.size or 0) if is_file else 0, is_file


def _inside(name: str, source: StorePath) -> PurePosixPath:
    """Return a name below the folder as a path here; one that could leave it is refused."""
    parts = name.split("/")
    is_odd = any(part in ("", ".", "..") or part != part.strip() or set(part) & set('\\:\0*?"<>|') for part in parts)
    if is_odd or not name.isprintable():
        raise InputError(f"{source}: the name {name[:200]!r} is not allowed; plain names are, with / between them")
    return PurePosixPath(*parts)


def _fetch(filesystem: Any, path: str, size: int, target: Path, source: StorePath) -> None:
    """Fetch one file; a store that sends another size than it told is refused."""
    got = 0
    with filesystem.open_input_stream(path) as remote, target.open("xb") as local:
        while chunk := remote.read(_CHUNK):
            got += len(chunk)
            if got > size:
                break
            local.write(chunk)
    if got != size:
        raise InputError(f"{source}: {path}: {got} bytes came where {size} were told; read it again")


@contextmanager
def _name_store(path: StorePath, kind: type[InputError] | type[OSError]) -> Iterator[None]:
    """Say of which store an error is, in one line."""
    try:
        yield
    except (InputError, ConfigError):
        raise
    except (OSError, ValueError, NotImplementedError) as error:  # of Arrow: ArrowInvalid is a ValueError
        message = " ".join(str(error).split())[:400]
        raise kind(f"{path}: the store does not answer as it should: {message}") from error
