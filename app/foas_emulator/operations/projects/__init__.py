"""Projects, which contain jobs, folders and packages."""
