//! The encoder: its weights are the documented ones, its vectors those of the model they come from, and any text has one.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use orchestrate::encoder::{Encoder, VECTOR_BYTES, Vector, known};
use orchestrate::{ops, rank};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// How near each vector in few bits has to be to the one in 32, and how near they have to be in the mean.
const COSINE_MIN: f32 = 0.96;
const COSINE_MEAN_MIN: f32 = 0.98;

fn read(path: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Sentences, each with what the model that the weights come from makes of it.
fn references() -> Vec<(String, Vector)> {
    let text = String::from_utf8(read("tests/fixtures/encoder/reference.tsv")).unwrap();
    let lines = text.lines().map(|line| {
        let (sentence, codes) = line.split_once('\t').unwrap();
        let code = |place: usize| u8::from_str_radix(&codes[2 * place..][..2], 16).unwrap();
        let codes: Vec<u8> = (0..codes.len() / 2).map(code).collect();
        let square = |&code: &u8| f32::from(code.cast_signed()).powi(2);
        let length = codes.iter().map(square).sum::<f32>().sqrt();
        let bytes = [&codes[..], &(1.0 / length).to_le_bytes()].concat();
        (
            sentence.to_string(),
            Vector::from_bytes(&bytes.try_into().unwrap()),
        )
    });
    lines.collect()
}

#[test]
fn the_weights_are_the_documented_ones() {
    let readme = String::from_utf8(read("templates/encoder/README.md")).unwrap();
    let checksum = hex(&Sha256::digest(read("templates/encoder/encoder.bin")));
    assert!(readme.contains(&checksum), "it does not name {checksum}");
}

#[test]
fn vectors_are_those_of_the_model_in_full() {
    let references = references();
    assert!(references.len() >= 12);
    let sentences: Vec<&str> = references.iter().map(|(text, _)| text.as_str()).collect();
    let vectors = Encoder::embedded().encode_many(&sentences);
    let mut sum = 0.0;
    for ((sentence, right), vector) in references.iter().zip(&vectors) {
        let cosine = right.cosine(vector);
        assert!(cosine > COSINE_MIN, "{sentence}: {cosine}");
        sum += cosine;
    }
    let mean = sum / references.len() as f32;
    assert!(mean > COSINE_MEAN_MIN, "{mean}");
}

#[test]
fn the_nearest_text_is_the_one_that_helps() {
    let helping = [
        "Detects memory leaks in long-running processes",
        "Generates pytest suites and measures coverage",
        "Helm charts and rollouts for clusters",
        "Finds secrets in the history of a repository",
        "Localizes interfaces into other languages",
        "Suggests indexes and rewrites queries",
    ];
    let asked = [
        "RAM keeps climbing until the pod is killed",
        "We have no tests for our Python code",
        "Deploy the application to Kubernetes",
        "Somebody pushed an access key last month",
        "Customers in Berlin want the menus in German",
        "Speed up a slow SQL query in Postgres",
    ];
    let encoder = Encoder::embedded();
    let vectors = encoder.encode_many(&helping);
    for (place, asked) in asked.iter().enumerate() {
        let asked_vector = encoder.encode(asked);
        let cosines: Vec<f32> = vectors.iter().map(|v| v.cosine(&asked_vector)).collect();
        let best = (0..cosines.len()).max_by(|&a, &b| cosines[a].total_cmp(&cosines[b]));
        assert_eq!(best, Some(place), "{asked}: {cosines:?}");
    }
}

#[test]
fn a_text_has_one_vector_whoever_encodes_it() {
    let texts: Vec<String> = (0..9).map(|n| format!("plugin number {n}")).collect();
    let encoder = Encoder::embedded();
    let alone: Vec<Vector> = texts.iter().map(|text| encoder.encode(text)).collect();
    assert_eq!(encoder.encode_many(&texts), alone);
    assert_eq!(encoder.encode_many::<&str>(&[]), []);
}

#[test]
fn a_text_of_a_megabyte_is_read_up_to_a_limit() {
    for hostile in ["a", "\u{301}", "\0", "\u{fdfa}", " ", "🚀"] {
        let text = hostile.repeat(1_000_000 / hostile.len());
        assert_whole(&Encoder::embedded().encode(&text));
    }
}

fn assert_whole(vector: &Vector) {
    assert!((vector.cosine(vector) - 1.0).abs() < 1e-4);
    let bytes: [u8; VECTOR_BYTES] = vector.to_bytes();
    assert_eq!(&Vector::from_bytes(&bytes), vector);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn any_text_has_a_vector(text in "\\PC{0,24}|(?s).{0,24}") {
        assert_whole(&Encoder::embedded().encode(&text));
    }
}

#[test]
fn what_was_known_when_the_program_was_made_need_not_be_worked_out() {
    let mut texts = rank::texts(&ops::embedded_taxonomy().unwrap());
    texts.extend(ops::embedded_passages().unwrap());
    let unknown = texts.iter().filter(|text| known(text).is_none());
    assert_eq!(
        unknown.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "make the table again: cargo run --release --example known > templates/encoder/known.bin"
    );
}

#[test]
fn a_known_vector_is_near_the_one_that_is_worked_out() {
    for text in rank::texts(&ops::embedded_taxonomy().unwrap())
        .iter()
        .step_by(500)
    {
        let cosine = known(text)
            .unwrap()
            .cosine(&Encoder::embedded().encode(text));
        assert!(cosine > 0.97, "{text}: {cosine}");
    }
}
