//! What is wrong in files of ours, for people and for the services that show it beside the lines.

use serde_json::{Value, json};

use crate::model::{Fault, Rule};

/// Returns the fault as compilers print it: `file:line:column: rule: what`.
pub fn fault_line(fault: &Fault) -> String {
    let Fault {
        file, line, column, ..
    } = fault;
    let hint = match fault.hint.as_str() {
        "" => String::new(),
        hint => format!("\n  hint: {hint}"),
    };
    format!(
        "{file}:{line}:{column}: {}: {}{hint}",
        fault.rule.id(),
        fault.what
    )
}

/// Returns the command that makes GitHub show the fault beside its line.
pub fn github_annotation(fault: &Fault) -> String {
    let value = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |text: &str| value(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::error file={},line={},col={},title={}::{}",
        property(&fault.file),
        fault.line,
        fault.column,
        property(fault.rule.id()),
        value(&fault.what)
    )
}

/// Returns the faults as a SARIF 2.1.0 document.
pub fn sarif(faults: &[Fault]) -> Value {
    let rules: Vec<Value> = Rule::ALL
        .iter()
        .map(|rule| json!({"id": rule.id(), "shortDescription": {"text": rule.about()}}))
        .collect();
    let results: Vec<Value> = faults.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "orchestrate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(fault: &Fault) -> Value {
    json!({
        "ruleId": fault.rule.id(),
        "level": "error",
        "message": {"text": fault.what},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": fault.file, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": fault.line, "startColumn": fault.column},
        }}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Fault {
        Fault {
            file: "a,b.yaml".to_string(),
            line: 3,
            column: 5,
            rule: Rule::PlanRuns,
            what: "100 %: no\nwhat".to_string(),
            hint: String::new(),
        }
    }

    #[test]
    fn nothing_in_a_fault_ends_its_annotation() {
        assert_eq!(
            github_annotation(&fault()),
            "::error file=a%2Cb.yaml,line=3,col=5,title=plan-runs::100 %25: no%0Awhat"
        );
    }

    #[test]
    fn every_result_has_its_rule() {
        let document = sarif(&[fault()]);
        let run = &document["runs"][0];
        let id = &run["results"][0]["ruleId"];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["id"] == *id));
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"],
            3
        );
    }
}
