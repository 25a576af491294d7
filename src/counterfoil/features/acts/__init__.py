"""Feature: what operators did, to the programme and to members: adjustments, freezes, and the log of acts."""
