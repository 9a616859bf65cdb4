"""How coarse the precisions are that backends compute in."""

#: The largest relative error of one correctly rounded operation.
UNIT_ROUNDOFF = {
    "float64": 2.0**-53,
    "float32": 2.0**-24,
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
}
