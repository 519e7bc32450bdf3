//! The built-in rule set: SecLang of our own that needs nothing installed.
//!
//! The texts stand in `builtin/`, one file for a class of attack, and in `builtin/kev/` for virtual
//! patches. They are compiled into the program; beside each stands a file of examples that tests
//! run. What the set covers is told in `docs/rules-builtin.md`.

/// A file of the set: its name and its SecLang.
pub type File = (&'static str, &'static str);

/// Rules for classes of attacks, in the order in which they load.
pub const CLASSES: &[File] = &[
    ("setup.conf", include_str!("../builtin/setup.conf")),
    ("cookie.conf", include_str!("../builtin/cookie.conf")),
    ("deserialisation.conf", include_str!("../builtin/deserialisation.conf")),
    ("encoded.conf", include_str!("../builtin/encoded.conf")),
    ("expression-language.conf", include_str!("../builtin/expression-language.conf")),
    ("file-inclusion.conf", include_str!("../builtin/file-inclusion.conf")),
    ("graphql.conf", include_str!("../builtin/graphql.conf")),
    ("header-and-log.conf", include_str!("../builtin/header-and-log.conf")),
    ("ldap.conf", include_str!("../builtin/ldap.conf")),
    ("log4shell.conf", include_str!("../builtin/log4shell.conf")),
    ("nosql.conf", include_str!("../builtin/nosql.conf")),
    ("os-command.conf", include_str!("../builtin/os-command.conf")),
    ("prototype-pollution.conf", include_str!("../builtin/prototype-pollution.conf")),
    ("scanners.conf", include_str!("../builtin/scanners.conf")),
    ("shellshock.conf", include_str!("../builtin/shellshock.conf")),
    ("spring4shell.conf", include_str!("../builtin/spring4shell.conf")),
    ("sql.conf", include_str!("../builtin/sql.conf")),
    ("ssrf.conf", include_str!("../builtin/ssrf.conf")),
    ("template.conf", include_str!("../builtin/template.conf")),
    ("traversal.conf", include_str!("../builtin/traversal.conf")),
    ("xpath.conf", include_str!("../builtin/xpath.conf")),
    ("xss.conf", include_str!("../builtin/xss.conf")),
    ("xxe.conf", include_str!("../builtin/xxe.conf")),
];

/// Virtual patches: one rule for one flaw of one product.
pub const VIRTUAL_PATCHES: &[File] = &[
    ("kev/apache.conf", include_str!("../builtin/kev/apache.conf")),
    ("kev/atlassian.conf", include_str!("../builtin/kev/atlassian.conf")),
    ("kev/devices.conf", include_str!("../builtin/kev/devices.conf")),
    ("kev/gateways.conf", include_str!("../builtin/kev/gateways.conf")),
    ("kev/java.conf", include_str!("../builtin/kev/java.conf")),
    ("kev/microsoft.conf", include_str!("../builtin/kev/microsoft.conf")),
    ("kev/php.conf", include_str!("../builtin/kev/php.conf")),
];

/// Every file, in the order in which they load.
pub fn files() -> impl Iterator<Item = &'static File> {
    CLASSES.iter().chain(VIRTUAL_PATCHES)
}
