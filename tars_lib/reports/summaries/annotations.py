"""Workflow commands of GitHub Actions: what a job's page shows above its log.

Form and escapes: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands and the runner's
`ActionCommand.cs`, https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tars_lib.engines.sla.report import SlaReport
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES
from tars_lib.findings.exit_policy import SLA_CODES, BuildDecision
from tars_lib.model.names import SlaStatus
from tars_lib.reports.summaries.junit import breach_sentences, measured_text
from tars_lib.text.visible import visible

PER_LEVEL = 10
"""Annotations of one level that GitHub keeps of a step; it drops the rest without a word."""
_ORDER = (SlaStatus.BREACHED, SlaStatus.AT_RISK, SlaStatus.UNKNOWN)
_WORDS = {SlaStatus.BREACHED: "SLA breached", SlaStatus.AT_RISK: "SLA at risk", SlaStatus.UNKNOWN: "SLA unknown"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation: level `error` or `warning`, a title, and lines of text."""

    level: str
    title: str
    lines: tuple[str, ...]

    def command(self) -> str:
        r"""Return the line that GitHub reads.

        Examples
        --------
        >>> Annotation("error", "a: b, c", ("100%", "::x")).command()
        '::error title=a%3A b%2C c::100%25%0A::x'
        """
        text = "\n".join(visible(line) for line in self.lines)
        return f"::{self.level} title={_escaped(visible(self.title), ':,')}::{_escaped(text)}"


def annotate(sla: SlaReport, codes: Iterable[int], decision: BuildDecision) -> tuple[Annotation, ...]:
    """Return what a job's page is to show of a run.

    Parameters
    ----------
    codes : iterable of int
        Exit codes of all engines that ran.
    decision : Decision
        What fails the build is an error, everything else a warning.

    Returns
    -------
    tuple of Annotation
        Breached SLAs first, then those at risk and unknown, then the other findings in the order of the decision tree; at
        most ten a level, the last of which counts what was left out.
    """
    breaches = {breach.sla_id: breach for breach in sla.breaches}
    annotations = []
    for result in sorted(
        (r for r in sla.compliance_results if r.status in _ORDER), key=lambda r: _ORDER.index(r.status)
    ):
        breach = breaches.get(result.sla_id)
        known = f"{measured_text(result)[0].upper()}{measured_text(result)[1:]}"
        lines = [result.reason or known] if result.status is SlaStatus.UNKNOWN else [known]
        lines += [] if breach is None else breach_sentences(breach)
        level = "error" if result.sla_id in decision.failing_slas else "warning"
        annotations.append(Annotation(level, f"{_WORDS[result.status]}: {result.sla_name}", tuple(lines)))
    others = set(codes) - {0, *SLA_CODES.values()}
    for code in (code for code in DECISION_ORDER if code in others):
        level = "error" if code in decision.failing_codes else "warning"
        meaning = EXIT_CODES[code].meaning
        annotations.append(
            Annotation(level, f"{EXIT_CODES[code].finding} ({code})", (f"{meaning[0].upper()}{meaning[1:]}",))
        )
    return (*first_of(annotations, "error"), *first_of(annotations, "warning"))


def inert(line: str) -> str:
    """A line of ordinary output that GitHub's runner takes for no command: it reads ``::`` at the start and ``##[`` anywhere.

    Examples
    --------
    >>> inert("::add-mask::x"), inert("a ##[error]b")
    (': :add-mask::x', 'a ## [error]b')
    """
    line = line.replace("##[", "## [")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def first_of(annotations: list[Annotation], level: str) -> list[Annotation]:
    """Return those of a level that GitHub keeps; the last of them counts what was left out."""
    own = [annotation for annotation in annotations if annotation.level == level]
    if len(own) <= PER_LEVEL:
        return own
    more = len(own) - PER_LEVEL + 1
    return [*own[: PER_LEVEL - 1], Annotation(level, f"{more} more", ("The job summary has all of them.",))]


def _escaped(text: str, also: str = "") -> str:
    # the percent sign first, or the escapes themselves would be escaped
    for char in f"%\r\n{also}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text
