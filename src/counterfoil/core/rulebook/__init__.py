"""What each verb does to points and money: pure decisions over Holdings, written as entries into a Journal.

`verbs` holds what a partner asks for, `refunds` what it takes back, `due` what time brings, `wallets` what goes to an
account on chain and comes back. A decision refuses before it posts; what fell due before it is posted first and stands
either way.
"""
