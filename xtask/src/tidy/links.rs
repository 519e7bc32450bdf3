//! Links in our documents that lead to files: the file must be there.
//!
//! Only relative links are looked at; the network is not asked, and headings are not followed.

use std::{fs, path::Path};

use anyhow::Result;

use crate::workspace::Workspace;

/// Relative links in the documents of the root and of `docs/` that lead nowhere.
pub(crate) fn broken(workspace: &Workspace) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for folder in [workspace.root.clone(), workspace.root.join("docs")] {
        let mut documents: Vec<_> = fs::read_dir(&folder)?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        documents.sort();
        for document in documents {
            for link in links_of(&fs::read_to_string(&document)?) {
                if !leads_somewhere(&folder, link) {
                    let name = document.strip_prefix(&workspace.root).unwrap_or(&document);
                    complaints.push(format!("{}: the link {link} is broken", name.display()));
                }
            }
        }
    }
    Ok(complaints)
}

/// Where the links of a Markdown text lead, in order.
fn links_of(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|after| after.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

fn leads_somewhere(folder: &Path, link: &str) -> bool {
    let file = link.split('#').next().unwrap_or_default();
    file.is_empty() || file.contains("://") || folder.join(file).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_missing_file_is_found() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "[a](Cargo.toml), [b](gone.md#part), [c](https://example.com), [d](#part)";
        let broken: Vec<&str> =
            links_of(text).into_iter().filter(|link| !leads_somewhere(here, link)).collect();
        assert_eq!(broken, ["gone.md#part"]);
    }
}
