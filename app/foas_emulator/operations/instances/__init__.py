"""Instances: the runs of jobs."""
