//! Both loads: what was sent, and what came back of it.

use crate::domain::LoadComparison;

use super::super::super::loads;
use super::super::columns::{
    self,
    Side::{Left, Right},
};
use super::super::page::{Line, Page, Tone};

pub(super) fn show(page: &mut Page, both: Option<&LoadComparison>) {
    let Some(both) = both else { return };
    let mut rows = vec![loads::HEAD.map(str::to_owned).to_vec()];
    rows.extend(loads::rows(both).into_iter().map(|row| row.to_vec()));
    let mut lines = columns::lines(&rows, &[Left, Right, Right]).into_iter();
    page.blank();
    page.line(columns::titled("Load", &lines.next().unwrap_or_default(), 4));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
}
