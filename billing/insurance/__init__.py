"""What the insurer is told and given: lists of the insured, the money passed on, double cover given back."""
