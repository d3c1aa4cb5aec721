//! Objects and requests from files, and results to standard output.

use crate::failure::Failure;
use naru_domain::{fact::Fact, manifests, object::Kind, snapshot::Objects};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// No manifest is that long; a file that is was not meant.
const LIMIT: u64 = 64 << 20;

/// The objects of files and folders (all their `.yaml`, `.yml` and `.json`, not deeper), and of standard input for `-`.
pub(crate) fn objects(paths: &[PathBuf]) -> Result<Objects, Failure> {
    let documents = documents(paths)?;
    let (origins, documents): (Vec<PathBuf>, Vec<Value>) = documents.into_iter().unzip();
    manifests::objects(documents).map_err(|(index, malformed)| unusable(&origins[index], &malformed))
}

/// The same one by one, for who loads them elsewhere: those without which others cannot be come first, as kinds are ordered.
pub(crate) fn manifests(paths: &[PathBuf]) -> Result<Vec<(Kind, Value)>, Failure> {
    let mut all = Vec::new();
    for (origin, document) in documents(paths)? {
        let found = manifests::objects_of(document).map_err(|malformed| unusable(&origin, &malformed))?;
        all.extend(found);
    }
    all.sort_by_key(|(kind, _)| *kind);
    Ok(all)
}

/// The same, as what is kept of them.
pub(crate) fn facts(paths: &[PathBuf]) -> Result<Vec<Fact>, Failure> {
    let mut facts = Vec::new();
    for (kind, json) in manifests(paths)? {
        // What was read as a manifest is an object.
        facts.extend(Fact::read(kind, json));
    }
    Ok(facts)
}

/// Documents, each with the file that it is from.
fn documents(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Value)>, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        for file in files(path)? {
            let found = serde_saphyr::from_multiple::<Value>(&text(&file)?)
                .map_err(|error| unusable(&file, &error))?;
            documents.extend(found.into_iter().map(|document| (file.clone(), document)));
        }
    }
    Ok(documents)
}

/// A JSON document.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    serde_json::from_str(&text(path)?).map_err(|error| unusable(path, &error))
}

/// Writes to standard output; a reader that has seen enough is no fault.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough (`| head`).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::Fault(error.into())),
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let readable = |it: &PathBuf| {
        let kind = it.extension().and_then(|it| it.to_str());
        it.is_file() && matches!(kind, Some("yaml" | "yml" | "json"))
    };
    let entries = fs::read_dir(path).map_err(|error| unusable(path, &error))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(readable)
        .collect();
    found.sort();
    Ok(found)
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LIMIT).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(LIMIT).read_to_string(&mut text))
    };
    match read {
        Ok(read) if read as u64 == LIMIT => Err(unusable(path, &format!("longer than {} MB", LIMIT >> 20))),
        Ok(_) => Ok(text),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// The bytes of a file, or of standard input for `-`, as many of them as are wanted at most.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| unusable(path, &error))?;
    Ok(bytes)
}

fn unusable(path: &Path, detail: &dyn std::fmt::Display) -> Failure {
    Failure::File {
        path: path.into(),
        detail: detail.to_string(),
    }
}
