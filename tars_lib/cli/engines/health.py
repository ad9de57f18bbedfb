"""`tars health`: how healthy is each repo and the organisation?"""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.engines.options import Output, engine_options, without_path
from tars_lib.cli.shared.options import PATH
from tars_lib.files.reading import sha256_hex


@click.command(epilog="Example: tars health --root-dir ./org-health --json")
@click.option("--root-dir", required=True, type=PATH, help="The org-health folder.")
@click.option("--config", type=PATH, help="Use this file instead of the folder's org.yaml.")
@click.option("--repos", metavar="A,B", help="Only these services, comma separated.")
@engine_options("health")
def health(
    root_dir: Path, config: Path | None, repos: str | None, output: Output, as_of: str | None, assume_tz: str | None
) -> int:
    """Score every service and the organisation from an org-health folder.

    With --output the history is written beside the report, so that the other engines need this report alone. Codes: 92 risk
    tier HIGH or CRITICAL, 91 an organisation SLO is violated, 0 nothing found; 93 no repositories, 94 configuration error, 95
    input could not be read.
    """
    from tars_lib.engines.health.assess import assess_health
    from tars_lib.engines.health.risk_text import risk_text
    from tars_lib.model.times import read_time, read_zone
    from tars_lib.pipeline import now, stamp
    from tars_lib.pipeline.history_file import history_bytes
    from tars_lib.pipeline.loading import load_org

    chosen = None if repos is None else [name.strip() for name in repos.split(",") if name.strip()]
    org = load_org(root_dir, config=config, repos=chosen, assume_tz=assume_tz)
    zone = None if assume_tz is None else read_zone(assume_tz)
    known, judged_at = org.at(None if as_of is None else read_time(as_of, "--as-of", zone), now())
    report = assess_health(known, judged_at, stamp())
    samples = None
    if output.file is not None:
        samples = history_bytes(known.history)
        report = without_path(report, f"{output.file.stem}.history.parquet", sha256_hex(samples))

    def summary() -> list[str]:
        lines = [f"{report.org.name}: health {risk_text(report)}; coverage {report.coverage:.0%}"]
        for repo in report.repository_reports[:10]:
            shown = "unknown" if repo.score is None else f"{repo.score:5.1f}"
            lines.append(f"  {shown:>7}  {repo.risk_tier.value:8}  {repo.repo}: {'; '.join(repo.reasons[:2])}")
        return lines

    return output.emit(report, summary, ("org", "policies", "contributions", "repository_reports"), samples)
