"""Networks: units and how they are wired."""
