"""Rewards: a catalogue, and vouchers bought with points, used where they are given, or refunded before."""
