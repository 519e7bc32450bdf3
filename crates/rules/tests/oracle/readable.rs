//! A Core Rule Set as libmodsecurity 3.0.9 reads it: to its grammar a `SecRule` without actions is
//! an error, though the last of a chain needs none, and version 4.25 has some (the first is behind
//! 949111). They are given `t:none`, which is what they have anyway.

use std::fs;
use std::path::Path;

/// Copies the files in `folder` to `copies`, and names the rule files among them in order.
pub(crate) fn readable(folder: &Path, copies: &Path) -> Vec<String> {
    fs::create_dir_all(copies).expect("a folder");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of rules") {
        let path = entry.expect("an entry").path();
        let copy = copies.join(path.file_name().expect("a name"));
        if path.extension().is_some_and(|end| end == "conf") {
            let text = fs::read_to_string(&path).expect("a text");
            let lines: String = text.lines().map(|line| with_actions(line) + "\n").collect();
            fs::write(&copy, lines).expect("written");
            files.push(copy.display().to_string());
        } else {
            fs::copy(&path, &copy).expect("copied");
        }
    }
    files.sort();
    files
}

fn with_actions(line: &str) -> String {
    let is_whole = line.matches('"').count() == 2 && !line.ends_with('\\');
    let is_bare = is_whole && line.trim_start().starts_with("SecRule ");
    if is_bare { format!("{line} \"t:none\"") } else { line.to_owned() }
}
