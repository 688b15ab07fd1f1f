"""The seed of many rows: `scale:N` actuals with all that they refer to, skewed as real data is."""
