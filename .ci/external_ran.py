"""Fails when no test of tests/external ran to its end: `python .ci/external_ran.py SUITE.xml` (JUnit XML)."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree


def ran(report: str) -> tuple[int, int]:
    """(external tests that ran, external tests that were skipped) in a JUnit report."""
    cases = [case for case in ElementTree.parse(report).iter("testcase")
             if ".external." in f".{case.get('classname', '')}."]
    skipped = sum(case.find("skipped") is not None for case in cases)
    return len(cases) - skipped, skipped


if __name__ == "__main__":
    done, left_out = ran(sys.argv[1])
    print(f"external tests: {done} ran, {left_out} skipped")
    sys.exit(0 if done else "the data folder is present, but no external test ran")
