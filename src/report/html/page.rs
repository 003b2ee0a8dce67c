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

/// A served page tells its own service alone where somebody comes from: without that a browser calls the origin of its
/// forms `null`.
pub(crate) const REFERRER: &str = "same-origin";

/// A whole page.
#[derive(Debug)]
pub(crate) struct Page {
    /// What the browser's tab says.
    pub(crate) title: String,
    /// How it came out.
    pub(crate) tone: Tone,
    /// What stands above all sections.
    pub(crate) header: Markup,
    /// The sections, in their order.
    pub(crate) sections: Vec<Section>,
    /// What the script builds rows of, as JSON; without it there is no script.
    pub(crate) data: Option<String>,
    /// What a service puts around it; none for a file.
    pub(crate) frame: Option<Frame>,
}

/// What a service puts around a page that it serves.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Where else to go, above the header.
    pub(crate) top: Markup,
    /// Style for what a file has not.
    pub(crate) style: &'static str,
    /// The service's own script.
    pub(crate) script: Option<&'static str>,
}

impl Page {
    pub(crate) fn render(&self) -> Vec<u8> {
        self.render_with_policy().0
    }

    /// The page, and the policy that stands in it: a service says it in a header, too.
    pub(crate) fn render_with_policy(&self) -> (Vec<u8>, String) {
        let frame = self.frame.as_ref();
        let report = self.data.as_ref().map(|_| SCRIPT);
        let scripts: Vec<String> =
            report.into_iter().chain(frame.and_then(|frame| frame.script)).map(dense).collect();
        let style = dense_style(STYLE) + &frame.map(|frame| dense_style(frame.style)).unwrap_or_default();
        let policy = policy(&style, &scripts, frame.is_some());
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content=(if frame.is_some() { REFERRER } else { "no-referrer" });
                    meta name="robots" content="noindex";
                    title { (self.title) }
                    style { (PreEscaped(&style)) }
                }
                body.(self.tone.class()) {
                    a.skip href="#main" { @if frame.is_none() { "Skip to the findings" } @else { "Skip to the content" } }
                    @if let Some(frame) = frame { (frame.top) }
                    header { (self.header) }
                    @if self.sections.len() > 1 {
                        nav aria-label="Sections" { ul {
                            @for section in &self.sections {
                                li { a href={ "#" (section.id) } { (section.title) } }
                            }
                        } }
                    }
                    main #main tabindex="-1" {
                        @for section in &self.sections { (section.render()) }
                    }
                    @if let Some(data) = &self.data {
                        script #data type="application/octet-stream" { (PreEscaped(packed(data))) }
                    }
                    @for script in &scripts { script { (PreEscaped(script)) } }
                }
            }
        };
        (without_end_tags(page.into_string()).into_bytes(), policy)
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

/// A style sheet without the blanks around its signs. None of them stands so within a string there.
fn dense_style(source: &str) -> String {
    let mut style = dense(source).replace('\n', "");
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

/// Nothing may be fetched, and nothing run or styled but what stands in the page, byte for byte. A page that is served
/// may talk to its own service.
fn policy(style: &str, scripts: &[String], is_served: bool) -> String {
    let mut policy = format!("default-src 'none'; style-src {}; script-src", hash(style));
    for script in scripts {
        let _ = write!(policy, " {}", hash(script));
    }
    if scripts.is_empty() {
        policy.push_str(" 'none'");
    }
    policy.push_str(if is_served {
        "; connect-src 'self'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"
    } else {
        "; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    });
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
