//! Directives other than rules: what the engine is set to, what has no effect here, and what is
//! refused, each of the latter two with its reason.

use crate::rule_set::{OverLimit, Settings};

use super::{
    action::wrong,
    context::Context,
    control::{audit, engine, switch},
    error::Reason,
};

/// Directives that set something.
pub(super) const NAMES: [&str; 18] = [
    "SecArgumentSeparator",
    "SecArgumentsLimit",
    "SecAuditEngine",
    "SecCollectionTimeout",
    "SecComponentSignature",
    "SecRequestBodyAccess",
    "SecRequestBodyJsonDepthLimit",
    "SecRequestBodyLimit",
    "SecRequestBodyLimitAction",
    "SecRequestBodyNoFilesLimit",
    "SecResponseBodyAccess",
    "SecResponseBodyLimit",
    "SecResponseBodyLimitAction",
    "SecResponseBodyMimeType",
    "SecResponseBodyMimeTypesClear",
    "SecRuleEngine",
    "SecUploadFileLimit",
    "SecWebAppId",
];

const LINEAR: &str = "patterns take linear time here and need no limit";
const OWN_LOG: &str = "the gateway keeps events of its own";
const NO_FILES: &str = "nothing is written to disk";
const OUTSIDE: &str = "nothing outside is asked";
const APACHE: &str = "it concerns the Apache server alone";

/// Directives that were understood and change nothing here, and why.
const WITHOUT_EFFECT: [(&str, &str); 48] = [
    ("SecAuditLog", OWN_LOG),
    ("SecAuditLog2", OWN_LOG),
    ("SecAuditLogDir", OWN_LOG),
    ("SecAuditLogDirMode", OWN_LOG),
    ("SecAuditLogFileMode", OWN_LOG),
    ("SecAuditLogFormat", OWN_LOG),
    ("SecAuditLogParts", OWN_LOG),
    ("SecAuditLogPrefix", OWN_LOG),
    ("SecAuditLogRelevantStatus", OWN_LOG),
    ("SecAuditLogStorageDir", OWN_LOG),
    ("SecAuditLogType", OWN_LOG),
    ("SecCacheTransformations", "what is worth keeping is kept"),
    ("SecChrootDir", APACHE),
    ("SecConnEngine", APACHE),
    ("SecConnReadStateLimit", APACHE),
    ("SecConnWriteStateLimit", APACHE),
    ("SecCookieFormat", "cookies are read as browsers send them, whatever their version"),
    ("SecCookieV0Separator", "cookies are separated by ; as browsers send them"),
    ("SecDataDir", NO_FILES),
    ("SecDebugLog", "there is no debug log of rules"),
    ("SecDebugLogLevel", "there is no debug log of rules"),
    ("SecDisableBackendCompression", "compressed answers are read as they are"),
    ("SecGeoLookupDb", OUTSIDE),
    ("SecGsbLookupDb", OUTSIDE),
    ("SecGuardianLog", OWN_LOG),
    ("SecHttpBlKey", OUTSIDE),
    ("SecInterceptOnError", "a rule has no error while it runs"),
    ("SecPcreMatchLimit", LINEAR),
    ("SecPcreMatchLimitRecursion", LINEAR),
    ("SecReadStateLimit", APACHE),
    ("SecRemoteRulesFailAction", OUTSIDE),
    ("SecRequestBodyInMemoryLimit", NO_FILES),
    ("SecResponseBodyJsonDepthLimit", "answers are not taken apart"),
    ("SecRuleInheritance", "there is one scope"),
    ("SecRulePerfTime", "the cost of rules is counted anyhow"),
    ("SecSensorId", OWN_LOG),
    ("SecServerSignature", APACHE),
    ("SecStatusEngine", "nobody is told of this installation"),
    ("SecTmpDir", NO_FILES),
    ("SecTmpSaveUploadedFiles", NO_FILES),
    ("SecUnicodeCodePage", "%u is read as Windows-1252 and its best fits"),
    ("SecUnicodeMap", "%u is read as Windows-1252 and its best fits"),
    ("SecUnicodeMapFile", "%u is read as Windows-1252 and its best fits"),
    ("SecUploadDir", NO_FILES),
    ("SecUploadFileMode", NO_FILES),
    ("SecUploadKeepFiles", NO_FILES),
    ("SecWriteStateLimit", APACHE),
    ("SecRxPreFilter", "patterns are always searched for literals first"),
];

/// Directives that may be off, and are refused otherwise, and why.
const OFF_ONLY: [(&str, &str); 7] = [
    ("SecContentInjection", "answers are not rewritten"),
    ("SecHashEngine", "links are not signed"),
    ("SecIgnoreRuleCompilationErrors", "what is not understood is always an error"),
    ("SecParseXmlIntoArgs", "the texts of a document are in XML"),
    ("SecStreamInBodyInspection", "bodies are not rewritten; write REQUEST_BODY"),
    ("SecStreamOutBodyInspection", "bodies are not rewritten; write RESPONSE_BODY"),
    ("SecXmlExternalEntity", "entities are never followed"),
];

/// Directives that are refused, and why.
const REFUSED: [(&str, &str); 9] = [
    ("SecDataset", "data sets are Coraza's; write a file and @pmFromFile"),
    ("SecEncryptionEngine", "links are not signed"),
    ("SecHashKey", "links are not signed"),
    ("SecHashMethodPm", "links are not signed"),
    ("SecHashMethodRx", "links are not signed"),
    ("SecHashParam", "links are not signed"),
    ("SecRemoteRules", "rules are read from files alone"),
    ("SecRuleScript", "programs are not run"),
    ("SecRuleUpdateOperatorById", "no engine has it; write the rule anew under another id"),
];

/// Every name that is known here, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let others = [WITHOUT_EFFECT.as_slice(), &OFF_ONLY, &REFUSED].into_iter().flatten();
    NAMES.into_iter().chain(others.map(|(name, _)| *name))
}

/// Carries out a directive that concerns no rule; nothing when there is none of that name.
pub(super) fn set(
    name: &str,
    arguments: &[Vec<u8>],
    settings: &mut Settings,
    context: &mut Context<'_>,
) -> Option<Result<(), Reason>> {
    let is = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(name);
    if let Some((known, why)) = WITHOUT_EFFECT.iter().find(is) {
        context.note(format!("{known} has no effect: {why}"));
        return Some(Ok(()));
    }
    if let Some((known, why)) = REFUSED.iter().find(is) {
        return Some(Err(Reason::new(format!("{known} is not supported: {why}"))));
    }
    if let Some((known, why)) = OFF_ONLY.iter().find(is) {
        let is_off = matches!(arguments, [it] if it.eq_ignore_ascii_case(b"off"));
        return Some(if is_off {
            Ok(())
        } else {
            Err(Reason::new(format!("{known} can only be Off: {why}")))
        });
    }
    let known = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
    Some(change(known, arguments, settings))
}

/// Carries out the directive `name`, one of [`NAMES`].
fn change(name: &str, arguments: &[Vec<u8>], settings: &mut Settings) -> Result<(), Reason> {
    if name == "SecResponseBodyMimeType" {
        return media_types(arguments, settings);
    }
    if name == "SecResponseBodyMimeTypesClear" {
        settings.response_media_types.clear();
        return Ok(());
    }
    let [value] = arguments else {
        return Err(Reason::new(format!("{name} takes one value")));
    };
    let text = || Box::from(String::from_utf8_lossy(value));
    match name {
        "SecArgumentSeparator" => match value.as_slice() {
            [separator] => settings.argument_separator = *separator,
            _ => return Err(wrong(name, value, "one character")),
        },
        "SecArgumentsLimit" => settings.arguments_max = size(name, value)?,
        "SecAuditEngine" => settings.audit = audit(value)?,
        "SecCollectionTimeout" => {
            let seconds = u32::try_from(size(name, value)?);
            settings.collection_timeout_s = seconds.unwrap_or(u32::MAX);
        }
        "SecComponentSignature" => settings.signatures.push(text()),
        "SecRequestBodyAccess" => settings.request_body_access = switch(name, value)?,
        "SecRequestBodyJsonDepthLimit" => settings.json_depth_max = size(name, value)?,
        "SecRequestBodyLimit" => settings.request_body_bytes_max = size(name, value)?,
        "SecRequestBodyLimitAction" => {
            settings.request_body_over_limit = over_limit(name, value)?;
        }
        "SecRequestBodyNoFilesLimit" => {
            settings.request_body_no_files_bytes_max = size(name, value)?;
        }
        "SecResponseBodyAccess" => settings.response_body_access = switch(name, value)?,
        "SecResponseBodyLimit" => settings.response_body_bytes_max = size(name, value)?,
        "SecResponseBodyLimitAction" => {
            settings.response_body_over_limit = over_limit(name, value)?;
        }
        "SecRuleEngine" => settings.engine = engine(value)?,
        "SecUploadFileLimit" => settings.files_max = size(name, value)?,
        _ => settings.web_app_id = Some(text()),
    }
    Ok(())
}

/// Types are added to those that directives named before. The first directive replaces the types
/// that stand for no directive at all.
fn media_types(arguments: &[Vec<u8>], settings: &mut Settings) -> Result<(), Reason> {
    if arguments.is_empty() {
        return Err(Reason::new("SecResponseBodyMimeType takes media types"));
    }
    if settings.response_media_types == Settings::default().response_media_types {
        settings.response_media_types.clear();
    }
    let given = arguments.iter().flat_map(|types| types.split(u8::is_ascii_whitespace));
    for given in given.filter(|given| !given.is_empty()) {
        let name = given.split(|byte| *byte == b';').next().unwrap_or_default();
        let name: Box<str> = String::from_utf8_lossy(name).to_ascii_lowercase().into();
        if !settings.response_media_types.contains(&name) {
            settings.response_media_types.push(name);
        }
    }
    Ok(())
}

fn size(name: &str, value: &[u8]) -> Result<usize, Reason> {
    let digits = std::str::from_utf8(value).ok().filter(|text| !text.starts_with('+'));
    let number = digits.and_then(|text| text.parse().ok());
    number.ok_or_else(|| wrong(name, value, "a number that is not negative"))
}

fn over_limit(name: &str, value: &[u8]) -> Result<OverLimit, Reason> {
    match value.to_ascii_lowercase().as_slice() {
        b"processpartial" => Ok(OverLimit::ProcessPartial),
        b"reject" => Ok(OverLimit::Reject),
        _ => Err(wrong(name, value, "ProcessPartial or Reject")),
    }
}
