//! Characters that a reviewer cannot see.

/// Says whether `c` is a control, bidirectional, tag or other character that a reviewer cannot see.
pub fn invisible(c: char) -> bool {
    matches!(c,
        '\u{00}'..='\u{08}' | '\u{0b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the first line, cut behind `length_max` characters.
pub fn first_line(text: &str, length_max: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(length_max) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line.to_string(),
    }
}

/// Returns the beginning of a text, at most so many bytes.
pub fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut ends = (0..=text.len().min(bytes_max)).rev();
    let end = ends.find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Returns the text on one line with what cannot be seen written out, so that no terminal acts on it.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' => shown.push(' '),
            c if invisible(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}
