//! A message in the words of Discord: <https://discord.com/developers/docs/resources/webhook#execute-webhook>.

use serde_json::{Value, json};

use super::message::{joined, shortened};
use super::{Event, Message, Severity};

/// What Discord takes: <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>.
const LONGEST_TITLE: usize = 256;
const LONGEST_DESCRIPTION: usize = 4096;

pub(super) fn body(message: &Message) -> Value {
    let color = match (message.event, message.severity) {
        (Event::Test, _) => 0x0060_7d8b,
        (Event::Well, _) => 0x002e_7d32,
        (_, Severity::Critical) => 0x00c6_2828,
        (_, Severity::Warning) => 0x00f9_a825,
    };
    let lines = message.lines();
    let mut embed = json!({
        // A sign may take three.
        "title": escaped(&shortened(&message.title, LONGEST_TITLE / 3)),
        "description": joined(lines.iter().map(|line| escaped(line)), LONGEST_DESCRIPTION),
        "color": color,
        "timestamp": message.at.to_rfc3339(),
    });
    if let Some(link) = &message.link {
        embed["url"] = json!(link);
    }
    // Nobody is called by a name that a suite or a target happens to have.
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

/// The text with nothing that Discord would take for anything but text.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '(' | ')' | '#' | '@' | ':'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
        // `@` with nothing behind it calls nobody, whatever else is believed of it.
        if c == '@' {
            escaped.push('\u{200b}');
        }
    }
    escaped
}
