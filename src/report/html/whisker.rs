//! Dot and whisker: a share with its interval, and the line that it should be beyond.

use maud::{Markup, html};

use super::section::Tone;
use super::svg::at;

/// A share from 0 to 100 % on a line as wide as its place, with its interval and its limit.
pub(super) struct Whisker {
    pub(super) value: Option<f64>,
    pub(super) interval: Option<[f64; 2]>,
    pub(super) limit: Option<f64>,
    pub(super) tone: Tone,
}

impl Whisker {
    /// The picture. Its numbers stand in words beside it. Heights are the style sheet's, by where it stands.
    pub(super) fn render(&self) -> Markup {
        let value = self.value.filter(|value| value.is_finite());
        let interval = self.interval.filter(|ends| ends.iter().all(|end| end.is_finite()));
        html! {
            svg class=[(self.tone != Tone::Plain).then(|| self.tone.class())] {
                @if let Some(limit) = self.limit.filter(|limit| limit.is_finite()) {
                    rect.limit x=(at(limit)) {}
                }
                @if let Some([lower, upper]) = interval {
                    rect x=(at(lower)) width=(at(upper - lower)) {}
                }
                @if let Some(value) = value { circle cx=(at(value)) {} }
            }
        }
    }
}

/// What the signs in the pictures mean.
pub(super) fn legend(limit: &str) -> Markup {
    html! {
        p.legend.whiskers aria-hidden="true" {
            span { svg { rect x="10%" width="80%" {} circle cx="50%" {} }
                "share and its 95 % interval, on a line from 0 to 100 %" }
            span { svg.thin { rect.limit x="50%" {} } (limit) }
        }
    }
}
