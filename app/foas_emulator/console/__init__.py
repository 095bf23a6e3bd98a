"""Pages for people: see, change and understand every world in a browser."""
