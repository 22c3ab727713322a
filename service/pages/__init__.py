"""HTML for families, the school office and the auditor."""
