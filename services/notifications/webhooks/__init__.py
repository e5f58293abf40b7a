"""Webhooks: events handed to endpoints outside, after Standard Webhooks 1.0."""
