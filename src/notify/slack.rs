//! A message in the words of Slack: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use serde_json::{Value, json};

use super::Message;
use super::message::joined;

/// Slack asks for no more, and cuts a text that is ten times as long.
const LONGEST: usize = 4000;

pub(super) fn body(message: &Message) -> Value {
    let mut lines = vec![message.title.clone()];
    lines.extend(message.link.clone());
    lines.extend(message.lines());
    let text = joined(lines.iter().map(|line| escaped(line)), LONGEST);
    json!({"text": text, "mrkdwn": false, "link_names": false, "unfurl_links": false})
}

/// The three signs that mean something in a text, in calls like `<!channel>` and `<@U123>` among others.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
