"""Properties of learning rules that bear on biology, measured from the update of each rule."""
