//! Numbers that agree with their nouns.

/// Returns the number with its noun: `1 plugin`, `2 plugins`.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
