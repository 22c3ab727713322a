"""Cards of health insurance: by whom a pupil is insured in a calendar year, until when, and which months are bought."""
