//! Where in a folder the Core Rule Set is: a checkout, Debian's package, or the Go module.

use std::path::{Path, PathBuf};

/// A Core Rule Set on disk.
#[derive(Debug)]
pub(super) struct CoreRuleSet {
    /// Its setup.
    pub(super) setup: PathBuf,
    /// The pattern of its rule files.
    pub(super) rules: PathBuf,
}

/// Where the rule files may be, from the folder that was named.
const RULES: [&str; 4] = ["rules/@owasp_crs", "rules", "@owasp_crs", ""];
/// Where the setup may be, the edited one first.
const SETUPS: [&str; 6] = [
    "crs-setup.conf",
    "../crs-setup.conf",
    "crs-setup.conf.example",
    "../crs-setup.conf.example",
    "@crs-setup.conf.example",
    "rules/@crs-setup.conf.example",
];
/// Debian keeps the setup where configuration belongs.
const DEBIAN_SETUP: &str = "/etc/modsecurity/crs/crs-setup.conf";
/// A file that every version of the set has.
const MARK: &str = "REQUEST-901-INITIALIZATION.conf";

impl CoreRuleSet {
    /// The set in `folder`, with the setup that was named or its own.
    ///
    /// # Errors
    /// When there is none, with the places that were looked at.
    pub(super) fn find(folder: &Path, setup: Option<&Path>) -> Result<Self, Vec<String>> {
        let shown = folder.display();
        if !folder.is_dir() {
            return Err(vec![format!(
                "rules.crs: {shown} is no folder\nhelp: name the folder of an OWASP Core Rule Set; \
                 Debian's package modsecurity-crs puts one at /usr/share/modsecurity-crs"
            )]);
        }
        let place = RULES.iter().map(|place| folder.join(place)).find(|it| it.join(MARK).is_file());
        let Some(place) = place else {
            let places: Vec<String> = RULES
                .iter()
                .map(|place| folder.join(place).join(MARK).display().to_string())
                .collect();
            return Err(vec![format!(
                "rules.crs: there is no Core Rule Set in {shown}: none of {}\nhelp: name the folder \
                 that holds `rules` and `crs-setup.conf.example`",
                places.join(", ")
            )]);
        };
        let setup = match setup {
            Some(named) if named.is_file() => named.to_path_buf(),
            Some(named) => {
                return Err(vec![format!(
                    "rules.setup: {} is no file\nhelp: name a copy of crs-setup.conf.example",
                    named.display()
                )]);
            }
            None => own_setup(folder, &place)?,
        };
        Ok(Self { setup, rules: place.join("*.conf") })
    }
}

fn own_setup(folder: &Path, place: &Path) -> Result<PathBuf, Vec<String>> {
    let beside = |from: &Path| SETUPS.iter().map(|name| from.join(name)).collect::<Vec<_>>();
    let mut places = beside(folder);
    places.extend(beside(place));
    places.push(PathBuf::from(DEBIAN_SETUP));
    places.into_iter().find(|it| it.is_file()).ok_or_else(|| {
        vec![format!(
            "rules.crs: {} has no crs-setup.conf, and no example of it\nhelp: name one in `setup`",
            folder.display()
        )]
    })
}
