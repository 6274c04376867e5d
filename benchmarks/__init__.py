"""Measurements of the service: ``python -m benchmarks``. Counts are budgets, times are compared side by side."""
