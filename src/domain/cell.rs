//! A cell of a table that somebody may open in a spreadsheet or print to a terminal.

/// The words of somebody else as a cell that nothing runs (OWASP, "CSV Injection"): `'` before what a spreadsheet takes for a
/// formula, signs of East Asian width included, and U+FFFD for the control characters that a terminal would obey.
pub fn harmless_cell(words: &str) -> String {
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let runs = words.trim_start().starts_with(formula) || words.starts_with(['\t', '\r', '\n']);
    let is_obeyed = |c: char| c.is_control() && !['\t', '\r', '\n'].contains(&c);
    let words = words.replace(is_obeyed, "\u{fffd}");
    if runs { format!("'{words}") } else { words }
}
