"""Pages for people: every world seen, changed and explained in a browser. Nothing of it is imported before its first page."""
