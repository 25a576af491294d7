"""Floor 3, insights: what the exported columns say about the business; first of all the liability.

`ledger.read` folds settlements 1 to n of the two exports, one entry at a time, and refuses what does not tally with the
headers; `liability.report` makes typed figures of it; `written` gives their bytes. Imports core only: whoever has the
exports has the report, to the byte. Decided against: reading the database (an accountant must be able to do it again),
floating point, and estimates that need more than the entries themselves.
"""
