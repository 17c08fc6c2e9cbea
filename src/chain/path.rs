//! A chain of tools for a request: the one that is asked for, and before it what gives it what it takes.

use std::collections::{BTreeSet, HashMap};

use super::named::{Named, named};
use super::ports::{Ports, Tool, ports, singular_words};
use crate::encoder::vector;
use crate::rank;

/// The longest chain.
const LENGTH_MAX: usize = 4;
/// What a tool before the last one costs, in standard deviations, and what it gains by all words of the request.
const COST: f32 = 1.5;
const COVERED: f32 = 6.0;
/// What a link costs of which only one end says that it fits.
const VAGUE: f32 = 1.0;
/// What a tool costs that takes a kind of thing of which the request says nothing, where it says something of others.
const UNSAID: f32 = 1.5;
/// How much it counts that something with a name is looked up, and that nothing is where nothing has a name.
const LOOKED_UP: f32 = 1.5;
/// How much it counts that the request says what kind of thing the named one is, that its place in the sentence does, and that its name
/// sounds like one.
const SAID: f32 = 2.5;
const PLACED: f32 = 1.5;
const SOUNDS: f32 = 3.0;
/// Things that are people.
const PEOPLE: [&str; 8] = [
    "person", "user", "author", "artist", "actor", "member", "customer", "contact",
];

/// Tools that may be chained.
pub struct Toolbox {
    ports: Vec<Ports>,
    /// The stems of what each says.
    stems: Vec<BTreeSet<String>>,
    /// How many tools have a stem.
    having: HashMap<String, usize>,
}

impl Toolbox {
    /// Reads what the tools say.
    pub fn of(tools: &[Tool<'_>]) -> Toolbox {
        let stems = |tool: &Tool<'_>| {
            let text = format!("{} {}", rank::identifier(tool.name), tool.description);
            rank::stems(&text).into_iter().collect::<BTreeSet<String>>()
        };
        let stems: Vec<BTreeSet<String>> = tools.iter().map(stems).collect();
        let mut having = HashMap::new();
        for stem in stems.iter().flatten() {
            *having.entry(stem.clone()).or_default() += 1;
        }
        Toolbox {
            ports: ports(tools),
            stems,
            having,
        }
    }

    /// Returns what the tools take and give.
    pub fn ports(&self) -> &[Ports] {
        &self.ports
    }

    /// Returns the tools for one thing that is asked, by their numbers and in the order of their use. `scores` say how near each is to it, in
    /// standard deviations; what tools of `before` give is there already.
    pub fn chain(&self, asked: &str, scores: &[f32], before: &[usize]) -> Vec<usize> {
        let (names, rest) = named(asked);
        let words: Vec<(String, f32)> = rank::stems(&rest)
            .into_iter()
            .map(|stem| {
                let rarity = self.rarity(&stem);
                (stem, rarity)
            })
            .collect();
        let said: BTreeSet<String> = singular_words(asked).into_iter().collect();
        let mut search = Search {
            strange: self
                .ports
                .iter()
                .map(|ports| self.is_strange(ports, &said))
                .collect(),
            toolbox: self,
            total: words
                .iter()
                .map(|(_, rarity)| rarity)
                .sum::<f32>()
                .max(1e-6),
            words,
            lookup: self.lookups(asked, &names),
            best: (f32::MIN, Vec::new()),
        };
        for (last, score) in scores.iter().copied().enumerate() {
            // Whoever names a thing wants to know something of it, not only that it is there.
            let only_found = self.ports[last].finds && !names.is_empty();
            let worth = match only_found {
                true => score.min(0.0),
                false => score - search.strangeness(last),
            };
            search.look(&mut vec![last], worth, before);
        }
        search.best.1
    }

    /// Says whether a tool has to do with kinds of things of which nothing is said, though something is said of others. People are said of in
    /// many words.
    fn is_strange(&self, ports: &Ports, said: &BTreeSet<String>) -> bool {
        let is_said = |thing: &String| said.contains(thing) || PEOPLE.contains(&thing.as_str());
        let something = self
            .ports
            .iter()
            .flat_map(|ports| &ports.takes)
            .any(|thing| said.contains(thing));
        let own = match ports.takes.is_empty() {
            true => &ports.gives,
            false => &ports.takes,
        };
        something && !own.is_empty() && !own.iter().any(is_said)
    }

    fn rarity(&self, stem: &str) -> f32 {
        match self.having.get(stem) {
            Some(having) => (1.0 + self.ports.len() as f32 / *having as f32).ln(),
            None => 0.0,
        }
    }

    /// Returns of each tool what is gained by starting with it.
    fn lookups(&self, asked: &str, names: &[Named]) -> Vec<f32> {
        let said: BTreeSet<String> = singular_words(asked).into_iter().collect();
        let things: BTreeSet<&String> = self.ports.iter().flat_map(|ports| &ports.gives).collect();
        let gain = |thing: &String| {
            let meaning = vector(thing);
            let gain = |name: &Named| {
                let said_beside = name.beside.contains(thing);
                let is_person = PEOPLE.contains(&thing.as_str()) && name.is_doer;
                let sound = vector(&name.text).cosine(&meaning);
                SAID * f32::from(u8::from(said_beside))
                    + PLACED * f32::from(u8::from(is_person))
                    + SOUNDS * sound.max(0.0)
                    + 0.3 * f32::from(u8::from(said.contains(thing)))
            };
            names.iter().map(gain).fold(0.0, f32::max)
        };
        let gains: HashMap<&String, f32> =
            things.iter().map(|thing| (*thing, gain(thing))).collect();
        let fit = |ports: &Ports| {
            let own = ports.gives.iter().filter_map(|thing| gains.get(thing));
            own.copied().fold(0.0, f32::max)
        };
        let starts = self.ports.iter();
        starts
            .map(|ports| match (names.is_empty(), ports.finds) {
                (false, true) => LOOKED_UP + fit(ports),
                (true, false) => LOOKED_UP,
                _ => 0.0,
            })
            .collect()
    }
}

struct Search<'a> {
    toolbox: &'a Toolbox,
    /// What is asked for, without names: stems, and how rare each is.
    words: Vec<(String, f32)>,
    total: f32,
    strange: Vec<bool>,
    /// What is gained by starting with each tool.
    lookup: Vec<f32>,
    best: (f32, Vec<usize>),
}

impl Search<'_> {
    /// Looks for the best way to the first of the chain.
    fn look(&mut self, chain: &mut Vec<usize>, worth: f32, before: &[usize]) {
        let first = chain[0];
        if self.toolbox.ports[first].takes.is_empty() {
            let whole = worth + self.lookup[first];
            self.propose(whole, chain);
        } else {
            let links = before.iter().filter_map(|from| self.link(*from, first));
            if let Some(loss) = links.min_by(f32::total_cmp) {
                self.propose(worth + LOOKED_UP - loss, chain);
            }
        }
        if chain.len() == LENGTH_MAX || self.toolbox.ports[first].takes.is_empty() {
            return;
        }
        for from in 0..self.toolbox.ports.len() {
            if chain.contains(&from) {
                continue;
            }
            if let Some(loss) = self.link(from, first) {
                let gain = COVERED * self.newly_covered(from, chain);
                chain.insert(0, from);
                self.look(
                    chain,
                    worth + gain - loss - COST - self.strangeness(from),
                    before,
                );
                chain.remove(0);
            }
        }
    }

    fn strangeness(&self, tool: usize) -> f32 {
        UNSAID * f32::from(u8::from(self.strange[tool]))
    }

    fn propose(&mut self, worth: f32, chain: &[usize]) {
        if worth > self.best.0 {
            self.best = (worth, chain.to_vec());
        }
    }

    /// Returns the share of the words that the tool has and the chain has not.
    fn newly_covered(&self, tool: usize, chain: &[usize]) -> f32 {
        let stems = &self.toolbox.stems;
        let new = self.words.iter().filter(|(stem, _)| {
            stems[tool].contains(stem) && !chain.iter().any(|other| stems[*other].contains(stem))
        });
        new.map(|(_, rarity)| rarity).sum::<f32>() / self.total
    }

    /// Returns what is lost by taking from the one what the other takes; none where it cannot be.
    fn link(&self, from: usize, to: usize) -> Option<f32> {
        let (from, to) = (&self.toolbox.ports[from], &self.toolbox.ports[to]);
        let fits = to.takes.iter().any(|taken| from.gives.contains(taken));
        match fits {
            true => Some(0.0),
            // Who tells much of a thing may tell of another as well, and who does not say what it gives may give it.
            false if from.tells && !from.takes.is_empty() && to.takes.is_disjoint(&from.takes) => {
                Some(VAGUE)
            }
            false if from.gives.is_empty() && from.takes.is_empty() => Some(VAGUE),
            false => None,
        }
    }
}
