"""What can be measured of credit, as pure functions outside every rule."""
