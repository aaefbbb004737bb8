"""Metrics for ``/metrics``, in Prometheus' text form."""

from pinyon.adapters.prometheus.telemetry import PrometheusTelemetry

__all__ = ["PrometheusTelemetry"]
