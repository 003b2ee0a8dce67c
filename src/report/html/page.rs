//! The page around the sections: one file, no network, nothing that runs but its own script.

use std::fmt::Write as _;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::section::{Section, Tone};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A whole page.
pub(super) struct Page {
    /// What the browser's tab says.
    pub(super) title: String,
    /// How it came out.
    pub(super) tone: Tone,
    /// What stands above all sections.
    pub(super) header: Markup,
    /// The sections, in their order.
    pub(super) sections: Vec<Section>,
    /// What the script builds rows of, as JSON; without it there is no script.
    pub(super) data: Option<String>,
}

impl Page {
    pub(super) fn render(&self) -> Vec<u8> {
        let script = self.data.as_ref().map(|_| dense(SCRIPT));
        let style = dense_style();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy(&style, script.as_deref()));
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    meta name="robots" content="noindex";
                    title { (self.title) }
                    style { (PreEscaped(&style)) }
                }
                body.(self.tone.class()) {
                    a.skip href="#main" { "Skip to the findings" }
                    header { (self.header) }
                    nav aria-label="Sections" { ul {
                        @for section in &self.sections {
                            li { a href={ "#" (section.id) } { (section.title) } }
                        }
                    } }
                    main #main tabindex="-1" {
                        @for section in &self.sections { (section.render()) }
                    }
                    @if let Some(data) = &self.data {
                        script #data type="application/octet-stream" { (PreEscaped(packed(data))) }
                    }
                    @if let Some(script) = &script { script { (PreEscaped(script)) } }
                }
            }
        };
        without_end_tags(page.into_string()).into_bytes()
    }
}

/// A page without the end tags that HTML lets out (HTML, §13.1.2.4): a twentieth of it.
///
/// Every text in it is escaped, and its script holds no markup: what looks like a tag is one.
fn without_end_tags(mut page: String) -> String {
    for tag in ["</td>", "</th>", "</tr>", "</li>", "</option>", "</dt>", "</dd>"] {
        page = page.replace(tag, "");
    }
    page
}

/// A source without its indents, which are for its reader here.
fn dense(source: &str) -> String {
    let lines = source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The style sheet without the blanks around its signs. None of them stands so within a string there.
fn dense_style() -> String {
    let mut style = dense(STYLE).replace('\n', "");
    for (wide, narrow) in [
        (" { ", "{"),
        (" {", "{"),
        ("{ ", "{"),
        ("; }", "}"),
        (" }", "}"),
        ("; ", ";"),
        (": ", ":"),
        (", ", ","),
    ] {
        style = style.replace(wide, narrow);
    }
    style
}

/// Nothing may be fetched, and nothing run or styled but what stands in the page, byte for byte.
fn policy(style: &str, script: Option<&str>) -> String {
    let mut policy = format!("default-src 'none'; style-src {}", hash(style));
    match script {
        Some(script) => {
            let _ = write!(policy, "; script-src {}", hash(script));
        }
        None => policy.push_str("; script-src 'none'"),
    }
    policy.push_str("; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'");
    policy
}

/// The source expression of a text (CSP Level 3, §2.3.1).
fn hash(source: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(source.as_bytes())))
}

/// The data as base64 of its zlib stream (RFC 1950): a third of its size, and nothing in it can end its element.
fn packed(data: &str) -> String {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    // Memory takes every byte.
    let _ = packer.write_all(data.as_bytes());
    STANDARD.encode(packer.finish().unwrap_or_default())
}
