//! The rules that come with the program, as texts: `builtin/*.conf`.
//!
//! They are plain SecLang that ModSecurity and Coraza load, too. docs/rules-builtin.md says what
//! they cover and how they are numbered.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../builtin/", $name)))),*]
    };
}

/// Their names and texts, in the order in which they are read.
pub static FILES: &[(&str, &str)] = &files![
    "setup.conf",
    "cookie.conf",
    "deserialisation.conf",
    "encoded.conf",
    "expression-language.conf",
    "file-inclusion.conf",
    "graphql.conf",
    "header-and-log.conf",
    "ldap.conf",
    "log4shell.conf",
    "nosql.conf",
    "os-command.conf",
    "prototype-pollution.conf",
    "scanners.conf",
    "shellshock.conf",
    "spring4shell.conf",
    "sql.conf",
    "ssrf.conf",
    "template.conf",
    "traversal.conf",
    "unread.conf",
    "xpath.conf",
    "xss.conf",
    "xxe.conf",
    "kev/apache.conf",
    "kev/atlassian.conf",
    "kev/devices.conf",
    "kev/gateways.conf",
    "kev/java.conf",
    "kev/microsoft.conf",
    "kev/php.conf",
];
