"""Who was there: days off, absences by day, months closed class by class. Knows no money."""
