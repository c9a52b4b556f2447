"""Experiments of Lillicrap 2016: random feedback weights, what they do to the forward ones, and what they bear."""
