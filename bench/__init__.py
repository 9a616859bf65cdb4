"""Which Keras backend trains a model fastest on this CPU, and do the backends agree?"""

__version__ = "0.1.0"
