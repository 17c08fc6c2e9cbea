//! Which tools together, and in which order: as past plans did it, by what one takes and another gives, and by what each needs.
//!
//! It does not rank tools for a request, run them, or know what a plugin is: it is handed names, texts and scores, and returns a `Chain`. What
//! it tells of a tool stands in the tool's own name, description and parameters.
//!
//! A further way to know what a tool takes or gives is a rule in `ports`; how much a link or a tool more counts stands in `path`.

mod named;
mod needs;
mod path;
mod plans;
mod ports;

pub use named::without_names;
pub use needs::Needs;
pub use path::Toolbox;
pub use plans::{PastPlan, Plans};
pub use ports::{Ports, Tool};

/// Tools in the order of their use, and which gives something to which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    pub nodes: Vec<String>,
    pub edges: Vec<(String, String)>,
}

impl Chain {
    /// Returns the chain of these tools, each of which goes on with what the one before gave.
    pub fn of(nodes: Vec<String>) -> Chain {
        let pairs = nodes.windows(2);
        Chain {
            edges: pairs
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect(),
            nodes,
        }
    }
}

#[cfg(test)]
mod tests;
