"""Databases, by Arrow all the way: DuckDB by its own library, the others by their ADBC driver.

The rows stay columns from the database to the file; no row is ever looked at alone. Batches are handed on as they come, so
that memory is bounded whatever the query gives.

References
----------
ADBC, https://arrow.apache.org/adbc/current/python/api/adbc_driver_manager.html
DuckDB, export to Arrow, https://duckdb.org/docs/stable/guides/python/export_arrow
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tars_lib.errors import ConfigError, InputError
from tars_lib.model.times import read_zone
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook
from tars_lib.sources.pulled.series.columns import BATCH, PER_SECOND, long_tables, needed
from tars_lib.sources.pulled.series.sql_text import bound

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from tars_lib.config.pulling.series import SqlForm

_DRIVERS = {
    "sqlite": "adbc_driver_sqlite",
    "postgresql": "adbc_driver_postgresql",
    "postgres": "adbc_driver_postgresql",
    "snowflake": "adbc_driver_snowflake",
    "bigquery": "adbc_driver_bigquery",
}
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def read(spec: SqlForm, ask: Ask) -> Pulled:
    """Run the query over the range; see `Source.read`."""
    _query(spec)
    return Pulled({"query": spec.query}, _samples(spec, ask))


def look(spec: SqlForm, ask: Ask) -> PullOutlook:
    """Let the database count what the query gives; see `outlook_of`."""
    keys = [_name(spec.column("repo")), *([] if spec.wide else [_name(spec.column("metric"))])]
    listed = ", ".join(keys)
    whole = (
        "select sum(n) as samples, count(*) as series from "  # noqa: S608 - names are quoted
        f"(select {listed}, count(*) as n from ({{}}\n) as q group by {listed}) as g"
    )
    with _errors(spec), closing(_batches(spec, ask, whole)) as batches:
        rows = [row for batch in batches for row in batch.to_pylist()]
    times = max(len(spec.wide), 1)
    return PullOutlook(series=int(rows[0]["series"] or 0) * times, samples=int(rows[0]["samples"] or 0) * times)


def _samples(spec: SqlForm, ask: Ask) -> Iterator[pa.Table]:
    """Yield the tables of the four columns; the rows that came are told."""
    rows = 0
    with _errors(spec), closing(_batches(spec, ask, "{}")) as batches:
        for table in long_tables(batches, spec, spec.label):
            rows += table.num_rows
            ask.tell(rows, 0)
            yield table


def _query(spec: SqlForm) -> tuple[str, tuple[str, ...]]:
    """Return the query as this database takes it, and the order of its parameters."""
    where = f"sources.yaml: {spec.name}: query"
    kind = _kind(spec)
    if kind == "duckdb":
        return bound(spec.query, lambda name: f"${name}", where)
    if kind in ("postgresql", "postgres"):
        # a query with parameters of its own cannot be copied out as a stream; the values are bound to settings of the session,
        # which a subquery reads once and not for every row
        kind = "bigint" if spec.time in PER_SECOND else "text" if spec.time == "text" else "timestamptz"
        return bound(spec.query, lambda name: f"(select current_setting('tars.{name}')::{kind})", where)
    return bound(spec.query, lambda name: "?", where)


def _kind(spec: SqlForm) -> str:
    return spec.url.partition(":")[0]


def _value(spec: SqlForm, time: datetime) -> Any:
    """Return a time as the column of the database has it."""
    if spec.time in PER_SECOND:
        return round(time.timestamp() * PER_SECOND[spec.time])
    zone = UTC if spec.time_zone is None else read_zone(spec.time_zone)
    local = time.astimezone(zone)
    if spec.time == "text" or _kind(spec) == "sqlite":
        # as texts are compared letter by letter, they have to be written alike: 2026-01-05T00:00:00Z, or without the Z
        return f"{local:%Y-%m-%dT%H:%M:%S}{'Z' if spec.time_zone is None else ''}"
    return time


def _batches(spec: SqlForm, ask: Ask, wrap: str) -> Generator[pa.RecordBatch, None, None]:
    """Yield the batches of the query inside `wrap`, ``{}`` being the query."""
    query, order = _query(spec)
    values = {"since": _value(spec, ask.since), "until": _value(spec, ask.until)}
    text = wrap.replace("{}", query)
    if _kind(spec) == "duckdb":
        yield from _duckdb(spec, ask, text, values)
        return
    yield from _adbc(spec, ask, text, [values[name] for name in order], values)


def _duckdb(spec: SqlForm, ask: Ask, query: str, values: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    try:
        import duckdb
    except ImportError as error:
        raise ConfigError(
            f"{spec.label}: duckdb is not installed; pip install 'tars-incident-workbook[sql]'"
        ) from error
    path = _file(spec, ask)
    database = ":memory:" if path is None else str(path)
    config: dict[str, Any] = {**spec.options}
    with duckdb.connect(database, read_only=path is not None, config=config) as connection:
        # it would be drawn on standard output, among the answers of this command
        connection.execute("set enable_progress_bar = false")
        # times without a zone are compared in this one
        connection.execute("set TimeZone = $zone", {"zone": spec.time_zone or "UTC"})
        reader = connection.sql(query, params=values).to_arrow_reader(BATCH)
        with reader:
            yield from reader


def _adbc(spec: SqlForm, ask: Ask, query: str, ordered: list[Any], values: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    kind = _kind(spec)
    try:
        driver = import_module(f"{_DRIVERS[kind]}.dbapi")
    except ImportError as error:
        package = _DRIVERS[kind].replace("_", "-")
        raise ConfigError(f"{spec.label}: {package} is not installed; pip install {package}") from error
    with closing(_connected(spec, ask, driver)) as connection, closing(connection.cursor()) as cursor:
        if kind in ("postgresql", "postgres"):
            texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values.values()]
            settings = ", ".join(f"set_config('tars.{name}', ${n}, false)" for n, name in enumerate(values, start=1))
            cursor.execute(
                f"select {settings}, set_config('TimeZone', $3, false), "
                "set_config('default_transaction_read_only', 'on', false)",
                (*texts, spec.time_zone or "UTC"),
            )
            cursor.fetchall()
            connection.commit()
            cursor.execute(query)
        else:
            if kind == "sqlite":
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH)})
            cursor.execute(query, tuple(ordered))
        for batch in cursor.fetch_record_batch():
            names = [name.lower() if kind == "snowflake" and name.isupper() else name for name in batch.schema.names]
            yield _numbers(batch.rename_columns(names), spec)


def _connected(spec: SqlForm, ask: Ask, driver: Any) -> Any:
    kind = _kind(spec)
    if kind == "sqlite":
        path = _file(spec, ask)
        if path is None:
            raise ConfigError(f"{spec.label}: sqlite:///FILE is needed")
        return driver.connect(f"file:{quote(path.as_posix())}?mode=ro")
    password = ask.secret(spec.auth, "password")
    if kind in ("postgresql", "postgres"):
        return driver.connect(_with_user(spec, ask, password))
    options = dict(spec.options)
    if kind == "snowflake":
        if password is not None:
            options["password"] = password
        return driver.connect(spec.url.partition("://")[2], db_kwargs=options)
    return driver.connect(db_kwargs={"adbc.bigquery.sql.project_id": urlsplit(spec.url).netloc, **options})


def _with_user(spec: SqlForm, ask: Ask, password: str | None) -> str:
    """Return the address with user and password, which are put in here alone; messages never repeat it."""
    parts = urlsplit(spec.url)
    user = ask.user(spec.auth) or unquote(parts.username or "")
    if not user and password is None:
        return spec.url
    host = parts.netloc.rpartition("@")[2]
    secret = "" if password is None else f":{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}{secret}@{host}"))


def _file(spec: SqlForm, ask: Ask) -> Path | None:
    """Return the database file; three slashes begin a path relative to the root, four an absolute one, as in SQLAlchemy."""
    rest = spec.url.partition(":")[2]
    if not rest.startswith("///"):
        raise ConfigError(
            f"{spec.label}: {_kind(spec)}:///FILE is needed, or {_kind(spec)}:////FILE for an absolute path"
        )
    name = rest.removeprefix("///")
    if name == ":memory:":
        return None
    path = ask.root / name
    if not path.is_file():
        raise InputError(f"{spec.label}: {path}: no such file; a database is needed")
    return path


def _name(column: str) -> str:
    """Return a column's name, quoted where SQL needs it; Snowflake writes names that are not in capitals."""
    if _PLAIN.fullmatch(column):
        return column
    return '"' + column.replace('"', '""') + '"'


def _numbers(batch: pa.RecordBatch, spec: SqlForm) -> pa.RecordBatch:
    """PostgreSQL's numeric, which its driver hands over as text, as numbers."""
    import pyarrow as pa

    for name in set(needed(spec)) & set(batch.schema.names):
        position = batch.schema.get_field_index(name)
        about = batch.schema.field(position).metadata or {}
        if position >= 0 and about.get(b"ADBC:postgresql:typname", about.get(b"POSTGRESQL:type")) == b"numeric":
            texts = batch.column(position)
            storage = texts.storage if isinstance(texts, pa.ExtensionArray) else texts
            batch = batch.set_column(position, name, storage.cast(pa.float64()))
    return batch


_SECRET = re.compile(r"(?i)(password|token|secret)\s*=\s*\S+|://[^@\s/]*@")


@contextmanager
def _errors(spec: SqlForm) -> Iterator[None]:
    """Errors of a driver, whose classes have no common base, as one line."""
    try:
        yield
    except (ConfigError, InputError, GeneratorExit, MemoryError):
        raise
    except Exception as error:
        module = type(error).__module__.partition(".")[0]
        if not module.startswith(("adbc", "duckdb", "_duckdb", "pyarrow")):
            raise
        said = _SECRET.sub("...", " ".join(str(error).split()))[:300]
        raise InputError(f"{spec.label}: {said}") from error
