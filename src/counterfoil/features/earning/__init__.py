"""Feature: earn rules, published by the operator, and the calculator that tries them on a basket."""
