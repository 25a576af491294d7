"""Floor 3, the page's own things: templates, style, the browser's verifiers and the picture of a settlement.

Owns how amounts, parties and proofs look to a person; knows core and nothing of requests, books or chain, so
that the picture can be drawn and the verifiers run without a gateway. Static files are served as they stand: no
framework, no build step, no inline script. Decided against: formatting money with floats, and drawing in the
browser, which would leave a reader without JavaScript, or a printer, without the picture.
"""
