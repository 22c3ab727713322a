"""Tests of the channels, against the stand-ins over real sockets."""
