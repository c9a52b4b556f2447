"""Single neurons as pure functions: transfer functions, compartments, and later kernels, spikes and plasticity."""
