use super::*;

fn capability(name: &str) -> Capability {
    name.parse().unwrap()
}

fn domain(json: &str) -> Domain {
    serde_json::from_str(&format!(r#"{{"schema": 1, "domain": "d", {json}}}"#)).unwrap()
}

/// A taxonomy of capabilities, each with a field that names others.
fn taxonomy(capabilities: &[(&str, &str, &[&str])]) -> Taxonomy {
    let one = |(name, field, names): &(&str, &str, &[&str])| {
        format!(r#""{name}": {{"title": "t", "stage": "feature", "{field}": {names:?}}}"#)
    };
    let all: Vec<String> = capabilities.iter().map(one).collect();
    let mut taxonomy = Taxonomy::default();
    taxonomy.add(domain(&format!(
        r#""capabilities": {{{}}}"#,
        all.join(", ")
    )));
    taxonomy
}

fn said(taxonomy: &Taxonomy) -> Vec<String> {
    taxonomy.faults().iter().map(Fault::to_string).collect()
}

#[test]
fn a_name_that_is_not_there_is_a_fault() {
    for field in ["after", "before", "implies"] {
        let faults = said(&taxonomy(&[("a", field, &["b.c"])]));
        assert_eq!(
            faults,
            [format!("`a`: {field}: there is no capability `b.c`")]
        );
    }
    assert_eq!(
        said(&taxonomy(&[("a", "after", &["b"]), ("b", "words", &["x"])])),
        [""; 0]
    );
}

#[test]
fn what_waits_for_itself_is_a_fault() {
    let circle = "each comes before the next, in a circle:";
    let check = |capabilities: &[(&str, &str, &[&str])], expected: &str| {
        assert_eq!(
            said(&taxonomy(capabilities)),
            [format!("{circle} {expected}")]
        );
    };
    check(&[("a", "after", &["a"])], "`a`");
    check(
        &[("a", "after", &["b"]), ("b", "after", &["a"])],
        "`b`, `a`",
    );
    check(
        &[
            ("a", "before", &["b"]),
            ("b", "before", &["c"]),
            ("c", "before", &["a"]),
            ("d", "after", &["a"]),
        ],
        "`b`, `c`, `a`",
    );
    let line = [
        ("a", "before", &["b"][..]),
        ("b", "before", &["c"]),
        ("c", "after", &["a"]),
    ];
    assert_eq!(said(&taxonomy(&line)), [""; 0]);
}

#[test]
fn the_later_domain_has_the_say() {
    let mut both = taxonomy(&[("a", "words", &["one", "two"]), ("b", "words", &["three"])]);
    both.add(domain(
        r#""capabilities": {"c": {"title": "own", "stage": "verify", "words": ["two"]}, "b": {"title": "own", "stage": "verify"}}"#,
    ));
    assert_eq!(both.capabilities[&capability("a")].words, ["one"]);
    assert_eq!(both.capabilities[&capability("c")].words, ["two"]);
    assert_eq!(both.title(&capability("b")), "own");
    assert_eq!(both.stage(&capability("b")), Stage::Verify);
    assert_eq!(both.capabilities[&capability("c")].domain, "d");
}

#[test]
fn kinds_stand_in_where_the_family_can_be_asked_for() {
    let taxonomy = taxonomy(&[
        ("auth", "words", &["auth"]),
        ("auth.jwt", "words", &["jwt"]),
        ("api.rest", "words", &["api"]),
    ]);
    let check = |provided: &str, need: &str, expected: bool| {
        let fills = taxonomy.fills(&capability(provided), &capability(need));
        assert_eq!(fills, expected, "{provided} for {need}");
    };
    check("auth.jwt", "auth.jwt", true);
    check("auth.oauth2", "auth.jwt", true);
    check("auth.jwt", "auth", true);
    check("api.rest", "api.rate-limit", false);
    check("api.rest", "auth.jwt", false);
}

#[test]
fn technologies_have_names_neighbours_and_a_home() {
    let mut taxonomy = Taxonomy::default();
    taxonomy.add(domain(
        r#""technologies": {
            "orchestrator": {"kubernetes": {"also": ["k8s"]}, "nomad": {}, "k3s": {"of": "kubernetes"}},
            "packaging": {"helm": {"of": "k3s"}, "nomad": {}, "kustomize": {"of": "nowhere"}}
        }"#,
    ));
    assert_eq!(taxonomy.technology("K8s"), Some("kubernetes"));
    assert_eq!(taxonomy.technology("nomad"), Some("nomad"));
    assert_eq!(taxonomy.technology("swarm"), None);
    let neighbours: Vec<&str> = taxonomy.neighbours("nomad").into_iter().collect();
    assert_eq!(neighbours, ["helm", "k3s", "kubernetes", "kustomize"]);
    assert!(taxonomy.belongs_to("helm", "kubernetes"));
    assert!(taxonomy.belongs_to("helm", "helm"));
    assert!(!taxonomy.belongs_to("kubernetes", "helm"));
    assert_eq!(
        said(&taxonomy),
        ["`kustomize`: of: there is no technology `nowhere`"]
    );
    // A word that the repository gives to another technology is no longer the first one's.
    taxonomy.add(domain(r#""technologies": {"orchestrator": {"k8s": {}}}"#));
    assert_eq!(taxonomy.technology("k8s"), Some("k8s"));
}
