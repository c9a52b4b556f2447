"""Studies: does a rule learn wherever its hyperparameters are? Search space, folds, sampler, execution, journal."""
