//! Environment variables that override a key: `FOREBAY__HLS__SEGMENT=4s`.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

const PREFIX: &str = "FOREBAY__";

/// Sets the keys that `environment` names in the table, and returns the names of those variables.
///
/// # Errors
/// One of ours is not UTF-8, or is no key of a section. The variables of others are left alone,
/// whatever they hold.
pub(super) fn lay_over(
    table: &mut Table,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<String>> {
    let mut overrides = Vec::new();
    for (variable, value) in environment {
        if !variable.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let (Some(name), Some(value)) = (variable.to_str(), value.to_str()) else {
            // Not shown raw: it goes to a terminal.
            bail!(
                "the environment variable {} is not UTF-8",
                variable.display()
            );
        };
        let path = name.strip_prefix(PREFIX).unwrap_or(name);
        set(table, &path.to_lowercase(), value)
            .with_context(|| format!("in the environment variable {name}"))?;
        overrides.push(name.to_owned());
    }
    Ok(overrides)
}

/// Sets `section__key` in the table. A value that reads as TOML is one, anything else is a string.
fn set(table: &mut Table, path: &str, value: &str) -> Result<()> {
    let (section, key) = path
        .split_once("__")
        .context("expected FOREBAY__SECTION__KEY with one key of one section")?;
    let section = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    let section = section
        .as_table_mut()
        .context("the section is a list; set it in the file")?;
    let parsed = format!("value = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut t| t.remove("value"));
    section.insert(
        key.to_owned(),
        parsed.unwrap_or_else(|| Value::String(value.to_owned())),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn lay(variable: &[u8], value: &[u8]) -> Result<Vec<String>> {
        let pair = (
            OsString::from_vec(variable.to_vec()),
            OsString::from_vec(value.to_vec()),
        );
        lay_over(&mut Table::new(), [pair].into_iter())
    }

    #[test]
    fn only_ours_have_to_be_utf_8() {
        assert_eq!(lay(b"LS_COLORS", b"\xff").expect("not ours"), [""; 0]);
        assert_eq!(lay(b"\xff\xfe", b"x").expect("not ours"), [""; 0]);
        let cases: [(&[u8], &[u8], &str); 2] = [
            (
                b"FOREBAY__LOG__FILTER",
                b"\xff",
                "the environment variable FOREBAY__LOG__FILTER is not UTF-8",
            ),
            (
                b"FOREBAY__LOG__\xff",
                b"x",
                "the environment variable FOREBAY__LOG__\u{fffd} is not UTF-8",
            ),
        ];
        for (variable, value, expected) in cases {
            let error = lay(variable, value).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
    }
}
