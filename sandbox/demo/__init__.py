"""`make demo`: the whole portal and the whole outside world on one machine, and one order carried through them."""
