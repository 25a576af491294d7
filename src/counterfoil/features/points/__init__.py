"""Movements of points: earn, burn, hold, capture, release, refund, transfer, alone or in a batch."""
