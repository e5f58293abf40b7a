"""`linli doctor`: everything an operator needs to know, and what to do about it."""
