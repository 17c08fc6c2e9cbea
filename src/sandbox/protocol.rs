//! What the orchestrator and its launcher say to each other over the control socket: one message each way, and a
//! byte that cancels.

use std::collections::BTreeMap;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
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
    /// Whether a descriptor follows, which is the command's standard input; it has none otherwise.
    pub(super) has_input: bool,
    /// None where nothing confines the command.
    pub(super) policy: Option<Policy>,
}

impl Specification {
    pub(super) fn with_input(self) -> Specification {
        Specification {
            has_input: true,
            ..self
        }
    }
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

/// The byte that a descriptor travels with.
const DESCRIPTOR: &[u8] = b"d";

/// Hands an open file over.
pub(super) fn send_descriptor(to: impl AsFd, descriptor: &OwnedFd) -> anyhow::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(
        to,
        &[IoSlice::new(DESCRIPTOR)],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    Ok(())
}

/// Takes an open file over; programs that are started later do not inherit it.
pub(super) fn receive_descriptor(from: impl AsFd) -> anyhow::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(
        from,
        &mut [IoSliceMut::new(&mut byte)],
        &mut ancillary,
        RecvFlags::empty(),
    )?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message
            && let Some(descriptor) = descriptors.next()
        {
            fcntl_setfd(&descriptor, FdFlags::CLOEXEC)?;
            return Ok(descriptor);
        }
    }
    anyhow::bail!("no descriptor came")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_travels_between_messages() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        send(&ours, &Report::Trouble("before".to_owned())).unwrap();
        send_descriptor(&ours, &OwnedFd::from(writer)).unwrap();
        (&ours).write_all(CANCEL).unwrap();
        receive::<Report>(&theirs).unwrap();
        let arrived = receive_descriptor(&theirs).unwrap();
        std::fs::File::from(arrived).write_all(b"through").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let mut rest = [0];
        (&theirs).read_exact(&mut rest).unwrap();
        assert_eq!((text.as_str(), rest.as_slice()), ("through", CANCEL));
        drop(ours);
        assert!(receive_descriptor(&theirs).is_err());
    }

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
