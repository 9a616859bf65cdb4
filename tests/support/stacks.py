"""Frames of workers that train, by what they are in, and stacks of them."""

from keras_bench.records import Frame, Stack

WORKER = (Frame("_train", "keras_bench/worker/timing.py"),)
JAX_FIT = Frame("JAXTrainer.fit", "keras/src/backend/jax/trainer.py")
TORCH_FIT = Frame("TorchTrainer.fit", "keras/src/backend/torch/trainer.py")
TF_FIT = Frame("TensorFlowTrainer.fit", "keras/src/backend/tensorflow/trainer.py")
STEP = Frame("JAXTrainer._make_function.<locals>.iterator_step", JAX_FIT.file)
TORCH_STEP = Frame("TorchTrainer.train_step", TORCH_FIT.file)
LAYER = Frame("Layer.__call__", "keras/src/layers/layer.py")
ADAPTER = Frame("Sliceable.__getitem__", "keras/src/trainers/data_adapters/array_slicing.py")
DISPATCH = Frame("CallbackList._async_dispatch", "keras/src/callbacks/callback_list.py")
LOGS = Frame("pythonify_logs", "keras/src/utils/python_utils.py")
WAIT = Frame("Condition.wait", "python3.11/threading.py")
TO_NUMPY = Frame("convert_to_numpy", "keras/src/backend/jax/core.py")
MATMUL = Frame("matmul", "keras/src/backend/torch/numpy.py")
BACKWARD = Frame("_engine_run_backward", "torch/autograd/graph.py")
LOADER = Frame("_BaseDataLoaderIter.__next__", "torch/utils/data/dataloader.py")
EXECUTE = Frame("quick_execute", "tensorflow/python/eager/execute.py")
EVALUATE = Frame("JAXTrainer.evaluate", JAX_FIT.file)
MINE = Frame("MyLayer.call", "my_model.py")
TREE_MAP = Frame("tree_map", "optree/ops.py")


def stack(*frames: Frame, samples: int = 1) -> Stack:
    return Stack((*WORKER, *frames), samples)
