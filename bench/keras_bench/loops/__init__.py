"""Loops: the ways to drive a Keras model's epochs, Keras's own `fit` among them.

They run where the model does, and need nothing but Keras, NumPy and the framework.
"""
