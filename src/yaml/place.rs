//! Where a field stands in a text, and which place a complaint of ours names.

use serde_yaml::granit_parser::{Event, Parser, Span};

/// Returns the line and the column of the field at `path`, such as `steps[2].action.writes`, or of the nearest one around it.
pub fn place_of(text: &str, path: &str) -> (u32, u32) {
    let mut finder = Finder {
        events: Parser::new_from_str(text)
            .map_while(Result::ok)
            .filter(|(event, _)| !matches!(event, Event::Comment(..)))
            .collect::<Vec<_>>()
            .into_iter()
            .peekable(),
        wanted: parts(path),
        found: (1, 1),
    };
    while let Some((event, span)) = finder.events.next() {
        if matches!(
            event,
            Event::MappingStart(..) | Event::SequenceStart(..) | Event::Scalar(..)
        ) {
            finder.node(&event, &span, Some(0));
            break;
        }
    }
    finder.found
}

/// Returns the place that a complaint of ours names last: `.., at line 3 column 5`.
pub fn place_in(complaint: &str) -> Option<(u32, u32)> {
    let (_, rest) = complaint.rsplit_once("at line ")?;
    let mut words = rest.split_whitespace();
    let number = |word: &str| word.trim_end_matches([',', ':']).parse::<u32>().ok();
    let line = number(words.next()?)?;
    let column = match words.next() {
        Some("column") => words.next().and_then(number),
        _ => None,
    };
    Some((line, column.unwrap_or(1)))
}

enum Part {
    Key(String),
    Index(usize),
}

fn parts(path: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for word in path.split('.') {
        let (key, indices) = word.split_once('[').unwrap_or((word, ""));
        if !key.is_empty() {
            parts.push(Part::Key(key.to_string()));
        }
        let numbers = indices.split(['[', ']']);
        parts.extend(numbers.filter_map(|number| number.parse().ok().map(Part::Index)));
    }
    parts
}

type Events<'a> = std::iter::Peekable<std::vec::IntoIter<(Event<'a>, Span)>>;

struct Finder<'a> {
    events: Events<'a>,
    wanted: Vec<Part>,
    found: (u32, u32),
}

impl Finder<'_> {
    /// Passes one node; `depth` is how much of the path leads to it, where it is on the path.
    fn node(&mut self, event: &Event<'_>, span: &Span, depth: Option<usize>) {
        if depth == Some(0) {
            self.found = place(span);
        }
        match event {
            Event::SequenceStart(..) => self.sequence(depth),
            Event::MappingStart(..) => self.mapping(depth),
            _ => {}
        }
    }

    fn sequence(&mut self, depth: Option<usize>) {
        let mut index = 0;
        while let Some((event, span)) = self.events.next() {
            if matches!(event, Event::SequenceEnd) {
                return;
            }
            let on = depth.filter(
                |&depth| matches!(self.wanted.get(depth), Some(Part::Index(wanted)) if *wanted == index),
            );
            if on.is_some() {
                self.found = place(&span);
            }
            self.node(&event, &span, on.map(|depth| depth + 1));
            index += 1;
        }
    }

    fn mapping(&mut self, depth: Option<usize>) {
        while let Some((key, span)) = self.events.next() {
            let on = match &key {
                Event::MappingEnd => return,
                Event::Scalar(name, ..) => depth.filter(
                    |&depth| matches!(self.wanted.get(depth), Some(Part::Key(wanted)) if *wanted == *name),
                ),
                _ => None,
            };
            if on.is_some() {
                self.found = place(&span);
            }
            self.node(&key, &span, None);
            if let Some((value, span)) = self.events.next() {
                self.node(&value, &span, on.map(|depth| depth + 1));
            }
        }
    }
}

fn place(span: &Span) -> (u32, u32) {
    (span.start.line() as u32, span.start.col() as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "schema: 1\n# why\nsteps:\n# first\n- id: a\n  writes: [x, y]\n- id: b\n  action:\n    runner: z\n";

    #[test]
    fn a_field_is_found_or_what_is_around_it() {
        for (path, expected) in [
            ("steps[0].writes", (6, 3)),
            ("steps[0].writes[1]", (6, 15)),
            ("steps[1].action.runner", (9, 5)),
            ("steps[1].action.nothing", (8, 3)),
            ("steps", (3, 1)),
            ("else", (1, 1)),
        ] {
            assert_eq!(place_of(TEXT, path), expected, "{path}");
        }
    }

    #[test]
    fn the_place_of_a_complaint_is_found() {
        assert_eq!(place_in("a: b, at line 14 column 12"), Some((14, 12)));
        assert_eq!(place_in("it is not UTF-8, at line 3"), Some((3, 1)));
        assert_eq!(place_in("nowhere"), None);
    }
}
