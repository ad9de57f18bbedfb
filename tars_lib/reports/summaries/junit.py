"""SLAs as test cases of a JUnit file, which every build server reads.

The form is the XSD of Jenkins' xUnit plugin, which GitLab, Azure DevOps and CircleCI read as well:
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
A verdict stands as it is: no exit policy turns a breach into a passed test.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.sla.report import Breach, ComplianceResult, SlaReport
from tars_lib.model.names import SlaStatus
from tars_lib.text.quantities import value_text
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_CLASS = "tars.sla"
"""`classname` of every case. Jenkins makes packages of the dots in it, so nothing from outside stands there."""


def sla_cases(report: SlaReport, org: str) -> str:
    """JUnit document of an SLA report.

    Returns
    -------
    str
        XML. A case for each SLA: BREACHED is a failure, UNKNOWN is skipped with its reason, AT_RISK passes and says so in
        `system-out`. Times are 0: a verdict has no duration.
    """
    breaches = {breach.sla_id: breach for breach in report.breaches}
    suite = _suite(f"SLAs of {org}", report.generated_at)
    for result in report.compliance_results:
        _add_case(suite, result, breaches.get(result.sla_id))
    return _document(suite)


def error_case(command: str, sentence: str, time: datetime) -> str:
    """JUnit document of a command that judged nothing: one case in error, so that silence is not taken for success."""
    from xml.etree.ElementTree import SubElement

    suite = _suite("SLAs", time)
    case = SubElement(suite, "testcase", name=visible(command), classname=_CLASS, time="0")
    SubElement(case, "error", type="NOT_JUDGED", message=visible(sentence)).text = "No SLA was judged."
    return _document(suite)


def _suite(name: str, time: datetime) -> Element:
    from xml.etree.ElementTree import Element

    return Element("testsuite", name=visible(name), timestamp=f"{time:%Y-%m-%dT%H:%M:%S}", time="0")


def _add_case(suite: Element, result: ComplianceResult, breach: Breach | None) -> None:
    from xml.etree.ElementTree import SubElement

    case = SubElement(suite, "testcase", name=visible(result.sla_id), classname=_CLASS, time="0")
    measured = f"{result.sla_name}: {measured_text(result)}"
    if result.status is SlaStatus.BREACHED:
        failure = SubElement(case, "failure", type=result.status.value, message=visible(measured))
        failure.text = "\n".join(map(visible, [measured, *(() if breach is None else breach_sentences(breach))]))
    elif result.status is SlaStatus.UNKNOWN:
        SubElement(case, "skipped", message=visible(f"UNKNOWN: {result.reason or 'no reason is given'}"))
    else:
        said = [measured, *(() if result.reason is None else (result.reason,))]
        SubElement(case, "system-out").text = "\n".join(map(visible, [result.status.value, *said]))


def measured_text(result: ComplianceResult) -> str:
    """Return what was measured and what was promised, in one line."""
    sign = ">=" if result.higher_is_better else "<="
    value, objective = value_text(result.value, result.unit), value_text(result.objective, result.unit)
    return f"measured {value}, objective {sign} {objective}"


def breach_sentences(breach: Breach) -> list[str]:
    """Say where, why and what to do, a sentence each."""
    said = [f"Services: {', '.join(breach.repos)}"] if breach.repos else []
    said += [f"Cause: {cause.cause} ({cause.confidence:.0%} confidence)" for cause in breach.root_causes[:3]]
    if not breach.root_causes:
        said.append(f"Cause unknown: {breach.reason}")
    if breach.could_be_chance:
        said.append("Could be chance: the interval of the value includes the objective.")
    return [*said, *(f"Do: {action}" for action in breach.recommended_actions)]


def _document(suite: Element) -> str:
    from xml.etree.ElementTree import Element, indent, tostring

    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    root = Element("testsuites", name="tars", time="0")
    for name, count in counts.items():
        suite.set(name, str(count))
        root.set(name, str(count))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    root.append(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'
