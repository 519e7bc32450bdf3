//! Where the Core Rule Sets are.

use rules::seclang::Files as _;

use super::disk::Disk;

/// The folder that an environment variable names.
pub(crate) fn folder(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names no folder"))
}

/// The files of the Core Rule Set 4 in the order in which they are loaded.
pub(crate) fn crs4() -> Vec<String> {
    let rules = folder("CRS4_DIR") + "/rules";
    let mut files = vec![format!("{rules}/@crs-setup.conf.example")];
    files.extend(Disk.expand(&format!("{rules}/@owasp_crs/*.conf")).expect("the folder of rules"));
    files
}

/// The same for Debian's 3.3.4.
pub(crate) fn crs3() -> Vec<String> {
    let root = folder("CRS3_DIR");
    let etc = root.clone() + "/etc/modsecurity/crs";
    let mut files = vec![
        format!("{etc}/crs-setup.conf"),
        format!("{etc}/REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf"),
    ];
    let rules = root + "/usr/share/modsecurity-crs/rules/*.conf";
    files.extend(Disk.expand(&rules).expect("the folder of rules"));
    files.push(format!("{etc}/RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf"));
    files
}
