//! Rows in columns, without lines around them.

use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use super::super::fit;
use super::page::{Line, Tone};

/// On which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Columns stand so far apart.
pub(super) const GAP: usize = 2;

/// The rows as lines, one each; `sides` has an entry a column.
pub(super) fn lines(rows: &[Vec<String>], sides: &[Side]) -> Vec<String> {
    if rows.is_empty() || sides.is_empty() {
        return Vec::new();
    }
    // A cell of two lines would make two lines of its row.
    let rows = rows.iter().map(|row| row.iter().map(|cell| fit::clean(cell)));
    let mut table = rows.collect::<Builder>().build();
    table.with(Style::empty()).with(Padding::new(0, GAP, 0, 0));
    for (column, side) in sides.iter().enumerate() {
        let alignment = match side {
            Side::Left => Alignment::left(),
            Side::Right => Alignment::right(),
        };
        table.modify(Columns::one(column), alignment);
    }
    table.to_string().lines().map(str::to_owned).collect()
}

/// The columns that a column of these cells takes.
pub(super) fn width_of<'a>(cells: impl IntoIterator<Item = &'a str>) -> usize {
    cells.into_iter().map(console::measure_text_width).max().unwrap_or(0)
}

/// The lines of the first layout that leaves its first column room for its cells, or for `least` columns of them;
/// else the last layout's. Cells of the first column are cut to the room that there is.
pub(super) fn fitting(
    layouts: impl IntoIterator<Item = Vec<Vec<String>>>,
    sides: &[Side],
    width: usize,
    least: usize,
) -> Vec<String> {
    let mut layouts = layouts.into_iter().peekable();
    while let Some(mut rows) = layouts.next() {
        let room = room(&rows, width);
        let wanted = width_of(rows.iter().filter_map(|row| row.first()).map(String::as_str)).min(least);
        if room >= wanted || layouts.peek().is_none() {
            for cell in rows.iter_mut().filter_map(|row| row.first_mut()) {
                *cell = fit::cut(&fit::clean(cell), room.max(wanted));
            }
            return lines(&rows, sides);
        }
    }
    Vec::new()
}

/// What the other columns leave to the first one, in rows of at most `width` columns.
pub(super) fn room(rows: &[Vec<String>], width: usize) -> usize {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(String::as_str);
    width.saturating_sub((1..columns).map(|column| GAP + width_of(cells(column))).sum())
}

/// A table's header with the section's title where its empty first cell and the rows' indent are.
pub(super) fn titled(title: &str, header: &str, indent: usize) -> Line {
    let header = format!("{}{header}", " ".repeat(indent));
    let line = Line::of(Tone::Strong, title);
    match header.split_at_checked(title.len()) {
        Some((blank, rest)) if blank.trim().is_empty() && rest.starts_with("  ") => {
            line.with(Tone::Dim, rest)
        }
        _ => line.with(Tone::Dim, format!("  {}", header.trim())),
    }
}
