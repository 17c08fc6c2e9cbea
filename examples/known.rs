//! Writes the vectors of the texts that are known when the program is made: `cargo run --release --example known > templates/encoder/known.bin`.

use std::io::Write;

use orchestrate::{encoder, ops, rank};

fn main() -> anyhow::Result<()> {
    let mut texts = rank::texts(&ops::embedded_taxonomy()?);
    texts.extend(ops::embedded_passages()?);
    std::io::stdout().write_all(&encoder::table(&texts))?;
    Ok(())
}
