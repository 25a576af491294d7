"""Legal entities and brands, and the invoices and credit notes of each settlement as JSON, CSV and PDF."""
