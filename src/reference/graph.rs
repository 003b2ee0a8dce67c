//! What an ONNX file tells before an engine has it: whether it computes in eight bits, and where else its weights are.
//!
//! The file is protobuf (`onnx.proto3` in github.com/onnx/onnx). Only what is asked for is read; the rest is passed over,
//! so that weights never come into memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Error, ErrorKind, Read, Result, Seek, SeekFrom};

use super::engine::Weights;

/// Graphs lie within nodes of graphs (`If`, `Loop`), never so deep.
const DEEPEST: usize = 64;

/// Longer names are none.
const LONGEST: u64 = 4096;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Graph {
    /// In eight bits or fewer. Mostly scaled by the range of the whole batch: batch mates and engines change answers.
    pub(super) is_quantized: bool,
    /// Files with weights, as paths from the model's own folder.
    pub(super) beside: BTreeSet<String>,
}

impl Graph {
    /// Looks through the file.
    ///
    /// # Errors
    /// It cannot be read, or is no ONNX.
    pub(super) fn scan(weights: Weights<'_>) -> Result<Self> {
        match weights {
            Weights::File(path) => scan(File::open(path)?),
            Weights::Inside(bytes) => scan(Cursor::new(bytes)),
        }
    }
}

fn scan(mut file: impl Read + Seek) -> Result<Graph> {
    let end = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut scan = Scan { file: BufReader::new(file), at: 0, seen: Graph::default() };
    scan.message(Kind::Model, end, 0)?;
    Ok(scan.seen)
}

/// The messages on the way to what is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    Tensor,
    /// A key and its value, of where a tensor's numbers are.
    Entry,
}

impl Kind {
    /// The message that a field holds.
    const fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) => Self::Attribute,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Tensor, 13) => Self::Entry,
            _ => return None,
        })
    }
}

struct Scan<R> {
    file: BufReader<R>,
    at: u64,
    seen: Graph,
}

impl<R: Read + Seek> Scan<R> {
    fn message(&mut self, kind: Kind, end: u64, depth: usize) -> Result<()> {
        let mut is_location = false;
        while self.at < end {
            let tag = self.number()?;
            let length = match tag & 7 {
                0 => {
                    self.number()?;
                    continue;
                }
                1 => 8,
                2 => self.number()?,
                5 => 4,
                _ => return Err(broken()),
            };
            if self.at > end || length > end - self.at {
                return Err(broken());
            }
            match (kind, tag >> 3) {
                (Kind::Node, 4) => self.seen.is_quantized |= is_narrow(&self.text(length)?),
                (Kind::Entry, 1) => is_location = self.text(length)? == "location",
                (Kind::Entry, 2) if is_location => {
                    let file = self.text(length)?;
                    self.seen.beside.insert(file);
                }
                (_, field) => match kind.field(field) {
                    Some(_) if depth == DEEPEST => return Err(broken()),
                    Some(inner) => self.message(inner, self.at + length, depth + 1)?,
                    None => {
                        self.file.seek_relative(i64::try_from(length).map_err(|_| broken())?)?;
                        self.at += length;
                    }
                },
            }
        }
        if self.at == end { Ok(()) } else { Err(broken()) }
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.file.read_exact(&mut byte)?;
            self.at += 1;
            number |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(number);
            }
        }
        Err(broken())
    }

    fn text(&mut self, length: u64) -> Result<String> {
        if length > LONGEST {
            return Err(broken());
        }
        let mut text = String::new();
        (&mut self.file).take(length).read_to_string(&mut text)?;
        self.at += length;
        Ok(text)
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::InvalidData, "it is no ONNX model")
}

/// Whether an operator computes in eight bits or fewer, or unpacks such weights: `DynamicQuantizeLinear`,
/// `MatMulInteger`, `QLinearMatMul`, `QAttention`, `DequantizeLinear`, `MatMulNBits`.
fn is_narrow(operator: &str) -> bool {
    ["Quantize", "quantize", "Integer"].iter().any(|part| operator.contains(part))
        || ["QLinear", "QOrdered", "QAttention", "QGemm", "QEmbed", "QMoE"]
            .iter()
            .any(|start| operator.starts_with(start))
        || operator == "MatMulNBits"
}

#[cfg(test)]
mod tests {
    use super::is_narrow;

    #[test]
    fn only_operators_in_eight_bits_are_narrow() {
        for operator in [
            "DynamicQuantizeLinear",
            "DequantizeLinear",
            "MatMulInteger",
            "QLinearMatMul",
            "QAttention",
            "MatMulNBits",
        ] {
            assert!(is_narrow(operator), "{operator}");
        }
        for operator in ["QuickGelu", "MatMul", "Gelu", "LayerNormalization", "Cast"] {
            assert!(!is_narrow(operator), "{operator}");
        }
    }
}
