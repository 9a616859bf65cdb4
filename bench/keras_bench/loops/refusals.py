"""What is raised where a loop can't train a model as `fit` would."""


class LoopRefusal(ValueError):
    """A loop can't do faithfully what it is asked for; the message says what, and what to do."""
