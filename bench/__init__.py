"""Which Keras backend trains a model fastest on this CPU?"""

__version__ = "0.1.0"
