//! The rule sets that are measured.

use rules::builtin::FILES;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;

use super::disk::Disk;

/// A set as it is to be loaded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Set {
    /// The rules that come with the program.
    BuiltIn,
    /// The Core Rule Set at a level of paranoia.
    Crs(u8),
}

impl Set {
    pub(crate) const ALL: [Self; 3] = [Self::BuiltIn, Self::Crs(1), Self::Crs(4)];

    pub(crate) fn name(self) -> String {
        match self {
            Self::BuiltIn => "built-in".to_owned(),
            Self::Crs(level) => format!("CRS PL{level}"),
        }
    }

    pub(crate) fn load(self) -> RuleSet {
        match self {
            Self::BuiltIn => built_in(),
            Self::Crs(level) => crs(level),
        }
    }
}

const BASE: &str = "SecRuleEngine On\nSecRequestBodyAccess On\nSecArgumentsLimit 65536\n\
    SecRule REQUEST_HEADERS:Content-Type \"@rx ^application/json\" \
    \"id:9599002,phase:1,pass,t:none,nolog,ctl:requestBodyProcessor=JSON\"\n";

fn built_in() -> RuleSet {
    let names = FILES.iter().map(|(name, _)| *name);
    let paths: Vec<&str> = std::iter::once("base").chain(names).collect();
    let texts: Texts = std::iter::once(("base", BASE)).chain(FILES.iter().copied()).collect();
    RuleSet::load(&paths, &texts).unwrap_or_else(|error| panic!("{error}"))
}

fn crs(level: u8) -> RuleSet {
    let entry = std::env::temp_dir().join(format!("palisade-bench-{}.conf", std::process::id()));
    std::fs::write(&entry, crs_entry(level, &crs_setup(), &crs_folder())).expect("a file");
    let path = entry.to_str().expect("a name");
    let set = RuleSet::load(&[path], &Disk).unwrap_or_else(|error| panic!("{error}"));
    std::fs::remove_file(&entry).expect("to remove it");
    set
}

/// The folder of the Core Rule Set's rules.
pub(crate) fn crs_folder() -> String {
    let folder = std::env::var("CRS4_DIR").expect("CRS4_DIR names a Core Rule Set");
    format!("{folder}/rules/@owasp_crs")
}

/// The file of its settings.
pub(crate) fn crs_setup() -> String {
    let folder = std::env::var("CRS4_DIR").expect("CRS4_DIR names a Core Rule Set");
    format!("{folder}/rules/@crs-setup.conf.example")
}

/// The text from which the rules in `folder` are loaded behind `setup` as the Core Rule Set's
/// instructions say, at a level of paranoia.
pub(crate) fn crs_entry(level: u8, setup: &str, folder: &str) -> String {
    format!(
        "{BASE}Include {setup}\n\
         SecAction \"id:9599901,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={level},\
         setvar:tx.detection_paranoia_level={level}\"\n\
         Include {folder}/*.conf\n"
    )
}
