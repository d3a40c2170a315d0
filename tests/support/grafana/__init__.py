"""Grafana's dashboards, written as `deploy/grafana/dashboards/*.json`.

python -m tests.support.grafana.write      writes them
"""
