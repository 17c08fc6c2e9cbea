//! The tools, as a table: what each is called, what it says of itself, and what it does.

use std::sync::Arc;

use anyhow::Result;
use rmcp::model::{Tool as Described, ToolAnnotations};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Place;
use super::answers::{Account, Explained, Hits, Researched, Runs, Shown};
use super::asked::{
    ExecutePlan, ExplainPlugin, NamedRun, Nothing, PlanTask, Question, SearchPlugins, ShowPlan,
};
use super::listening::Listening;
use super::work;
use crate::ops::Stop;

/// One tool.
pub struct Tool {
    pub name: &'static str,
    title: &'static str,
    text: &'static str,
    /// Whether it leaves the project as it is.
    reads_only: bool,
    schemas: fn(Described) -> Described,
    pub call: fn(&Place, Value, &mut Listening, &Stop) -> Result<Answer>,
}

/// What a tool answers.
pub struct Answer {
    pub text: String,
    pub value: Value,
    /// Whether what was asked for did not come about, though everything was done right.
    pub is_failure: bool,
}

/// Every tool.
pub const TOOLS: [Tool; 8] = [
    Tool {
        name: "search_plugins",
        title: "Search plugins",
        text: "Finds plugins in the project's marketplaces: up to three words are looked up, and a sentence is understood.",
        reads_only: true,
        schemas: schemas::<SearchPlugins, Hits>,
        call: work::search_plugins,
    },
    Tool {
        name: "explain_plugin",
        title: "Explain a plugin's place",
        text: "Says why a plugin is found for a request, or is not.",
        reads_only: true,
        schemas: schemas::<ExplainPlugin, Explained>,
        call: work::explain_plugin,
    },
    Tool {
        name: "research",
        title: "Research",
        text: "Finds out which plugins and proven patterns there are for something, without a plan.",
        reads_only: true,
        schemas: schemas::<Question, Researched>,
        call: work::research,
    },
    Tool {
        name: "plan",
        title: "Plan a task",
        text: "Plans a task and saves the plan; nothing of it runs. Show the plan to the person before anything else.",
        reads_only: false,
        schemas: schemas::<PlanTask, Shown>,
        call: work::plan,
    },
    Tool {
        name: "show_plan",
        title: "Show a plan",
        text: "Shows a saved plan, with the digest that names exactly it.",
        reads_only: true,
        schemas: schemas::<ShowPlan, Shown>,
        call: work::show_plan,
    },
    Tool {
        name: "execute_plan",
        title: "Execute a plan",
        text: "Carries a saved plan out in a branch of its own, with a checkpoint after each step, and merges it when it is done. \
The person must have seen the plan and said that it is to run: ask them, in your own words, each time. \
Where the project asks for an approval, only a person can give it, with `orchestrate approve`; without it nothing runs.",
        reads_only: false,
        schemas: schemas::<ExecutePlan, Account>,
        call: work::execute_plan,
    },
    Tool {
        name: "run_status",
        title: "List runs",
        text: "Lists the project's runs and how they stand.",
        reads_only: true,
        schemas: schemas::<Nothing, Runs>,
        call: work::run_status,
    },
    Tool {
        name: "run_report",
        title: "Report of a run",
        text: "Shows how a run ended, or how it stands: each step, what it left, and what goes on from there.",
        reads_only: true,
        schemas: schemas::<NamedRun, Account>,
        call: work::run_report,
    },
];

impl Tool {
    /// Returns the tool as clients see it.
    pub fn described(&self) -> Described {
        let hints = ToolAnnotations::with_title(self.title)
            .read_only(self.reads_only)
            .destructive(false)
            .open_world(!self.reads_only);
        let described = Described::new(self.name, self.text, Map::new());
        (self.schemas)(described.with_title(self.title).with_annotations(hints))
    }
}

fn schemas<I: JsonSchema, O: JsonSchema>(mut tool: Described) -> Described {
    tool.input_schema = schema::<I>();
    tool.with_raw_output_schema(schema::<O>())
}

fn schema<T: JsonSchema>() -> Arc<Map<String, Value>> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    without_formats(&mut schema);
    match schema {
        Value::Object(fields) => Arc::new(fields),
        _ => unreachable!("a root schema is an object"),
    }
}

/// Takes out the formats of numbers, which only this language knows.
fn without_formats(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_number = |format: &Value| {
                let name = format.as_str().unwrap_or_default();
                ["uint", "int", "float", "double"]
                    .iter()
                    .any(|number| name.starts_with(number))
            };
            if fields.get("format").is_some_and(is_number) {
                fields.remove("format");
            }
            fields.values_mut().for_each(without_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(without_formats),
        _ => {}
    }
}
