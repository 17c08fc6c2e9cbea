//! Stories of tools that go together.

use super::*;
use crate::encoder::Encoder;

const SHOP: [(&str, &str); 6] = [
    ("SearchBook", "Search and find books."),
    (
        "GetBestsellingBook",
        "Obtain a list of the books that sell best.",
    ),
    (
        "GetBookReview",
        "Retrieve the reviews of a book using its ID.",
    ),
    (
        "GetBookCover",
        "Fetch the cover pictures of a book using its ID.",
    ),
    (
        "GetAuthorBook",
        "Retrieve the list of books by an author using their ID.",
    ),
    ("SearchAuthor", "Search and find authors."),
];

fn tools() -> Vec<Tool<'static>> {
    let tools = SHOP.iter();
    tools
        .map(|(name, description)| Tool {
            name,
            description,
            params: "",
        })
        .collect()
}

/// Returns the chain for a text, where the tools in `near` are near it.
fn chain(asked: &str, near: &[(&str, f32)]) -> Vec<&'static str> {
    let score = |name: &str| {
        near.iter()
            .find(|(near, _)| *near == name)
            .map_or(-0.5, |(_, score)| *score)
    };
    let scores: Vec<f32> = SHOP.iter().map(|(name, _)| score(name)).collect();
    let chosen = Toolbox::of(&tools()).chain(asked, &scores, &[]);
    chosen.into_iter().map(|tool| SHOP[tool].0).collect()
}

#[test]
fn what_a_tool_takes_is_looked_up_by_its_name_or_listed() {
    let near = [("GetBookReview", 2.5)];
    assert_eq!(
        chain("Show me reviews of the book \"Momo\"", &near),
        ["SearchBook", "GetBookReview"]
    );
    assert_eq!(
        chain("show me reviews of the book that sells best", &near),
        ["GetBestsellingBook", "GetBookReview"]
    );
    assert_eq!(
        chain(
            "give me a cover of a book by the author Michael Ende",
            &[("GetBookCover", 2.5)]
        ),
        ["SearchAuthor", "GetAuthorBook", "GetBookCover"]
    );
}

#[test]
fn a_parameter_tells_what_is_taken() {
    let tool = Tool {
        name: "refund",
        description: "Gives the money back.",
        params: "order_id: which order; reason: why",
    };
    let toolbox = Toolbox::of(&[tool]);
    assert_eq!(toolbox.ports()[0].takes, ["order".to_string()].into());
}

#[test]
fn what_has_a_name_is_told_from_what_is_asked() {
    for (text, name, rest) in [
        (
            "Who wrote the book \"Momo\"?",
            "Momo",
            "Who wrote the book ?",
        ),
        (
            "the first part of Lord of the Rings",
            "Lord of the Rings",
            "the first part of",
        ),
        ("Show Anna's books", "Anna", "Show books"),
        ("is the API down?", "", "is the API down?"),
    ] {
        let (names, _) = named::named(text);
        let found = names.first().map_or("", |name| name.text.as_str());
        assert_eq!((found, without_names(text).as_str()), (name, rest));
    }
}

#[test]
fn what_is_needed_comes_with_what_needs_it() {
    // 0 needs 1, which needs 2 and 0 again; 3 stands alone.
    let needs = Needs::of([(1, 0), (2, 1), (0, 1)].into_iter());
    assert_eq!(needs.closure(0), [0, 1, 2]);
    let spread = needs.spread(&[3.0, -1.0, -1.0, 0.5]);
    assert!(spread[0] > spread[1] && spread[1] > spread[2] && spread[2] > spread[3]);
}

#[test]
fn a_tool_needs_the_only_one_that_gives_what_it_takes() {
    let toolbox = Toolbox::of(&tools());
    let needs = Needs::of_ports(toolbox.ports());
    // Authors are only searched for; books are searched for and listed, and the request decides.
    assert_eq!(needs.closure(4), [4, 5]);
    assert_eq!(needs.closure(2), [2]);
}

#[test]
fn past_plans_vote() {
    let plan = |text: &str, nodes: &[&str]| PastPlan {
        text: text.to_string(),
        meaning: Encoder::embedded().encode(text),
        chain: Chain::of(nodes.iter().map(ToString::to_string).collect()),
    };
    let plans = Plans::of(vec![
        plan(
            "book a flight to Rome and remind me",
            &["find_flight", "book_flight", "remind"],
        ),
        plan(
            "book a flight to Oslo and remind me",
            &["find_flight", "book_flight", "remind"],
        ),
        plan("pay the bill of the water works", &["pay_bill"]),
    ]);
    let asked = "book a flight to Lima and remind me";
    let (chain, likeness) = plans
        .vote(asked, &Encoder::embedded().encode(asked))
        .unwrap();
    assert_eq!(
        chain,
        Chain::of(
            ["find_flight", "book_flight", "remind"]
                .map(String::from)
                .into()
        )
    );
    assert!(likeness > 0.5, "{likeness}");
    assert!(
        Plans::of(Vec::new())
            .vote(asked, &Encoder::embedded().encode(asked))
            .is_none()
    );
}
