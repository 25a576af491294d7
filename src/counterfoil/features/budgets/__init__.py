"""Feature: budgets for points that are given without a sale, or beyond what a sale earns."""
