"""Folders: the tree of a project's jobs."""
