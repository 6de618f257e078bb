//! Scenario files, and one self-contained text made of each.
//!
//! The include is TypeScript's own directive, so that editors and the type check follow it; here its
//! line gives way to the file between `//#region` and `//#endregion`. The files are compiled into the
//! program; a folder `voximplant/` in the working directory wins, so that a scenario can be edited
//! without a compiler.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tracing::info;

/// The platform takes scripts below 128 KiB.
const BUNDLE_BYTES_MAX: usize = 128 * 1024 - 1;
const INCLUDE_BEGIN: &str = "/// <reference path=\"";
const INCLUDE_END: &str = "\" />";

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../voximplant/", $path))),)*];
    };
}

files![
    "modes.toml",
    "lib/grant.js",
    "lib/halo.js",
    "lib/inbound.js",
    "lib/media.js",
    "lib/mouth.js",
    "lib/realtime.js",
    "lib/ruler.js",
    "lib/sentences.js",
    "lib/tongue.js",
    "lib/wire.js",
    "scenario_greeting.js",
    "scenario_voice_dialog.js",
    "scenario_voice_realtime.js",
    "scenario_voice_realtime_pure.js",
    "scenario_voice_stream.js",
];

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("there is no file `{0}` among the scenarios")]
    Missing(String),
    #[error("scenario file {path}")]
    Read {
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("`{0}` lies outside the scenarios' folder")]
    Outside(String),
    #[error("{file} takes {bytes} bytes with its includes; the platform takes less than 128 KiB")]
    TooLong { file: String, bytes: usize },
}

/// Where scenario files come from.
#[derive(Clone, Debug)]
pub struct Sources(Option<PathBuf>);

/// One scenario, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    pub text: String,
    /// SHA-256 of the text: what was uploaded, and what an attempt played.
    pub fingerprint: String,
}

fn hash(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

impl Sources {
    /// The folder beside us if there is one, else what was compiled in; the log says which.
    pub fn beside(working_directory: &Path) -> Self {
        let folder = working_directory.join("voximplant");
        if folder.join("modes.toml").is_file() {
            info!("Scenarios are read from the folder voximplant/");
            return Sources(Some(folder));
        }
        info!("Scenarios are those this program was built with");
        Sources(None)
    }

    pub fn built_in() -> Self {
        Sources(None)
    }

    pub fn read(&self, path: &str) -> Result<Cow<'static, str>, BundleError> {
        if let Some(folder) = &self.0 {
            let text = std::fs::read_to_string(folder.join(path));
            return text.map(Cow::Owned).map_err(|cause| BundleError::Read { path: path.to_owned(), cause });
        }
        let found = FILES.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| Cow::Borrowed(*text)).ok_or_else(|| BundleError::Missing(path.to_owned()))
    }

    /// The file with everything it includes in its place, each once.
    pub fn bundle(&self, file: &str) -> Result<Bundle, BundleError> {
        let mut text = String::new();
        self.append(file, &mut BTreeSet::from([file.to_owned()]), &mut text)?;
        if text.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLong { file: file.to_owned(), bytes: text.len() });
        }
        let fingerprint = hash(&text);
        Ok(Bundle { text, fingerprint })
    }

    fn append(&self, file: &str, seen: &mut BTreeSet<String>, to: &mut String) -> Result<(), BundleError> {
        for line in self.read(file)?.lines() {
            let included = line.strip_prefix(INCLUDE_BEGIN).and_then(|rest| rest.strip_suffix(INCLUDE_END));
            let Some(included) = included else {
                to.push_str(line);
                to.push('\n');
                continue;
            };
            let path = resolve(file, included)?;
            if !seen.insert(path.clone()) {
                continue;
            }
            to.push_str(&format!("//#region {path} {}\n", hash(&self.read(&path)?)));
            self.append(&path, seen, to)?;
            to.push_str("//#endregion\n");
        }
        Ok(())
    }
}

/// A path relative to the including file, as one inside the folder.
fn resolve(from: &str, included: &str) -> Result<String, BundleError> {
    let outside = || BundleError::Outside(included.to_owned());
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in included.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop().ok_or_else(outside)?),
            "" => return Err(outside()),
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_whole_and_small_enough() {
        for (file, _) in FILES.iter().filter(|(file, _)| file.starts_with("scenario_")) {
            let bundle = Sources::built_in().bundle(file).unwrap();
            assert!(!bundle.text.contains(INCLUDE_BEGIN), "{file}");
            for name in ["halo", "ruler", "wire"] {
                assert_eq!(bundle.text.matches(&format!("const {name} = (() => {{")).count(), 1, "{name} in {file}");
            }
            assert_eq!(bundle.fingerprint, hash(&bundle.text));
        }
    }

    #[test]
    fn the_form_of_a_bundle() {
        let bundle = Sources::built_in().bundle("scenario_voice_realtime.js").unwrap();
        let form: Vec<&str> = bundle.text.lines().filter(|l| l.starts_with("//#") || l.starts_with("const ")).collect();
        let form: Vec<&str> =
            form.iter().map(|l| l.rsplit_once(' ').filter(|(_, h)| h.len() == 64).map_or(*l, |(a, _)| a)).collect();
        assert_eq!(
            form,
            [
                "//#region lib/halo.js",
                "//#region lib/tongue.js",
                "const tongue = (() => {",
                "//#endregion",
                "//#region lib/wire.js",
                "const wire = (() => {",
                "//#endregion",
                "//#region lib/ruler.js",
                "const ruler = (() => {",
                "//#endregion",
                "//#region lib/grant.js",
                "const leave = (() => {",
                "//#endregion",
                "//#region lib/mouth.js",
                "const mouth = (() => {",
                "//#endregion",
                "//#region lib/inbound.js",
                "const inbound = (() => {",
                "//#endregion",
                "const halo = (() => {",
                "//#endregion",
                "//#region lib/realtime.js",
                "const realtime = (() => {",
                "//#endregion",
            ]
        );
    }

    #[test]
    fn an_edited_folder_wins_and_nothing_outside_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("voximplant");
        std::fs::create_dir_all(files.join("lib")).unwrap();
        std::fs::write(files.join("modes.toml"), "mode = []").unwrap();
        std::fs::write(files.join("a.js"), "/// <reference path=\"./lib/b.js\" />\nrun();\n").unwrap();
        std::fs::write(files.join("lib/b.js"), "const b = 1;\n").unwrap();
        std::fs::write(files.join("out.js"), "/// <reference path=\"../secret.js\" />\n").unwrap();
        let sources = Sources::beside(folder.path());
        let bundle = sources.bundle("a.js").unwrap();
        let expected = format!("//#region lib/b.js {}\nconst b = 1;\n//#endregion\nrun();\n", hash("const b = 1;\n"));
        assert_eq!(bundle.text, expected);
        assert!(matches!(sources.bundle("out.js"), Err(BundleError::Outside(_))));
    }
}
