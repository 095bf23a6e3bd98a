"""The calls of every world and their responses: kept within a budget, searched, verified and counted."""
