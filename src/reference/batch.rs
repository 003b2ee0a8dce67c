//! Rows of like length go together, so that little is padding.

use super::engine::Batch;
use super::tokens::Row;

/// Which rows go together, shortest first: at most `size` each, padded to a multiple of `step`, and cut where that saves
/// most padding. A run by itself counts as much as a row of middling length, so that no batch is cut for less.
pub(super) fn by_length(rows: &[Row], size: usize, step: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&index| rows[index].ids.len());
    let padded = |row: usize| rows[row].ids.len().next_multiple_of(step.max(1));
    let run = order.get(order.len() / 2).map_or(0, |&middling| padded(middling));
    // The least that the first so many rows cost, and how many of them are in the last batch.
    let mut least = vec![(0, 0)];
    for (at, &longest) in order.iter().enumerate() {
        let length = padded(longest);
        let cost = |count: usize| (least[at + 1 - count].0 + run + count * length, count);
        least.extend((1..=size.clamp(1, at + 1)).map(cost).min());
    }
    let mut batches = Vec::new();
    while !order.is_empty() {
        let (_, count) = least[order.len()];
        batches.push(order.split_off(order.len() - count));
    }
    batches.reverse();
    batches
}

/// The rows in their order, `size` to a batch.
pub(super) fn as_they_come(rows: usize, size: usize) -> Vec<Vec<usize>> {
    let size = size.max(1);
    (0..rows).step_by(size).map(|start| (start..rows.min(start + size)).collect()).collect()
}

/// The rows side by side, padded to the longest, and that to a multiple of `step`.
pub(super) fn padded(rows: &[&Row], padding: i64, step: usize) -> Batch {
    let longest = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
    let length = longest.max(1).next_multiple_of(step.max(1));
    let mut batch = Batch { rows: rows.len(), length, ..Batch::default() };
    for row in rows {
        let fill = length - row.ids.len();
        batch.ids.extend(&row.ids);
        batch.ids.extend(std::iter::repeat_n(padding, fill));
        batch.mask.extend(std::iter::repeat_n(1, row.ids.len()));
        batch.mask.extend(std::iter::repeat_n(0, fill));
        batch.types.extend(&row.types);
        batch.types.extend(std::iter::repeat_n(0, length - row.types.len()));
    }
    batch
}
