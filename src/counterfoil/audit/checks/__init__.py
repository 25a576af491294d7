"""The checks, one module per kind of evidence. Each is a small generator of findings over a case.

A check that lacks something raises Lacks; one that found its evidence broken stops there and leaves the later ones not
run: a finding names the first bad record, never what merely follows from it.
"""
