"""One page of everything that was measured: plots, tables and sentences, in a file by itself."""
