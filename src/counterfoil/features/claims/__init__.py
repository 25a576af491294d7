"""Feature: purchases that members miss points for, and what the partner says of them."""
