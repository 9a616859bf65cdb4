"""On TensorFlow, a compiled adaptive pooling of a short axis raises.

Seen with Keras 3.15.1 and TensorFlow 2.21.0; JAX 0.10.2 and PyTorch 2.13.0 pool.
Run it as `KERAS_BACKEND=tensorflow python adaptive_pooling_small.py`, then with jax and torch.

Keras pools by windows of two sizes and then takes what it needs of both. Where one size would do
the larger windows are longer by one, and may be longer than the axis.
"""

import keras
import numpy as np

for kind in (keras.layers.AdaptiveMaxPooling1D, keras.layers.AdaptiveAveragePooling1D):
    model = keras.Sequential([keras.Input((2, 1)), kind(1)])
    try:
        pooled = model.predict(np.array([[[3.0], [5.0]]]), verbose=0)
        print(keras.backend.backend(), kind.__name__, pooled.ravel().tolist())
    except ValueError as error:
        print(keras.backend.backend(), kind.__name__, "raises", str(error).split("\n")[2][4:61])
