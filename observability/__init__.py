"""Dashboards and service-level rules as code; `python -m observability` writes what they come to."""
