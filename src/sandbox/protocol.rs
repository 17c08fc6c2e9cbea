//! What the orchestrator and its launcher say to each other over the control socket: one message each way, and a
//! byte that cancels.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::policy::{Ending, Policy};

/// The hidden first argument that makes this program a launcher.
pub const LAUNCH: &str = "sandbox-launch";
/// The byte that asks the launcher to end the command; a closed socket asks for it without patience.
pub(super) const CANCEL: &[u8] = b"c";
/// The longest message, in bytes.
const MESSAGE_MAX: u32 = 64 << 20;

/// What the launcher is to run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Specification {
    pub(super) argv: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) timeout_ms: Option<u64>,
    /// None where nothing confines the command.
    pub(super) policy: Option<Policy>,
}

/// What the launcher found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    Ended {
        ending: Ending,
        left_behind: usize,
    },
    /// The launcher could not do its work; the command did not run.
    Trouble(String),
}

/// Writes one message: its length in four bytes, then JSON.
pub(super) fn send(mut to: impl Write, message: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|length| *length <= MESSAGE_MAX);
    let length = length.ok_or_else(|| anyhow::anyhow!("the message has {} bytes", json.len()))?;
    to.write_all(&[&length.to_le_bytes(), json.as_slice()].concat())?;
    Ok(())
}

/// Reads one message and not a byte more.
pub(super) fn receive<T: DeserializeOwned>(mut from: impl Read) -> anyhow::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    anyhow::ensure!(length <= MESSAGE_MAX, "the message has {length} bytes");
    let mut json = vec![0; length as usize];
    from.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_and_what_follows_stays() {
        let mut wire = Vec::new();
        send(&mut wire, &Report::Trouble("é\n".to_owned())).unwrap();
        wire.extend_from_slice(CANCEL);
        let mut rest = wire.as_slice();
        let Report::Trouble(text) = receive(&mut rest).unwrap() else {
            panic!("another report");
        };
        assert_eq!((text.as_str(), rest), ("é\n", CANCEL));
    }

    #[test]
    fn a_torn_message_is_an_error() {
        let mut wire = Vec::new();
        send(&mut wire, &Report::Trouble("text".to_owned())).unwrap();
        wire.pop();
        assert!(receive::<Report>(wire.as_slice()).is_err());
        assert!(receive::<Report>([255; 8].as_slice()).is_err());
    }
}
