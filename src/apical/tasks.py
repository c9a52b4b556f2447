"""The two kinds of task: which label an input has, or which values it asks for; and what each is judged by."""

CLASSIFICATION, REGRESSION = "classification", "regression"
TASKS = (CLASSIFICATION, REGRESSION)
JUDGED_BY = {CLASSIFICATION: "accuracy", REGRESSION: "r2"}
MEASURES = {"accuracy": "accuracy", "r2": "R2", "loss": "loss"}
