"""What operators look at: two dashboards for Grafana, and what makes it find them."""
