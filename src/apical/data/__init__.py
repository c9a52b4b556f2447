"""Data sets: where their files are found, how they are checked, read, split and downloaded."""
