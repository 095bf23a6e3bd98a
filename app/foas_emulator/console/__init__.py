"""Pages for people: every world seen, changed and explained in a browser."""
