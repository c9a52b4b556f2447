"""Figure 7 of the review: does a rule learn wherever its hyperparameters are?"""
