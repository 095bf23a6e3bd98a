"""Metrics of jobs and clusters."""
