"""The desk: pages on which one plays the customer-support agent and looks into every system."""
