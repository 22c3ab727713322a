"""A province's billing run beside a bare INSERT … SELECT and SQLModel's ``add_all`` of the same rows."""
