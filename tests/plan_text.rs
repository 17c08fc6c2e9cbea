//! Whatever a plan says, its text says the same: what is printed is read back as the same plan, and what does not show is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use orchestrate::model::{Plan, RunnerUp, invisible};
use orchestrate::store::{parse_plan, print_plan};
use proptest::prelude::*;

fn sample() -> Plan {
    let text = std::fs::read(support::tests("formats/v1/plan.yaml")).unwrap();
    parse_plan("plan.yaml", &text).unwrap()
}

/// A text that a plan may hold: anything that shows, and what YAML is known to misread.
fn text() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "",
        " ",
        "yes",
        "No",
        "~",
        "null",
        "true",
        "1",
        "0x1f",
        "1_000",
        "1e3",
        ".inf",
        "- a",
        "? a",
        ": ",
        "a: b",
        "# a",
        "a #b",
        "&a",
        "*a",
        "!a",
        "<<",
        "%YAML",
        "---",
        "...",
        "\"",
        "'",
        "{}",
        "[a",
        "|",
        ">",
        "\n",
        "a\n",
        "\na",
        " a",
        "a ",
        "a\n\n b\n",
        "\t",
        "a\tb",
        "2026-11-22",
        "=",
        "@a",
        "`a`",
        "\\",
        "\\u202e",
        "é",
        "日本",
        "👍",
    ]);
    let shown = any::<char>().prop_map(|c| if invisible(c) { '.' } else { c });
    let any = prop::collection::vec(shown, 0..12);
    prop_oneof![
        tricky.prop_map(str::to_string),
        any.prop_map(|chars| chars.into_iter().collect()),
        "[a-z :#'\"\\n-]{0,40}",
        // What other readers of YAML take for a number.
        "[-+]?(0[xXoObB])?[0-9a-fA-F_.:eE]{0,6}",
    ]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map(text(), inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A character that a reviewer does not see.
fn hidden() -> impl Strategy<Value = char> {
    let all: Vec<char> = (0..=u32::from(char::MAX))
        .filter_map(char::from_u32)
        .filter(|&c| invisible(c))
        .collect();
    prop::sample::select(all)
}

prop_compose! {
    fn plan()(
        texts in prop::collection::vec(text(), 8),
        lists in prop::collection::vec(prop::collection::vec(text(), 0..4), 4),
        inputs in prop::collection::btree_map(text(), value(), 0..4),
        results in prop::collection::btree_map(text(), text(), 0..3),
        numbers in any::<(u32, u64, u64)>(),
    ) -> Plan {
        let mut plan = sample();
        let mut texts = texts.into_iter();
        let mut lists = lists.into_iter();
        plan.task = texts.next().unwrap();
        plan.remarks = lists.next().unwrap();
        plan.constraints.notes = lists.next().unwrap();
        plan.understood[0].because = texts.next().unwrap();
        let step = &mut plan.steps[0];
        step.title = texts.next().unwrap();
        step.doing = texts.next().unwrap();
        step.why = texts.next().unwrap();
        step.runners_up = vec![RunnerUp { plugin: step.action.plugin.clone(), why_not: texts.next().unwrap() }];
        step.checks[0].id = texts.next().unwrap();
        step.checks[0].label = texts.next();
        step.action.writes = lists.next().unwrap();
        step.action.reads = lists.next().unwrap();
        step.action.inputs = inputs;
        step.results = results;
        (step.attempts_max, step.backoff_ms, step.timeout_s) = numbers;
        plan
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back_as_the_same_plan(plan in plan()) {
        let printed = print_plan(&plan).unwrap();
        let read = parse_plan("plan.yaml", printed.as_bytes());
        prop_assert!(read.is_ok(), "{:#}\n{printed}", read.unwrap_err());
        let read = read.unwrap();
        prop_assert_eq!(&read, &plan, "{}", printed);
        prop_assert_eq!(print_plan(&read).unwrap(), printed);
    }

    /// Raw or escaped, in a value or in a comment: what a reviewer cannot see is in no plan that is read.
    #[test]
    fn what_does_not_show_is_refused(bad in hidden(), place in 0_usize..4) {
        let text = String::from_utf8(std::fs::read(support::tests("formats/v1/plan.yaml")).unwrap()).unwrap();
        let escaped = format!("\\U{:08x}", u32::from(bad));
        let hidden = match place {
            0 => text.replacen("title: ", &format!("title: a{bad}"), 1),
            1 => text.replacen("title: ", &format!("title: \"a{escaped}\" #"), 1),
            2 => format!("{text}# a{bad}b\n"),
            _ => text.replacen("task: ", &format!("task: \"a{bad}\" #"), 1),
        };
        // The end of a line may be written with a carriage return, and only the end.
        prop_assert!(parse_plan("plan.yaml", hidden.as_bytes()).is_err(), "{:?} at {}", bad, place);
    }
}
