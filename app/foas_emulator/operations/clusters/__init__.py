"""Clusters: the machines, ordered and sized."""
