"""Whether backends learn the same: values in, values out, with NumPy alone."""
