"""Money that is told of, over the network, through our own programs, whatever happens to them."""
