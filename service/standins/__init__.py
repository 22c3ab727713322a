"""Programs that stand in for the outside world on a laptop: Zalo and a mail server. They listen on 127.0.0.1 only."""
