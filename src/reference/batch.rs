//! Rows of like length go together, so that little is padding.

use super::engine::Batch;
use super::tokens::Row;

/// Which rows go together, shortest first: at most `size` each.
pub(super) fn by_length(rows: &[Row], size: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&index| rows[index].ids.len());
    order.chunks(size.max(1)).map(<[usize]>::to_vec).collect()
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
