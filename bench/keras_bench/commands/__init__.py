"""What the commands do, a module each: the parts of the suite put together, on a console."""
