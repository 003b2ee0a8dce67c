//! An HTML page read as a browser reads it.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A page, parsed.
pub(crate) struct Html {
    /// What the parser complained of.
    pub(crate) errors: Vec<String>,
    elements: Vec<Element>,
}

/// An element of a page, in document order.
#[derive(Clone)]
pub(crate) struct Element {
    pub(crate) tag: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// All text in it.
    pub(crate) text: String,
}

impl Html {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("the page is UTF-8");
        let tokenizer = TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() };
        let options = ParseOpts { tokenizer, ..ParseOpts::default() };
        let dom = parse_document(RcDom::default(), options).one(text);
        let mut elements = Vec::new();
        collect(&dom.document, &mut elements);
        Self { errors: dom.errors.borrow().iter().map(ToString::to_string).collect(), elements }
    }

    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Every element of a kind.
    pub(crate) fn all<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.tag == tag)
    }

    /// The element with this id.
    #[track_caller]
    pub(crate) fn id(&self, id: &str) -> &Element {
        let found = self.elements.iter().find(|element| element.attribute("id") == Some(id));
        found.unwrap_or_else(|| panic!("no element #{id}"))
    }

    /// The script that runs; the other one is data.
    pub(crate) fn script(&self) -> Option<&Element> {
        self.all("script").find(|script| script.attribute("type").is_none())
    }

    /// What the script builds rows of.
    pub(crate) fn data(&self) -> Value {
        let packed = STANDARD.decode(&self.id("data").text).expect("base64");
        let mut json = String::new();
        ZlibDecoder::new(packed.as_slice()).read_to_string(&mut json).expect("a zlib stream of text");
        serde_json::from_str(&json).expect("JSON")
    }

    /// The page's policy as directives.
    pub(crate) fn policy(&self) -> Vec<Vec<String>> {
        let of = |element: &&Element| element.attribute("http-equiv") == Some("Content-Security-Policy");
        let meta = self.all("meta").find(of).expect("a policy");
        let directives = meta.attribute("content").expect("its text").split(';');
        directives.map(|words| words.split_whitespace().map(str::to_owned).collect()).collect()
    }
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text as a policy's hash.
    pub(crate) fn hash(&self) -> String {
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(self.text.as_bytes())))
    }
}

fn collect(node: &Handle, elements: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow();
        let attributes = attributes.iter().map(|one| (one.name.local.to_string(), one.value.to_string()));
        let mut text = String::new();
        gather(node, &mut text);
        elements.push(Element { tag: name.local.to_string(), attributes: attributes.collect(), text });
    }
    for child in node.children.borrow().iter() {
        collect(child, elements);
    }
}

fn gather(node: &Handle, text: &mut String) {
    if let NodeData::Text { contents } = &node.data {
        text.push_str(&contents.borrow());
    }
    for child in node.children.borrow().iter() {
        gather(child, text);
    }
}
