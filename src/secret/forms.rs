//! The ways in which a text writes a secret.

use std::collections::BTreeSet;

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// A form shorter than this says next to nothing, and would be found everywhere.
const FORM_BYTES_MIN: usize = 8;

/// Returns every form of `value` that is looked for; none is part of another that begins at the same place only by luck.
pub(super) fn forms(value: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([value.to_vec()]);
    let text = String::from_utf8_lossy(value);
    forms.extend([hex(value, false), hex(value, true)]);
    forms.extend(percent(value));
    forms.extend(json(&text));
    for alphabet in [STANDARD, URL_SAFE] {
        forms.extend((0..3).map(|before| base64(value, before, &alphabet)));
    }
    forms.retain(|form| form.len() >= FORM_BYTES_MIN);
    forms
}

fn hex(value: &[u8], upper: bool) -> Vec<u8> {
    let digits = value.iter().map(|byte| match upper {
        true => format!("{byte:02X}"),
        false => format!("{byte:02x}"),
    });
    digits.collect::<String>().into_bytes()
}

/// As addresses and forms have it: what is no letter, digit or one of `-._~` becomes `%` and two digits, and a space `+` in forms.
fn percent(value: &[u8]) -> Vec<Vec<u8>> {
    let write = |kept: &[u8], space: bool, upper: bool| -> Vec<u8> {
        let text = value.iter().map(|&byte| match byte {
            b' ' if space => "+".to_string(),
            _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => {
                char::from(byte).to_string()
            }
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        });
        text.collect::<String>().into_bytes()
    };
    // Python and Rust keep these, JavaScript some more, and `encodeURI` those of addresses too.
    const KEPT: [&[u8]; 4] = [b"-._~", b"-._~!*'()", b"-._~/", b"-._~!*'();/?:@&=+$,#"];
    let mut written = Vec::new();
    for kept in KEPT {
        for (space, upper) in [(false, true), (false, false), (true, true), (true, false)] {
            written.push(write(kept, space, upper));
        }
    }
    written
}

/// As strings of JSON have it: with and without `/` escaped, and with other than ASCII in four digits.
fn json(text: &str) -> Vec<Vec<u8>> {
    let quoted = serde_json::Value::from(text).to_string();
    let plain = quoted[1..quoted.len() - 1].to_string();
    let ascii = |upper: bool| -> String {
        let units = |c: char| -> String {
            let mut buffer = [0; 2];
            let units = c.encode_utf16(&mut buffer).iter();
            units
                .map(|unit| match upper {
                    true => format!("\\u{unit:04X}"),
                    false => format!("\\u{unit:04x}"),
                })
                .collect()
        };
        plain
            .chars()
            .map(|c| match c.is_ascii() {
                true => c.to_string(),
                false => units(c),
            })
            .collect()
    };
    let mut written = vec![plain.clone(), ascii(false), ascii(true)];
    let slashes: Vec<String> = written
        .iter()
        .map(|text| text.replace('/', "\\/"))
        .collect();
    written.extend(slashes);
    written.into_iter().map(String::into_bytes).collect()
}

/// Returns what base64 makes of `value` with `before` bytes in front, without the digits that hold bits of what stands around it.
fn base64(value: &[u8], before: usize, alphabet: &Alphabet) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(value);
    let mut digits = GeneralPurpose::new(alphabet, NO_PAD)
        .encode(&bytes)
        .into_bytes();
    if !bytes.len().is_multiple_of(3) {
        digits.pop();
    }
    // One byte reaches into two digits, two bytes into three.
    digits.drain(..[0, 2, 3][before]);
    digits
}
