"""What both systems' business rules stand on: hooks on writes, batch jobs, money and days."""
