"""Reports of studies: from trials.csv and study.json alone, nothing here runs a model."""
