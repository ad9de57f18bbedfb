"""An organisation whose names want to be code, and an environment full of secrets, through every command that writes."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from loopback import http_server
from org_samples import RootBuilder, counts
from run_samples import one_drawing

from tars_lib.cli.main import cli
from tars_lib.engines.steps import STEPS

START, HOUR, HOURS = datetime(2026, 3, 20, tzinfo=UTC), timedelta(hours=1), 204
FAILING, FACING = "<script>alert(1)</script>", 'x"onmouseover=alert(1) y'
REPOS = (
    FAILING,
    FACING,
    '#read("/etc/passwd")',
    '=HYPERLINK("http://evil.example","x")',
    "{{7*7}}{% raw %}",
    "$(touch x)`touch y`",
    "invoice\u202egpj.exe",
    "@SUM(1+1)*cmd|' /C calc'!A0",
)
LONG = "long " + "n" * 9_995
ORG, TEAM, TITLE = (
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "=1+1<script>alert(4)</script>\u202e{{7*7}}",
)
NOTE = f'-2+3<iframe src=javascript:alert(5)> #read("x") $(touch x) \x1b[31m\x07 {LONG}'
INCIDENT = "INC-202603281200"

SECRETS = {
    "SLACK_BOT_TOKEN": "xo" + "xb-s3cr3tslack-0123456789",
    "SLACK_WEBHOOK_URL": "https://hooks.slack" + ".com/services/T0/B0/s3cr3thook",
    "PAGERDUTY_ROUTING_KEY": "s3cr3tpagerdutykey00000000000000",
    "SMTP_PASSWORD": "s3cr3tsmtp",
    "AWS_ACCESS_KEY_ID": "AK" + "IAS3CR3TAWSKEY000000",
    "AWS_SECRET_ACCESS_KEY": "s3cr3taws" + "0" * 31,
    "GITHUB_TOKEN": "gh" + "p_s3cr3tgithub" + "0" * 24,
    "DATABASE_URL": "postgres://svc:s3cr3tdb@db.internal/orders",
    "DEPLOY_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\ns3cr3tpem\n-----END PRIVATE KEY-----",
    "TARS_SIGN_PASSWORD": "s3cr3tsignpassword",
    "WEB_HOOK": "s3cr3twebhook",
}


@dataclass
class Session:
    """Where everything was written, what was printed, which commands were called, and what must be nowhere."""

    folder: Path
    secrets: tuple[str, ...]
    calls: list[tuple[str, int, str]] = field(default_factory=list)

    def call(self, *words: object, codes: tuple[int, ...] = (0,)) -> str:
        """One command, with its options; it must end with one of these codes."""
        done = CliRunner().invoke(cli, [str(word) for word in words])
        self.calls.append((" ".join(map(str, words[:2])), done.exit_code, done.output))
        assert done.exit_code in codes, f"{words}: {done.exit_code}: {done.output[-600:]}"
        return done.stdout


def write_root(folder: Path) -> Path:
    """The root: two repos fail for six hours at its end, after a change with a long name."""
    builder = RootBuilder(folder)
    for number, repo in enumerate(REPOS):
        share = (0.3, 0.25, 0.2)[number] if number < 3 else 0.0
        failed = [1000 * share if hour >= HOURS - 6 else 1 + (hour + number) % 3 for hour in range(HOURS)]
        builder.add(counts(repo, [1000] * HOURS, failed, START, HOUR))
    org: dict[str, Any] = {
        "name": ORG,
        "repos": {repo: {"name": repo, "team": TEAM, "tags": [repo]} for repo in REPOS},
        "dependencies": [{"from": FACING, "to": FAILING}, {"from": REPOS[2], "to": FAILING}],
    }
    org["repos"][FACING]["customer_facing"] = True
    org["repos"][REPOS[5]]["name"] = "l" * 900
    builder.file("org.yaml", json.dumps(org))
    changed = (START + (HOURS - 6) * HOUR - timedelta(minutes=20)).isoformat()
    quoted = REPOS[0].replace('"', '""')
    builder.file("events.csv", f'timestamp,repo,kind,title,ref\n{changed},"{quoted}",deploy,"<b>{LONG}</b>","=cmd()"\n')
    policy = {
        "sla_id": "<u>availability",
        "sla_name": '=1+1"<script>alert(6)</script>',
        "sla_type": "{{7*7}}",
        "good": {"total": "requests_total", "bad": "requests_failed"},
        "objective": 0.99,
        "period_days": 2,
    }
    builder.file("sla-policies.yaml", json.dumps({"policies": [policy]}))
    return builder.write()


def live(folder: Path) -> Session:
    """Every command that writes, in one folder, on that organisation and with those secrets in the environment."""
    import minisign

    root = write_root(folder / "org-health")
    key = minisign.KeyPair.generate()
    key.secret_key.encrypt(SECRETS["TARS_SIGN_PASSWORD"])
    sealed = bytes(key.secret_key).decode()
    session = Session(folder, (*SECRETS.values(), *sealed.splitlines()[1:], "s3cr3t"))
    with pytest.MonkeyPatch.context() as patch, http_server() as taking, http_server(403) as refusing:
        patch.chdir(folder)
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        patch.setenv("TARS_SIGN_KEY", sealed)
        patch.setenv("SOURCE_DATE_EPOCH", "1774699200")
        patch.setenv("TARS_LOG_LEVEL", "DEBUG")
        good = f"pagerduty://{SECRETS['PAGERDUTY_ROUTING_KEY']}@a?endpoint=http://127.0.0.1:{taking.port}/"
        urls = f"{good} json://svc:{SECRETS['SMTP_PASSWORD']}@127.0.0.1:{refusing.port}/{SECRETS['WEB_HOOK']}"
        patch.setenv(
            "TARS_NOTIFY_URLS",
            f"{urls} mailto://u:{SECRETS['SMTP_PASSWORD']}@127.0.0.1:1?from=b@example.com&to=a@example.com",
        )
        _commands(session, root)
    return session


def _commands(session: Session, root: Path) -> None:
    call = session.call
    found = (0, 91, 92, 101, 102, 121, 122, 131, 132, 141, 142)
    call(
        "run",
        "--root",
        root,
        "--outdir",
        "runs",
        "--timestamp",
        "20260328-060000",
        "--as-of",
        "2026-03-28T06:00:00Z",
        codes=found,
    )
    call("run", "--root", root, "--outdir", "runs", "--timestamp", "20260328-120000", "--verbose", codes=found)
    run, before = "runs/tars-run-20260328-120000", "runs/tars-run-20260328-060000"
    call("health", "--root-dir", root, "--output", "org-health-report.json", "--verbose", codes=found)
    for engine in list(STEPS)[1:]:
        call(engine, "--org-report", "org-health-report.json", "--output", f"{engine}.json", "--verbose", codes=found)
    call("diff", before, run, codes=(0, 1))
    call("classify", run)
    Path("incidents", INCIDENT).mkdir(parents=True)
    call("incident", "open", "--from-run", run, "--adopt", INCIDENT, "--title", TITLE)
    for words in (
        ("ack", INCIDENT),
        ("note", INCIDENT, "--", NOTE),
        ("record", INCIDENT, "--cause", TITLE, "--repo", FAILING),
        ("contain", INCIDENT, "--start", "A1"),
        ("contain", INCIDENT, "--done", "A1"),
        ("escalate", INCIDENT, "--to", TITLE),
        ("update", INCIDENT, "--template", "slack"),
        ("action", INCIDENT, "add", TITLE, "--owner", TEAM),
        ("ics", INCIDENT, "--output", "out.ics"),
    ):
        call("incident", *words)
    call("notify", "--incident", INCIDENT, "--verbose")
    call("notify", "--incident", INCIDENT, "--send", "--verbose", "--to", "VP Engineering")
    call(
        "notify",
        "--message",
        TITLE,
        "--url",
        "json://x:${SMTP_PASSWORD}@127.0.0.1:1/${WEB_HOOK}",
        "--send",
        "--verbose",
    )
    call("watch", "--root", root, "--outdir", "watched", "--rounds", "1", "--verbose", codes=found)
    for words in (
        ("resolve", INCIDENT, TITLE),
        ("close", INCIDENT),
        ("postmortem", INCIDENT, "--output", "postmortem.md"),
        ("tickets", INCIDENT, "--format", "csv", "--output", "tickets.csv"),
        ("tickets", INCIDENT, "--output", "tickets.md"),
        ("hold", INCIDENT, "--reason", TITLE),
        ("verify", INCIDENT),
    ):
        call("incident", *words)
    call("metrics", "--by-month")
    call("review", codes=(0, 1))
    words = ("report", "incident_report", "--run", run, "--incident", INCIDENT, "--output", "pages")
    with one_drawing():  # the figures of this page are in the bundle
        call(*words, "--format", "html", "--verbose")
    call(
        "bundle",
        "create",
        "--run-dir",
        run,
        "--incident",
        INCIDENT,
        "--with-inputs",
        root,
        "--bundle-name",
        "b",
        "--verbose",
    )
    call("bundle", "verify", "release/executive/b.zip", "--verbose", codes=(0, 1))
    call("retention", "apply", "--runs-dir", "runs", "--now", "2026-09-01T00:00:00Z", "--verbose")
    shutil.unpack_archive("release/executive/b.zip", "unpacked")


def readings(path: Path) -> str:
    """Everything that can be read in a file, what is inside zips, tables and PDFs as well."""
    import io
    import zipfile

    import pyarrow.parquet as pq
    import pypdf

    content = path.read_bytes()
    text = content.decode("utf-8", "replace")
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            text = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    elif path.suffix == ".pdf":
        reader = pypdf.PdfReader(io.BytesIO(content))
        text += "".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        text += str(table.schema) + str([table.column(name).unique().to_pylist() for name in ("repo", "metric")])
    for run in {part for part in text.split('"') if len(part) > 2000}:
        # pictures and the like in notebooks
        try:
            text += base64.b64decode(run, validate=True).decode("utf-8", "replace")
        except ValueError:
            continue
    return text
