"""Clusters: orders of machines, and their number and size."""
