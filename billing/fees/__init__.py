"""What a school may charge, and what one pupil is to be charged."""
