"""A partner's standing: suspended, reinstated, gone; what its estate pays back; the operator's first loss."""
