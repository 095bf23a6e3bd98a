"""Packages: the files that jobs refer to."""
