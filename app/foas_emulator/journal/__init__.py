"""What every world was asked and what it answered: remembered within a budget, searched, verified, counted."""
