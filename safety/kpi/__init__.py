"""Measures of safety, as pure functions: rates, comparisons, charts, verdicts."""
