//! What people write beside something, in a line.

/// The text without the blanks around it, if it is one line of at most so many characters.
///
/// # Errors
/// What is wrong with it; nothing of it is repeated.
pub fn one_line(text: &str, most: usize) -> Result<&str, String> {
    // What breaks a line, and what turns the direction in which the rest is read.
    let breaks = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        return Err("it is empty".to_owned());
    }
    if length > most {
        return Err(format!("it has {length} characters, and at most {most} can be kept"));
    }
    if text.contains(breaks) {
        return Err("it holds a line break or another control character".to_owned());
    }
    Ok(text)
}
