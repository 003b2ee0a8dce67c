//! Charts: drawn here, coloured by the page's style sheet, with words for those who do not see them.
//!
//! Places are shares of the width and height in percent, so that a chart is as wide as there is room and its text stays
//! readable. What is drawn as a path lies in an inner picture that is stretched.

use std::fmt::Write;

use maud::{Markup, html};

/// A place in percent, as an attribute has it. What is no number stands at the start.
pub(super) fn at(share: f64) -> String {
    format!("{}%", short(share))
}

/// A share in hundredths with two digits at most, within the picture.
fn short(share: f64) -> String {
    let percent = if share.is_finite() { share.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    let text = format!("{percent:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count as a number to draw with.
#[expect(clippy::cast_precision_loss, reason = "counts of a run are small")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// A count over a whole; of nothing it is none.
pub(super) fn ratio(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { number(count) / number(of) }
}

/// The inner picture is so many units wide and high.
const UNITS: f64 = 1000.0;

/// A path through points, each from 0 to 1 with y upwards, in whole units and by steps from one to the next: curves of
/// hundreds of points are the longest thing that a chart holds.
pub(super) fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let units = |share: f64| whole(share.clamp(0.0, 1.0) * UNITS);
    let points = points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite());
    let mut points = points.map(|(x, y)| (units(x), units(1.0 - y)));
    let Some(mut last) = points.next() else { return String::new() };
    let mut path = format!("M{} {}", last.0, last.1);
    for (x, y) in points {
        let _ = match (x - last.0, y - last.1) {
            (0, 0) => Ok(()),
            (right, 0) => write!(path, "h{right}"),
            (0, down) => write!(path, "v{down}"),
            (right, down) => write!(path, "l{right} {down}"),
        };
        last = (x, y);
    }
    path
}

#[expect(clippy::cast_possible_truncation, reason = "from 0 to 1000")]
fn whole(units: f64) -> i32 {
    units.round() as i32
}

/// A path in the stretched inner picture.
pub(super) fn line(class: &str, path: &str) -> Markup {
    html! { path class=(class) d=(path) vector-effect="non-scaling-stroke" {} }
}

/// A place on an axis, from 0 to 1, with what is written there.
pub(super) type Tick = (f64, String);

/// A chart with axes.
pub(super) struct Plot<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    /// What it shows and says, in a sentence.
    pub(super) title: String,
    /// In pixels.
    pub(super) height: u32,
    /// What is written below.
    pub(super) x: Vec<Tick>,
    /// What is written on the left.
    pub(super) y: Vec<Tick>,
    /// Drawn in an inner picture that is stretched: paths.
    pub(super) stretched: Markup,
    /// Drawn over it in percent: dots, bars, words.
    pub(super) over: Markup,
    /// What the axes mean: below, on the left.
    pub(super) axes: [&'static str; 2],
}

impl Plot<'_> {
    pub(super) fn render(&self) -> Markup {
        let title = format!("{}-chart", self.id);
        html! {
            div.plot {
                p.axis aria-hidden="true" { (self.axes[1]) }
                svg width="100%" height=(self.height) role="img" aria-labelledby=(title) {
                    title id=(title) { (self.title) }
                    g {
                        @for (y, text) in &self.y { text.y x="-8" y=(at(1.0 - y)) dy="4" { (text) } }
                        @for (index, (x, text)) in self.x.iter().enumerate() {
                            @let end = if index == 0 && *x < 0.02 { "first" } else if *x > 0.98 { "last" } else { "x" };
                            text.(end) x=(at(*x)) y="100%" dy="18" { (text) }
                        }
                    }
                    svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%" {
                        (line("ticks", &self.y.iter().map(|(y, _)| path([(0.0, *y), (1.0, *y)])).collect::<String>()))
                        (self.stretched)
                    }
                    (self.over)
                }
                p.axis.below aria-hidden="true" { (self.axes[0]) }
            }
        }
    }
}

/// Shares at the quarters of an axis.
pub(super) fn quarters() -> Vec<Tick> {
    [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, format!("{:.0} %", share * 100.0))).to_vec()
}
