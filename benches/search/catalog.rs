//! Marketplaces of any size, the same for the same size.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

const CATALOGUE: &str = ".claude-plugin/marketplace.json";
const MANIFEST: &str = ".claude-plugin/plugin.json";
/// Words that people search for, which are also frequent in the text.
const FREQUENT: &str = "api jwt redis auth cache postgres docker kubernetes terraform lint test deploy etl bigquery security audit react graphql queue metrics";
const MADE_UP: usize = 20_000;

/// Writes a marketplace of `count` plugins, two files each: a manifest of 0.6 KB and a skill of 3 KB.
pub fn generate(root: &Path, count: usize) -> Result<()> {
    let mut text = Text::new();
    let mut entries = Vec::new();
    for number in 0..count {
        let name = format!("plugin-{number:05}");
        let source = format!("./m{}/p{:02}/{name}", number % 3, number / 3 % 100);
        let folder = root.join(&source);
        let keywords: Vec<String> = text.words(8).split(' ').map(String::from).collect();
        let manifest = json!({"name": name, "version": "1.0.0", "description": text.words(40), "keywords": keywords, "author": {"name": "x"}});
        let paragraphs: Vec<String> = (0..6).map(|_| text.words(60)).collect();
        let skill = format!(
            "---\nname: s\ndescription: {}\n---\n# {}\n\n{}",
            text.words(20),
            text.words(4),
            paragraphs.join("\n\n")
        );
        fs::create_dir_all(folder.join(".claude-plugin"))?;
        fs::create_dir_all(folder.join("skills/s"))?;
        fs::write(folder.join(MANIFEST), manifest.to_string())?;
        fs::write(folder.join("skills/s/SKILL.md"), skill)?;
        entries.push(json!({"name": name, "source": source}));
    }
    let catalogue = json!({"name": "bench", "owner": {"name": "x"}, "plugins": entries});
    fs::create_dir_all(root.join(".claude-plugin"))?;
    fs::write(root.join(CATALOGUE), catalogue.to_string())?;
    Ok(())
}

/// Makes text: half of its words are drawn from all alike, half from the first ones far more often.
struct Text {
    vocabulary: Vec<String>,
    state: u64,
}

impl Text {
    fn new() -> Text {
        let mut text = Text {
            vocabulary: FREQUENT.split(' ').map(String::from).collect(),
            state: 7,
        };
        for _ in 0..MADE_UP {
            let length = 4 + text.below(7);
            let letters = (0..length).map(|_| char::from(b'a' + text.below(26) as u8));
            let word = letters.collect();
            text.vocabulary.push(word);
        }
        text
    }

    fn words(&mut self, count: usize) -> String {
        let mut words = Vec::new();
        for _ in 0..count {
            let last = self.vocabulary.len() - 1;
            let place = match self.share() < 0.5 {
                true => (self.share().powf(-1.0 / 0.6) as usize)
                    .saturating_sub(1)
                    .min(last),
                false => self.below(last + 1),
            };
            words.push(self.vocabulary[place].clone());
        }
        words.join(" ")
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.share() * end as f64) as usize).min(end - 1)
    }

    /// Returns a number above 0 and up to 1, by SplitMix64.
    fn share(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::MIN_POSITIVE
    }
}
