"""Floor 3, the audit: two exports, kept counterfoils and a chain against each other, without database, key or trust.

`auditor.audit` runs the checks of `checks/` over evidence read from folders and facts read from the contract, and gives
a report; `command.run` prints it. Imports core and chain only. Decided against: stopping at the first finding (an
auditor wants all that is wrong) and going on past a broken record (what follows from it would only be noise).
"""
