"""What runs in a framework's own environment, which may hold Keras, it, and NumPy alone.

The only place where Keras is imported. The coordinator imports `protocol` and nothing else.
"""
