"""Learning rules, one file for each family."""
