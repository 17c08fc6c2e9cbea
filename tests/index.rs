//! The search index: what is written is found, damage is noticed, and search with and without an index agree.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

use std::fs;
use std::path::PathBuf;
use std::thread;

use orchestrate::index::{
    Document, Documents, Field, Hit, Index, Source, Texts, is_damage, search, write,
};
use proptest::prelude::*;
use tempfile::TempDir;

fn document(name: &str, summary: &str, components: &str, body: &str) -> Document {
    Document {
        name: name.to_string(),
        record: format!("{{\"name\":\"{name}\"}}").into_bytes(),
        texts: Texts {
            name: name.to_string(),
            summary: summary.to_string(),
            components: components.to_string(),
            body: body.to_string(),
        },
        vector: None,
    }
}

/// Different words in a number that a sketch needs, made from `seed`.
fn prose(seed: usize) -> String {
    let words = (0..120).map(|number| format!("word{seed}x{number}"));
    words.collect::<Vec<_>>().join(" ")
}

struct Built {
    _folder: TempDir,
    path: PathBuf,
    index: Index,
}

fn built(documents: &[Document]) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let load = |number: usize| Some(documents[number].clone());
    let index = write(&path, "key", documents.len(), load, || b"about".to_vec()).unwrap();
    Built {
        _folder: folder,
        path,
        index,
    }
}

fn names(index: &Index, hits: &[Hit]) -> String {
    let names: Vec<&str> = hits
        .iter()
        .map(|hit| index.name(hit.plugin).unwrap())
        .collect();
    names.join(" ")
}

/// Documents that are loaded by a function.
struct Loaded<F>(usize, F);

impl<F: Fn(usize) -> Option<Document> + Sync> Documents for Loaded<F> {
    fn count(&self) -> usize {
        self.0
    }

    fn load(&self, number: usize) -> Option<Document> {
        (self.1)(number)
    }
}

#[track_caller]
fn finds(documents: &[Document], query: &str, expected: &str) {
    let built = built(documents);
    let hits = search(&[Source::Index(&built.index)], query, 10).unwrap();
    assert_eq!(names(&built.index, &hits), expected);
    let load = |number: usize| Some(documents[number].clone());
    assert_eq!(
        search(
            &[Source::Documents(&Loaded(documents.len(), load))],
            query,
            10
        )
        .unwrap(),
        hits
    );
}

#[test]
fn what_was_written_is_read_by_number_and_by_name() {
    let documents = [
        document("redis", "a cache", "", ""),
        document("auth", "JSON web tokens", "", ""),
    ];
    let built = built(&documents);
    let again = Index::open(&built.path, "key").unwrap().unwrap();
    for index in [&built.index, &again] {
        assert_eq!(index.len(), 2);
        assert_eq!(index.header(), b"about");
        assert_eq!(index.name(0).unwrap(), "redis");
        assert_eq!(index.record(1).unwrap(), b"{\"name\":\"auth\"}");
        assert_eq!(index.find("auth").unwrap(), Some(1));
        assert_eq!(index.find("gone").unwrap(), None);
    }
}

#[test]
fn an_index_of_another_key_is_none() {
    let built = built(&[document("redis", "", "", "")]);
    assert!(Index::open(&built.path, "other").unwrap().is_none());
    assert!(
        Index::open(&built.path.with_extension("gone"), "key")
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_document_that_cannot_be_loaded_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let load =
        |number: usize| (number != 1).then(|| document(&format!("p{number}"), "cache", "", ""));
    let index = write(&folder.path().join("index"), "key", 3, load, || {
        b"".to_vec()
    })
    .unwrap();
    assert_eq!(index.len(), 2);
    assert_eq!(index.find("p2").unwrap(), Some(1));
    let hits = search(&[Source::Documents(&Loaded(3, load))], "cache", 10).unwrap();
    assert_eq!(
        hits.iter().map(|hit| hit.plugin).collect::<Vec<_>>(),
        [0, 2]
    );
}

#[test]
fn an_index_of_no_plugins_finds_nothing() {
    finds(&[], "cache", "");
    finds(&[document("redis", "cache", "", "")], "", "");
    finds(&[document("redis", "cache", "", "")], "the of", "");
}

#[test]
fn a_word_counts_most_in_the_name_and_least_in_the_body() {
    let filler = "other text of some length";
    let documents = [
        document("a", filler, filler, &format!("redis {filler}")),
        document("b", filler, &format!("redis {filler}"), filler),
        document("c", &format!("redis {filler}"), filler, filler),
        document("redis", filler, filler, filler),
        document("d", filler, filler, filler),
    ];
    // The summary and the components say as much, so that the name decides between the two.
    finds(&documents, "redis", "redis b c a");
}

#[test]
fn a_rare_word_counts_more_than_a_common_one() {
    let documents = [
        document("a", "api", "", ""),
        document("b", "api", "", ""),
        document("c", "api", "", ""),
        document("d", "jwt", "", ""),
    ];
    finds(&documents, "api jwt", "d a b c");
}

#[test]
fn forms_and_parts_of_words_are_found() {
    let documents = [
        document("a", "runs tests", "", ""),
        document("b", "for FastAPI", "", ""),
        document("c", "rate-limiting", "", ""),
    ];
    finds(&documents, "testing", "a");
    finds(&documents, "fastapi", "b");
    finds(&documents, "api", "b");
    finds(&documents, "RateLimits", "c");
}

#[test]
fn of_equal_score_the_name_decides() {
    let documents = ["c", "a", "b"].map(|name| document(name, "cache", "", ""));
    finds(&documents, "cache", "a b c");
}

#[test]
fn a_hit_says_which_words_were_found_where() {
    let built = built(&[document("redis", "a cache with redis", "", "caching")]);
    let hits = search(&[Source::Index(&built.index)], "Redis caches, tests", 1).unwrap();
    let matched = hits[0]
        .matched
        .iter()
        .map(|(term, field)| (term.as_str(), *field));
    assert_eq!(
        matched.collect::<Vec<_>>(),
        [
            ("redi", Field::Name),
            ("redi", Field::Summary),
            ("cach", Field::Summary),
            ("cach", Field::Body),
        ]
    );
}

#[test]
fn what_is_rare_is_judged_over_all_indexes() {
    let first = built(&[document("a", "api", "", ""), document("b", "api", "", "")]);
    let second = built(&[document("c", "jwt", "", ""), document("d", "api", "", "")]);
    let hits = search(
        &[Source::Index(&first.index), Source::Index(&second.index)],
        "api jwt",
        10,
    )
    .unwrap();
    let places: Vec<_> = hits.iter().map(|hit| (hit.source, hit.plugin)).collect();
    assert_eq!(places, [(1, 0), (0, 0), (0, 1), (1, 1)]);
}

#[test]
fn a_plugin_vendored_twice_is_one_hit() {
    let redis = document("redis", "cache", "", &prose(1));
    let copy = document("redis", "cache", "", &format!("{} fork", prose(1)));
    let namesake = document("redis", "cache", "", &prose(2));
    let first = built(&[redis, document("other", "cache", "", &prose(1))]);
    let second = built(&[namesake, copy]);
    let hits = search(
        &[Source::Index(&first.index), Source::Index(&second.index)],
        "redis",
        1,
    )
    .unwrap();
    assert_eq!((hits.len(), hits[0].twins.len()), (1, 1));
    let hits = search(
        &[Source::Index(&first.index), Source::Index(&second.index)],
        "redis",
        10,
    )
    .unwrap();
    let mut sets: Vec<Vec<(usize, usize)>> = hits
        .iter()
        .map(|hit| [&[(hit.source, hit.plugin)], hit.twins.as_slice()].concat())
        .collect();
    sets.iter_mut().for_each(|set| set.sort_unstable());
    sets.sort_unstable();
    assert_eq!(sets, [vec![(0, 0), (1, 1)], vec![(1, 0)]]);
}

#[test]
fn many_twins_leave_room_for_other_hits() {
    let mut documents = vec![document("redis", "redis redis", "", &prose(1)); 40];
    documents.push(document("z", "uses redis", "", &prose(2)));
    let built = built(&documents);
    let hits = search(&[Source::Index(&built.index)], "redis", 2).unwrap();
    assert_eq!(names(&built.index, &hits), "redis z");
    assert_eq!(hits[0].twins.len(), 39);
}

#[test]
fn a_large_index_that_all_cores_score_gives_what_reading_everything_gives() {
    let text = |number: usize| ["cache", "queue", "cache queue cache", "", "a"][number * 7 % 5];
    let load = |number: usize| {
        Some(document(
            &format!("p{number}"),
            text(number),
            "",
            text(number / 3),
        ))
    };
    let folder = tempfile::tempdir().unwrap();
    let index = write(&folder.path().join("index"), "key", 45_000, load, || {
        b"".to_vec()
    })
    .unwrap();
    let hits = search(&[Source::Index(&index)], "caches queue p44999", 50).unwrap();
    assert_eq!(hits.len(), 50);
    assert_eq!(index.name(hits[0].plugin).unwrap(), "p44999");
    let without = search(
        &[Source::Documents(&Loaded(45_000, load))],
        "caches queue p44999",
        50,
    )
    .unwrap();
    assert_eq!(hits, without);
}

#[test]
fn the_same_documents_give_the_same_bytes() {
    let documents: Vec<_> = (0..500)
        .map(|number| document(&format!("p{}", number % 300), &prose(number), "", "text"))
        .collect();
    let files = [built(&documents), built(&documents)].map(|built| fs::read(built.path).unwrap());
    assert!(files[0] == files[1]);
}

#[test]
fn two_builders_at_once_leave_one_whole_index_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let load = |number: usize| Some(document(&format!("p{number}"), "cache", "", &prose(number)));
    let build = || write(&path, "key", 200, load, || b"".to_vec()).unwrap();
    let reads = || {
        let index = Index::open(&path, "key").unwrap();
        index.is_none_or(|index| search(&[Source::Index(&index)], "cache", 5).unwrap().len() == 5)
    };
    thread::scope(|scope| {
        let builders = [scope.spawn(build), scope.spawn(build)];
        while !builders.iter().all(|builder| builder.is_finished()) {
            assert!(reads());
        }
        for builder in builders {
            let index = builder.join().unwrap();
            assert_eq!(
                search(&[Source::Index(&index)], "cache", 5).unwrap().len(),
                5
            );
        }
    });
    assert!(Index::open(&path, "key").unwrap().is_some());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn who_reads_an_index_keeps_it_when_it_is_replaced() {
    let built = built(&[document("redis", "cache", "", "")]);
    let load = |_: usize| Some(document("other", "queue", "", ""));
    write(&built.path, "next", 1, load, || b"".to_vec()).unwrap();
    let hits = search(&[Source::Index(&built.index)], "cache", 5).unwrap();
    assert_eq!(names(&built.index, &hits), "redis");
}

/// Uses every part of an index; what it returns is the right answer or an error that says `damaged`.
fn used(index: &Index) -> anyhow::Result<String> {
    let mut text = String::from_utf8_lossy(index.header()).into_owned();
    for plugin in 0..index.len() {
        let name = index.name(plugin)?;
        text += &format!(
            "{name} {:?} {:?} ",
            index.find(name)?,
            index.record(plugin)?
        );
    }
    text += &format!(
        "{:?}",
        search(&[Source::Index(index)], "cache queue lorem p1", 5)?
    );
    Ok(text)
}

fn small() -> Built {
    let documents: Vec<_> = (0..5)
        .map(|number| {
            document(
                &format!("p{number}"),
                "cache queue",
                "a skill",
                "lorem ipsum dolor",
            )
        })
        .collect();
    built(&documents)
}

#[test]
fn damage_at_any_byte_is_noticed_or_changes_nothing() {
    let built = small();
    let expected = used(&built.index).unwrap();
    let whole = fs::read(&built.path).unwrap();
    let path = built.path.with_extension("damaged");
    for (at, change) in (0..whole.len()).zip([0x01, 0x80, 0xff].into_iter().cycle()) {
        let mut bytes = whole.clone();
        bytes[at] ^= change;
        fs::write(&path, bytes).unwrap();
        let Some(index) = Index::open(&path, "key").unwrap() else {
            continue;
        };
        match used(&index) {
            Ok(text) => assert_eq!(text, expected, "byte {at}"),
            Err(error) => assert!(is_damage(&error), "byte {at}: {error:#}"),
        }
    }
}

#[test]
fn an_index_that_was_cut_off_or_goes_on_is_none() {
    let built = small();
    let whole = fs::read(&built.path).unwrap();
    let path = built.path.with_extension("damaged");
    for end in 0..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        assert!(Index::open(&path, "key").unwrap().is_none(), "{end}");
    }
    fs::write(&path, [whole.as_slice(), b"\0"].concat()).unwrap();
    assert!(Index::open(&path, "key").unwrap().is_none());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Index::open(&path, "key").unwrap().is_none());
}

/// Few different words, so that documents share them, and some that try the limits.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => "[a-f]{1,2}",
        1 => "[a-z]{3}(s|ing|ed)",
        1 => "[a-z]{2}[A-Z][a-z]{2}[0-9]",
        1 => "\\PC{0,6}",
        1 => "[a-z]{60,70}",
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

fn any_document() -> impl Strategy<Value = Document> {
    let name = "[a-c]{1,2}";
    (name, text(), text(), text())
        .prop_map(|(name, summary, components, body)| document(&name, &summary, &components, &body))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn search_with_and_without_an_index_agree(
        documents in prop::collection::vec(any_document(), 0..40),
        query in text(),
        limit in 0..12_usize,
    ) {
        let built = built(&documents);
        let load = |number: usize| Some(documents[number].clone());
        let with = search(&[Source::Index(&built.index)], &query, limit).unwrap();
        let without = search(&[Source::Documents(&Loaded(documents.len(), load))], &query, limit).unwrap();
        prop_assert_eq!(with, without);
    }

    #[test]
    fn an_index_of_other_bytes_is_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        fs::write(&path, [b"ORCHIDX\n".as_slice(), &bytes, b"ORCHIDX\n"].concat()).unwrap();
        prop_assert!(Index::open(&path, "").unwrap().is_none());
    }
}
