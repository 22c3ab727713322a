"""A round on paper for a whole school: printed by a worker, kept for a day, handed out to who may print."""
