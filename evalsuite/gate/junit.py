"""A verdict as JUnit XML: a test case a finding, so that every CI system can show it."""

from __future__ import annotations

from xml.etree import ElementTree

from evalsuite.core.verdict import UNJUDGED_CODE, Finding, Verdict
from evalsuite.gate.words import change, clean, points

_TAGS = {"fails": "failure", "blocks": "error", "warns": "skipped"}
"""JUnit knows no warning; a skipped case is what its viewers show without failing."""


def render_junit(verdict: Verdict) -> str:
    """Write the verdict: failures are regressions, errors could not be judged, skipped cases are warnings."""
    effects = [finding.effect for finding in verdict.findings]
    empty = verdict.exit_code == UNJUDGED_CODE and "blocks" not in effects
    suite = ElementTree.Element(
        "testsuite",
        name=f"evalsuite compare {clean(verdict.baseline.label)} {clean(verdict.candidate.label)}",
        tests=str(len(effects) + empty),
        failures=str(effects.count("fails")),
        errors=str(effects.count("blocks") + empty),
        skipped=str(effects.count("warns")),
    )
    for finding in verdict.findings:
        suite.append(_case(finding))
    if empty:
        case = ElementTree.SubElement(suite, "testcase", classname="evalsuite.run", name="comparison")
        ElementTree.SubElement(case, "error", message=clean(verdict.headline))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(finding: Finding) -> ElementTree.Element:
    """Write one finding."""
    name = " ".join(part for part in (finding.variant, finding.metric) if part) or finding.subject
    classname = f"evalsuite.{finding.subject}.{finding.task or 'run'}"
    case = ElementTree.Element("testcase", classname=clean(classname), name=clean(name))
    tag = _TAGS.get(finding.effect)
    if tag is not None:
        message = clean(f"{finding.status}: {finding.reason}")
        outcome = ElementTree.SubElement(case, tag, message=message)
        if tag != "skipped":
            outcome.set("type", finding.status)
        outcome.text = _details(finding)
    return case


def _details(finding: Finding) -> str:
    """Write numbers and queries as plain lines."""
    lines = [clean(finding.reason)]
    if finding.evidence is not None:
        lines.append(f"before {points(finding.baseline)}, after {points(finding.candidate)}")
    lines += [
        clean(f"{change(m.change)} {m.id}: {points(m.before)} to {points(m.after)} {m.text or ''}")
        for m in finding.moved
    ]
    return "\n".join(lines)
