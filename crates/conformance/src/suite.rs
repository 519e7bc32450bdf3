//! The tests as they stand in their files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::Engine as _;
use thiserror::Error;
use yaml_rust2::{Yaml, YamlLoader};

use crate::request;

/// All tests of a folder.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    tests: Vec<Test>,
}

/// Why a folder has no tests for us.
#[derive(Debug, Error)]
pub enum SuiteError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is no YAML, or does not say what a test says.
    #[error("{path}: {reason}")]
    Malformed {
        /// What.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A test.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    /// `920100-4`.
    pub(crate) name: String,
    pub(crate) stages: Vec<Stage>,
}

/// A request, and what is expected of it.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) input: Input,
    pub(crate) expected: Expected,
}

/// A request as it is described.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) data: Option<String>,
    /// The bytes to send; nothing else counts then.
    pub(crate) raw: Option<Vec<u8>>,
    /// Are headers added that clients send?
    pub(crate) completes_headers: bool,
}

/// What is expected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) status: Option<u16>,
    pub(crate) ids: Vec<u64>,
    pub(crate) absent_ids: Vec<u64>,
    pub(crate) pattern: Option<String>,
    pub(crate) absent_pattern: Option<String>,
    pub(crate) is_error: Option<bool>,
    /// The rule of `ids` is the only one.
    pub(crate) is_alone: bool,
}

impl Suite {
    /// Reads the files of a folder and of the folders in it.
    ///
    /// # Errors
    /// When one of them cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self, SuiteError> {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        let mut suite = Self::default();
        for path in files {
            let text = fs::read_to_string(&path)
                .map_err(|error| SuiteError::Unreadable { path: path.clone(), error })?;
            let tests = parse(&text).map_err(|reason| SuiteError::Malformed { path, reason })?;
            suite.tests.extend(tests);
        }
        Ok(suite)
    }

    /// The bytes of every request of the tests.
    pub fn requests(&self) -> impl Iterator<Item = Vec<u8>> {
        let stages = self.tests.iter().flat_map(|test| &test.stages);
        stages.map(|stage| request::serialise(&stage.input))
    }

    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// How many tests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    let unreadable = |error| SuiteError::Unreadable { path: folder.to_owned(), error };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    Ok(())
}

/// The tests of a file, which may hold several documents or none.
fn parse(text: &str) -> Result<Vec<Test>, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let mut tests = Vec::new();
    for document in &documents {
        let rule = scalar(&document["rule_id"]).unwrap_or_default();
        for (number, test) in (1..).zip(document["tests"].as_vec().into_iter().flatten()) {
            let id = scalar(&test["test_id"]).unwrap_or_else(|| i32::to_string(&number));
            let stages = test["stages"].as_vec().into_iter().flatten();
            let stages = stages.map(stage).collect::<Result<_, _>>()?;
            tests.push(Test { name: format!("{rule}-{id}"), stages });
        }
    }
    Ok(tests)
}

fn stage(stage: &Yaml) -> Result<Stage, String> {
    let input = &stage["input"];
    let headers = input["headers"].as_hash().into_iter().flatten();
    let headers = headers.filter_map(|(name, value)| Some((scalar(name)?, scalar(value)?)));
    let raw = scalar(&input["encoded_request"]).filter(|text| !text.is_empty());
    let raw = raw.map(|text| {
        let text: String = text.split_ascii_whitespace().collect();
        base64::prelude::BASE64_STANDARD.decode(text)
    });
    Ok(Stage {
        input: Input {
            method: scalar(&input["method"]).unwrap_or_else(|| "GET".to_owned()),
            uri: scalar(&input["uri"]).unwrap_or_else(|| "/".to_owned()),
            version: scalar(&input["version"]).unwrap_or_else(|| "HTTP/1.1".to_owned()),
            headers: headers.collect(),
            data: scalar(&input["data"]),
            raw: raw.transpose().map_err(|error| error.to_string())?,
            completes_headers: input["autocomplete_headers"].as_bool().unwrap_or(true),
        },
        expected: expected(&stage["output"]),
    })
}

fn expected(output: &Yaml) -> Expected {
    let log = &output["log"];
    let ids = |list: &Yaml| {
        let ids = list.as_vec().into_iter().flatten();
        ids.filter_map(|id| id.as_i64().and_then(|id| u64::try_from(id).ok())).collect()
    };
    Expected {
        status: output["status"].as_i64().and_then(|status| u16::try_from(status).ok()),
        ids: ids(&log["expect_ids"]),
        absent_ids: ids(&log["no_expect_ids"]),
        pattern: scalar(&log["match_regex"]),
        absent_pattern: scalar(&log["no_match_regex"]),
        is_error: output["expect_error"].as_bool(),
        is_alone: output["isolated"].as_bool().unwrap_or(false),
    }
}

/// A scalar as text.
fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(truth) => Some(truth.to_string()),
        Yaml::Null => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_says_what_to_send_and_what_to_expect() {
        let text = r#"---
rule_id: 942100
tests:
  - test_id: 3
    stages:
      - input:
          headers: { Host: localhost, X-Number: 5 }
          data: "a=1'"
          autocomplete_headers: false
        output:
          status: 400
          log: { expect_ids: [942100, 1], match_regex: 'ARGS:a' }
  - stages:
      - input: { encoded_request: "R0VUIC8=" }
        output: { log: { no_expect_ids: [7] } }
"#;
        let tests = parse(text).unwrap();
        let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["942100-3", "942100-2"]);
        let Stage { input, expected } = &tests[0].stages[0];
        assert_eq!((input.method.as_str(), input.uri.as_str()), ("GET", "/"));
        assert_eq!(input.headers[1], ("X-Number".to_owned(), "5".to_owned()));
        assert_eq!(input.data.as_deref(), Some("a=1'"));
        assert!(!input.completes_headers);
        assert_eq!((expected.status, expected.ids.as_slice()), (Some(400), &[942_100, 1][..]));
        assert_eq!(expected.pattern.as_deref(), Some("ARGS:a"));
        let second = &tests[1].stages[0];
        assert_eq!(second.input.raw.as_deref(), Some(&b"GET /"[..]));
        assert_eq!(second.expected.absent_ids, [7]);
        assert!(parse("").unwrap().is_empty());
    }
}
