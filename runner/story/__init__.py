"""The five-minute life of a project, told by `make demo`: what people do, and what follows from it."""
