//! Which provider ran which node of a model's graph, and which of them fell back.
//!
//! ONNX Runtime gives the processor what no kernel on the card can do, without a word, and also the few numbers that are
//! computed about shapes, because copying them costs more than they do (`fallback_cpu_capability.cc` in
//! github.com/microsoft/onnxruntime). The first is a falling back, the second is not; a profile shows which is which.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Nodes of the model's graph that ran, by the provider that ran them; empty where the engine has but one.
pub type Placement = BTreeMap<String, u64>;

/// A node that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Its name in the graph.
    pub(super) name: String,
    /// What it computes, such as `MatMul`.
    pub(super) operator: String,
    /// Who computed it.
    pub(super) provider: String,
    /// Whether it saw no more than numbers about shapes, each time it ran.
    pub(super) is_about_shapes: bool,
}

/// How a model's nodes were placed beside what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Placed {
    /// How many nodes ran where they should, copies between devices apart.
    pub(super) there: usize,
    /// Those elsewhere that are about shapes, by operator: allowed.
    pub(super) about_shapes: BTreeMap<String, u64>,
    /// Those elsewhere that compute on texts, as messages name them.
    pub(super) fell_back: Vec<String>,
}

impl Placed {
    /// Holds the nodes against the provider that should have run them.
    pub(super) fn of(nodes: &[Node], wanted: &str) -> Self {
        let mut placed = Self::default();
        for node in nodes {
            if node.operator.starts_with("Memcpy") {
                // To and from the card: it computes nothing.
            } else if node.provider == wanted {
                placed.there += 1;
            } else if node.is_about_shapes {
                *placed.about_shapes.entry(node.operator.clone()).or_default() += 1;
            } else {
                placed.fell_back.push(format!("{} `{}` on {}", node.operator, node.name, node.provider));
            }
        }
        placed
    }
}

/// How many nodes each provider ran.
pub(super) fn counts(nodes: &[Node]) -> Placement {
    let mut counts = Placement::new();
    for node in nodes {
        *counts.entry(node.provider.clone()).or_default() += 1;
    }
    counts
}

/// The nodes in a profile of ONNX Runtime, each once, in the order of their first run.
pub(super) fn nodes(profile: &str) -> serde_json::Result<Vec<Node>> {
    let events: Vec<Event> = serde_json::from_str(profile)?;
    let mut nodes: Vec<Node> = Vec::new();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for Event { name, args } in events {
        let Some(provider) = args.provider.filter(|provider| !provider.is_empty()) else { continue };
        let name = name.strip_suffix("_kernel_time").unwrap_or(&name).to_owned();
        let operator = args.op_name.unwrap_or_default();
        let is_about_shapes = is_about_shapes(&operator, &args.input_type_shape, &args.output_type_shape);
        let at = *seen.entry((name.clone(), provider.clone())).or_insert(nodes.len());
        match nodes.get_mut(at) {
            Some(node) => node.is_about_shapes &= is_about_shapes,
            None => nodes.push(Node { name, operator, provider, is_about_shapes }),
        }
    }
    Ok(nodes)
}

/// An entry of a profile; those of nodes name a provider.
#[derive(Deserialize)]
struct Event {
    name: String,
    #[serde(default)]
    args: Arguments,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Arguments {
    provider: Option<String>,
    op_name: Option<String>,
    input_type_shape: Vec<Tensor>,
    output_type_shape: Vec<Tensor>,
}

/// Its shape, by the type of its elements.
type Tensor = BTreeMap<String, Vec<i64>>;

/// Whether a node reads and makes nothing but numbers about shapes: whole ones in a row, or a single one of another kind,
/// such as the root of a width. What is made of texts has an axis for the batch, of two or more.
fn is_about_shapes(operator: &str, inputs: &[Tensor], outputs: &[Tensor]) -> bool {
    let is_small = |tensor: &Tensor| {
        let is_small = |(kind, shape): (&String, &Vec<i64>)| match kind.as_str() {
            "int64" | "int32" | "bool" => shape.len() <= 1,
            _ => shape.iter().all(|size| *size == 1),
        };
        !tensor.is_empty() && tensor.iter().all(is_small)
    };
    // These read no element of what they are given.
    let reads_elements = !matches!(operator, "Shape" | "Size");
    let inputs = if reads_elements { inputs } else { &[] };
    !outputs.is_empty() && inputs.iter().chain(outputs).all(is_small)
}

#[cfg(test)]
mod tests {
    use super::{Placed, counts, nodes};

    const CUDA: &str = "CUDAExecutionProvider";

    /// An entry as ONNX Runtime 1.31 writes it, less what is not read.
    fn event(operator: &str, name: &str, provider: &str, inputs: &str, outputs: &str) -> String {
        format!(
            r#"{{"cat": "Node", "pid": 1, "dur": 9, "ph": "X", "name": "{name}_kernel_time", "args": {{"provider": "{provider}",
            "op_name": "{operator}", "input_type_shape": [{inputs}], "output_type_shape": [{outputs}], "node_index": "3"}}}}"#
        )
    }

    fn placed(events: &[String]) -> Placed {
        let session = r#"{"cat": "Session", "name": "model_loading_uri", "args": {}}"#;
        let profile = format!("[{session}, {}]", events.join(","));
        Placed::of(&nodes(&profile).expect("a profile"), CUDA)
    }

    fn on_card() -> Vec<String> {
        vec![
            event("MemcpyFromHost", "Memcpy", CUDA, r#"{"int64":[2,4]}"#, r#"{"int64":[2,4]}"#),
            event("Gather", "words", CUDA, r#"{"float":[71,8]},{"int64":[2,4]}"#, r#"{"float":[2,4,8]}"#),
            event("MatMul", "head", CUDA, r#"{"float":[2,8]}"#, r#"{"float":[2,5]}"#),
        ]
    }

    #[test]
    fn what_is_computed_about_shapes_may_stay_on_the_processor_and_is_listed() {
        let host = "CPUExecutionProvider";
        let shapes = [
            event("Shape", "s", host, r#"{"int64":[2,4]}"#, r#"{"int64":[2]}"#),
            event("Gather", "g", host, r#"{"int64":[2]},{"int64":[]}"#, r#"{"int64":[]}"#),
            event("Unsqueeze", "u", host, r#"{"int64":[]},{"int64":[1]}"#, r#"{"int64":[1]}"#),
            event("Range", "r", host, r#"{"int64":[]},{"int64":[]},{"int64":[]}"#, r#"{"int64":[400]}"#),
            event("Sqrt", "q", host, r#"{"float":[1]}"#, r#"{"float":[1]}"#),
            event("Cast", "c", host, r#"{"int64":[]}"#, r#"{"float":[]}"#),
        ];
        let placed = placed(&[&on_card()[..], &shapes].concat());
        assert_eq!((placed.there, placed.fell_back), (2, vec![]));
        assert_eq!(placed.about_shapes.values().sum::<u64>(), 6);
        assert_eq!(placed.about_shapes["Gather"], 1);
    }

    #[test]
    fn whatever_computes_on_texts_and_ran_elsewhere_fell_back() {
        let host = "CPUExecutionProvider";
        for (operator, inputs, outputs) in [
            ("MatMul", r#"{"float":[2,8]},{"float":[8,5]}"#, r#"{"float":[2,5]}"#),
            ("Gemm", r#"{"float":[2,8]},{"float":[1]}"#, r#"{"float":[2,1]}"#),
            ("Conv", r#"{"float":[2,8,16]}"#, r#"{"float":[2,8,16]}"#),
            ("LayerNormalization", r#"{"float16":[2,4,8]}"#, r#"{"float16":[2,4,8]}"#),
            ("Gather", r#"{"float":[71,8]},{"int64":[2,4]}"#, r#"{"float":[2,4,8]}"#),
            ("Cast", r#"{"int64":[2,4]}"#, r#"{"float":[2,4]}"#),
            // Whole numbers, but of the texts.
            ("Mod", r#"{"int64":[2,4]},{"int64":[]}"#, r#"{"int64":[2,4]}"#),
            // A row of numbers with a point is no shape.
            ("ReduceMean", r#"{"float":[2,8]}"#, r#"{"float":[2]}"#),
            ("Shape", r#"{"int64":[2,4]}"#, ""),
            ("Unknown", "", ""),
        ] {
            let one = event(operator, "one", host, inputs, outputs);
            let placed = placed(&[&on_card()[..], &[one]].concat());
            assert_eq!(placed.fell_back, [format!("{operator} `one` on {host}")]);
        }
    }

    #[test]
    fn a_node_is_judged_by_the_largest_that_it_ever_saw() {
        let host = "CPUExecutionProvider";
        // Of one text and one label this is as small as a number about shapes.
        let alone = event("Sigmoid", "score", host, r#"{"float":[1,1]}"#, r#"{"float":[1,1]}"#);
        let together = event("Sigmoid", "score", host, r#"{"float":[2,1]}"#, r#"{"float":[2,1]}"#);
        for events in [[alone.clone(), together.clone()], [together, alone]] {
            assert_eq!(placed(&events).fell_back.len(), 1);
        }
    }

    #[test]
    fn copies_alone_are_no_work_of_the_card() {
        let host = "CPUExecutionProvider";
        let head = event("MatMul", "head", host, r#"{"float":[2,8]}"#, r#"{"float":[2,5]}"#);
        let placed = placed(&[on_card()[0].clone(), head]);
        assert_eq!((placed.there, placed.fell_back.len()), (0, 1));
    }

    #[test]
    fn nodes_are_counted_once_by_provider() {
        let events = [on_card(), on_card()].concat();
        let nodes = nodes(&format!("[{}]", events.join(","))).expect("a profile");
        assert_eq!(counts(&nodes).into_iter().collect::<Vec<_>>(), [(CUDA.to_owned(), 3)]);
    }
}
