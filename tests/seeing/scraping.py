"""Metrics as Prometheus would read them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """What one scrape has shown."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name that have these labels, and others maybe."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str) -> Iterator[dict[str, str]]:
        """The labels of each sample with this name."""
        return (sample.labels for sample in self._samples if sample.name == name)

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self._samples}
