"""Folders: the tree that a project's jobs are kept in."""
