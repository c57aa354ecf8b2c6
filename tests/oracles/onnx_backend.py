"""Writes the node tests of onnx/onnx as models of one image, for onnx_backend.ts.

    python3 tests/oracles/onnx_backend.py FOLDER

Debian's python3-onnx has all it takes. The first float input of a test is the
image, brought to its shape by a Reshape where it has not four dimensions; the
other inputs become initializers. Tests without a float input, or with inputs
that are no tensors, keep them as they are.
"""
import json
import sys
from pathlib import Path

import numpy as np

# onnx 1.12 still uses these names of NumPy.
for alias, kind in [("float", float), ("int", int), ("bool", bool), ("object", object)]:
    if alias not in np.__dict__:
        setattr(np, alias, kind)

import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case import node as cases

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def lifted(shape):
    """Four dimensions of as many elements."""
    shape = list(shape)
    if len(shape) > 4:
        return shape[:3] + [int(np.prod(shape[3:]))]
    return shape + [1] * (4 - len(shape))


def write(case, index):
    inputs, outputs = case.data_sets[0]
    graph = case.model.graph
    record = {
        "name": case.name,
        "operators": sorted({node.op_type for node in graph.node}),
        "file": f"{index}.onnx",
        "outputs": [],
    }
    tensors = [isinstance(value, np.ndarray) for value in inputs]
    names = [value.name for value in graph.input]
    image = next(
        (i for i, value in enumerate(inputs)
         if tensors[i] and value.dtype == np.float32),
        None,
    )
    if image is not None and all(tensors):
        x = inputs[image]
        for name, value, declared in zip(names, inputs, list(graph.input)):
            if name == names[image]:
                continue
            value = np.asarray(value)
            if value.dtype == object:
                tensor = helper.make_tensor(
                    name, TensorProto.STRING, value.shape,
                    [str(item).encode() for item in value.ravel()],
                )
            else:
                tensor = numpy_helper.from_array(value, name)
            graph.initializer.append(tensor)
            graph.input.remove(declared)
        shape = list(x.shape)
        if len(shape) != 4:
            shape = lifted(shape)
            graph.initializer.append(
                numpy_helper.from_array(
                    np.array(x.shape, np.int64), "lift_shape"
                )
            )
            graph.node.insert(0, helper.make_node(
                "Reshape", ["lifted_image", "lift_shape"], [names[image]],
                name="lift",
            ))
            graph.input.remove(graph.input[0])
            graph.input.append(helper.make_tensor_value_info(
                "lifted_image", TensorProto.FLOAT, shape
            ))
        record["shape"] = shape
        record["x"] = [str(item) for item in np.ravel(x).astype(float)]
    for info, value in zip(graph.output, outputs):
        half = info.type.tensor_type.elem_type == TensorProto.BFLOAT16
        if isinstance(value, np.ndarray) and (value.dtype.kind == "f" or half):
            if half:
                bits = np.asarray(value).astype(np.uint32) << 16
                value = bits.view(np.float32)
            record["outputs"].append({
                "name": info.name,
                "shape": list(value.shape),
                "values": [
                    str(item) for item in np.ravel(value).astype(float)
                ],
            })
    (folder / record["file"]).write_bytes(case.model.SerializeToString())
    return record


collected = cases.collect_testcases("")
records = [write(case, i) for i, case in enumerate(collected)]
(folder / "cases.json").write_text(json.dumps(records))
print(f"onnx {onnx.__version__}: {len(records)} cases")
