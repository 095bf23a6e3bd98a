"""Queues: a cluster's resources, bound to projects."""
