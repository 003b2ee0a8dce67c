"""ONNX graphs written by hand: plain operators of opset 17, so that every engine runs them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """ONNX nodes one after another. Large weights are stored in half precision or in eight bits, and computed in single."""

    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, array, rows=None):
        """A number or more; of a table only the rows that are asked for are made single precision."""
        array = np.asarray(array)
        half = array.dtype.kind == "f" and array.size >= 1024
        self.count += 1
        name = f"w_{self.count}"
        kind = np.float16 if half else np.float32 if array.dtype.kind == "f" else np.int64
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype=kind), name))
        name = self.op("Gather", name, rows, axis=0) if rows else name
        return self.op("Cast", name, to=TensorProto.FLOAT) if half else name

    def narrow(self, matrix, rows=None):
        """A matrix in eight bits, each column with a scale; of a table only the rows that are asked for are unpacked."""
        scale = np.abs(matrix).max(axis=0) / 127
        self.count += 1
        name = f"w_{self.count}"
        self.weights.append(numpy_helper.from_array(np.rint(matrix / scale).astype(np.int8), name))
        name = self.op("Gather", name, rows, axis=0) if rows else name
        return self.op("Mul", self.op("Cast", name, to=TensorProto.FLOAT), self.weight(scale.astype(np.float32)))

    def linear(self, x, matrix, bias, narrow=False):
        matrix = self.narrow(matrix.T) if narrow else self.weight(matrix.T)
        return self.op("Add", self.op("MatMul", x, matrix), self.weight(bias))

    def gelu(self, x):
        bent = self.op("Add", self.op("Erf", self.op("Mul", x, self.weight(np.float32(2**-0.5)))), self.weight(np.float32(1)))
        return self.op("Mul", self.op("Mul", x, bent), self.weight(np.float32(0.5)))

    def norm(self, x, scale, bias):
        return self.op("LayerNormalization", x, self.weight(scale), self.weight(bias), axis=-1, epsilon=1e-12)

    def saved(self, inputs, path):
        axes = ["batch", "time"]
        graph = helper.make_graph(
            self.nodes + [helper.make_node("Identity", [self.nodes[-1].output[0]], ["logits"])], "classifier",
            [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in inputs],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="thrash")
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString(deterministic=True))
