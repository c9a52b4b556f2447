"""What hidden layers come to represent: likeness between rules, and use on another data set."""
