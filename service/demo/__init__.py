"""The main job on invented schools, with stand-ins for the bank, Zalo and the mail server."""
