"""Projects: what jobs, folders and packages live in."""
