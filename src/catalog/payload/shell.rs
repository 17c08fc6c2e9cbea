//! A command line taken apart well enough to find the programs in it. What cannot be told for sure is looked at rather than left out.

/// One simple command of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub words: Vec<String>,
    /// The operator after it.
    pub ends_with: Option<char>,
}

/// Cuts the line at its operators. Substitutions are cut out as well, also of text in double quotes, since the shell runs them there.
pub fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut start, mut quote) = (0, None);
    let mut characters = line.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        match (quote, character) {
            (Some('\''), '\'') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                characters.next();
            }
            (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, ';' | '|' | '&' | '\n' | '(' | ')') | (_, '`') => {
                push(&mut pieces, &line[start..index], Some(character));
                start = index + character.len_utf8();
            }
            (Some('"'), '$') if characters.peek().is_some_and(|(_, next)| *next == '(') => {
                push(&mut pieces, &line[start..index], Some('('));
                start = index + "$(".len();
                characters.next();
                // What follows is a command line again, and its closing quote ends nothing.
                quote = None;
            }
            _ => {}
        }
    }
    push(&mut pieces, &line[start..], None);
    pieces
}

fn push(pieces: &mut Vec<Piece>, text: &str, ends_with: Option<char>) {
    let loose = || {
        let words = text.split_whitespace();
        words
            .map(|word| word.trim_matches(['"', '\'']).to_string())
            .filter(|word| !word.is_empty())
            .collect()
    };
    let words: Vec<String> = shlex::split(text).unwrap_or_else(loose);
    match pieces.last_mut() {
        // `||` and `&&` are no pipes.
        Some(before) if words.is_empty() => before.ends_with = ends_with.filter(|c| *c == '('),
        _ => pieces.push(Piece { words, ends_with }),
    }
}

/// Words that stand before the program that is meant.
const BEFORE: [&str; 19] = [
    "sudo", "env", "exec", "command", "nohup", "time", "then", "do", "else", "elif", "if", "while",
    "until", "!", "{", "nice", "$", "cmd", "/c",
];

/// Returns the program without its folder and ending, and its arguments; without what only stands before it, such as `sudo` and `A=b`.
pub fn program(words: &[String]) -> (&str, &[String]) {
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let assigns = word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        });
        let name = base(word);
        if name == "timeout" {
            let duration = |word: &&String| word.starts_with('-') || word.starts_with(digit);
            rest = &after[after.iter().take_while(duration).count()..];
        } else if assigns || BEFORE.contains(&name.to_ascii_lowercase().as_str()) || word == "/C" {
            rest = after;
        } else {
            return (name, after);
        }
    }
    ("", &[])
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn base(word: &str) -> &str {
    if word == "/c" || word == "/C" {
        return "/c";
    }
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    [".cmd", ".exe", ".bat"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

/// Returns the line that a shell is given to run, as in `bash -lc "line"`.
pub fn script<'a>(program: &str, arguments: &'a [String]) -> Option<&'a str> {
    let shell = matches!(
        program,
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "fish" | "eval" | "powershell" | "pwsh"
    );
    let option = |word: &String| {
        let letters = word.strip_prefix('-').unwrap_or_default();
        letters.ends_with('c') && !letters.starts_with('-') || word.eq_ignore_ascii_case("-command")
    };
    match program {
        "eval" => arguments.first().map(String::as_str),
        _ if shell => {
            let at = arguments.iter().position(option)?;
            arguments.get(at + 1).map(String::as_str)
        }
        _ => None,
    }
}

/// Says whether the program executes what it is piped.
pub fn interprets(program: &str, arguments: &[String]) -> bool {
    match program {
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "fish" | "iex" => true,
        "python" | "python3" | "node" | "perl" | "ruby" | "php" | "deno" | "bun" => arguments
            .first()
            .is_none_or(|first| matches!(first.as_str(), "-" | "-s")),
        _ => false,
    }
}
