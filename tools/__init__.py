"""Small programs for those who build Hocphi."""
