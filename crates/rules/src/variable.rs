//! The variables that rules can name: what of an exchange a rule looks at.
//!
//! A variable is one value (`REQUEST_METHOD`) or a collection of named ones (`ARGS`). Where the
//! values come from is the transaction's concern; here is only what there is, how it is spelt, and
//! how the names within a collection are compared.

/// A variable of SecLang.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each is documented by SecLang under the name that it has here")]
pub enum Variable {
    Args,
    ArgsCombinedSize,
    ArgsGet,
    ArgsGetNames,
    ArgsNames,
    ArgsPath,
    ArgsPost,
    ArgsPostNames,
    AuthType,
    Duration,
    Env,
    Files,
    FilesCombinedSize,
    FilesNames,
    FilesSizes,
    FilesTmpContent,
    FilesTmpNames,
    FullRequest,
    FullRequestLength,
    Geo,
    Global,
    HighestSeverity,
    InboundDataError,
    Ip,
    MatchedVar,
    MatchedVarName,
    MatchedVars,
    MatchedVarsNames,
    ModsecBuild,
    MultipartBoundaryQuoted,
    MultipartBoundaryWhitespace,
    MultipartCrlfLfLines,
    MultipartDataAfter,
    MultipartDataBefore,
    MultipartFileLimitExceeded,
    MultipartFilename,
    MultipartHeaderFolding,
    MultipartInvalidHeaderFolding,
    MultipartInvalidPart,
    MultipartInvalidQuoting,
    MultipartLfLine,
    MultipartMissingSemicolon,
    MultipartName,
    MultipartPartHeaders,
    MultipartStrictError,
    MultipartUnmatchedBoundary,
    OutboundDataError,
    PathInfo,
    QueryString,
    RemoteAddr,
    RemoteHost,
    RemotePort,
    RemoteUser,
    ReqbodyError,
    ReqbodyErrorMsg,
    ReqbodyProcessor,
    ReqbodyProcessorError,
    ReqbodyProcessorErrorMsg,
    RequestBasename,
    RequestBody,
    RequestBodyLength,
    RequestCookies,
    RequestCookiesNames,
    RequestFilename,
    RequestHeaders,
    RequestHeadersNames,
    RequestLine,
    RequestMethod,
    RequestProtocol,
    RequestUri,
    RequestUriRaw,
    Resource,
    ResponseBody,
    ResponseContentLength,
    ResponseContentType,
    ResponseHeaders,
    ResponseHeadersNames,
    ResponseProtocol,
    ResponseStatus,
    Rule,
    ServerAddr,
    ServerName,
    ServerPort,
    Session,
    SessionId,
    StatusLine,
    Time,
    TimeDay,
    TimeEpoch,
    TimeHour,
    TimeMin,
    TimeMon,
    TimeSec,
    TimeWday,
    TimeYear,
    Tx,
    UniqueId,
    UrlencodedError,
    User,
    UserId,
    WebappId,
    Xml,
}

/// How many values a variable has, and how the names of a collection are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// One value, which may be absent.
    Single,
    /// Named values; a selector's name is compared in any case of ASCII letters.
    AnyCase,
    /// Named values; a selector's name is compared byte by byte.
    ExactCase,
}

use Shape::{AnyCase, ExactCase, Single};

/// Every variable beside its name; where there are two spellings, first the usual one.
const NAMES: [(&str, Variable, Shape); 104] = [
    ("ARGS", Variable::Args, AnyCase),
    ("ARGS_COMBINED_SIZE", Variable::ArgsCombinedSize, Single),
    ("ARGS_GET", Variable::ArgsGet, AnyCase),
    ("ARGS_GET_NAMES", Variable::ArgsGetNames, AnyCase),
    ("ARGS_NAMES", Variable::ArgsNames, AnyCase),
    ("ARGS_PATH", Variable::ArgsPath, AnyCase),
    ("ARGS_POST", Variable::ArgsPost, AnyCase),
    ("ARGS_POST_NAMES", Variable::ArgsPostNames, AnyCase),
    ("AUTH_TYPE", Variable::AuthType, Single),
    ("DURATION", Variable::Duration, Single),
    ("ENV", Variable::Env, ExactCase),
    ("FILES", Variable::Files, AnyCase),
    ("FILES_COMBINED_SIZE", Variable::FilesCombinedSize, Single),
    ("FILES_NAMES", Variable::FilesNames, AnyCase),
    ("FILES_SIZES", Variable::FilesSizes, AnyCase),
    ("FILES_TMP_CONTENT", Variable::FilesTmpContent, AnyCase),
    ("FILES_TMPNAMES", Variable::FilesTmpNames, AnyCase),
    ("FULL_REQUEST", Variable::FullRequest, Single),
    ("FULL_REQUEST_LENGTH", Variable::FullRequestLength, Single),
    ("GEO", Variable::Geo, AnyCase),
    ("GLOBAL", Variable::Global, AnyCase),
    ("HIGHEST_SEVERITY", Variable::HighestSeverity, Single),
    ("INBOUND_DATA_ERROR", Variable::InboundDataError, Single),
    ("IP", Variable::Ip, AnyCase),
    ("MATCHED_VAR", Variable::MatchedVar, Single),
    ("MATCHED_VAR_NAME", Variable::MatchedVarName, Single),
    ("MATCHED_VARS", Variable::MatchedVars, AnyCase),
    ("MATCHED_VARS_NAMES", Variable::MatchedVarsNames, AnyCase),
    ("MODSEC_BUILD", Variable::ModsecBuild, Single),
    ("MULTIPART_BOUNDARY_QUOTED", Variable::MultipartBoundaryQuoted, Single),
    ("MULTIPART_BOUNDARY_WHITESPACE", Variable::MultipartBoundaryWhitespace, Single),
    ("MULTIPART_CRLF_LF_LINES", Variable::MultipartCrlfLfLines, Single),
    ("MULTIPART_DATA_AFTER", Variable::MultipartDataAfter, Single),
    ("MULTIPART_DATA_BEFORE", Variable::MultipartDataBefore, Single),
    ("MULTIPART_FILE_LIMIT_EXCEEDED", Variable::MultipartFileLimitExceeded, Single),
    ("MULTIPART_FILENAME", Variable::MultipartFilename, AnyCase),
    ("MULTIPART_HEADER_FOLDING", Variable::MultipartHeaderFolding, Single),
    ("MULTIPART_INVALID_HEADER_FOLDING", Variable::MultipartInvalidHeaderFolding, Single),
    ("MULTIPART_INVALID_PART", Variable::MultipartInvalidPart, Single),
    ("MULTIPART_INVALID_QUOTING", Variable::MultipartInvalidQuoting, Single),
    ("MULTIPART_LF_LINE", Variable::MultipartLfLine, Single),
    ("MULTIPART_MISSING_SEMICOLON", Variable::MultipartMissingSemicolon, Single),
    ("MULTIPART_SEMICOLON_MISSING", Variable::MultipartMissingSemicolon, Single),
    ("MULTIPART_NAME", Variable::MultipartName, AnyCase),
    ("MULTIPART_PART_HEADERS", Variable::MultipartPartHeaders, AnyCase),
    ("MULTIPART_STRICT_ERROR", Variable::MultipartStrictError, Single),
    ("MULTIPART_UNMATCHED_BOUNDARY", Variable::MultipartUnmatchedBoundary, Single),
    ("OUTBOUND_DATA_ERROR", Variable::OutboundDataError, Single),
    ("PATH_INFO", Variable::PathInfo, Single),
    ("QUERY_STRING", Variable::QueryString, Single),
    ("REMOTE_ADDR", Variable::RemoteAddr, Single),
    ("REMOTE_HOST", Variable::RemoteHost, Single),
    ("REMOTE_PORT", Variable::RemotePort, Single),
    ("REMOTE_USER", Variable::RemoteUser, Single),
    ("REQBODY_ERROR", Variable::ReqbodyError, Single),
    ("REQBODY_ERROR_MSG", Variable::ReqbodyErrorMsg, Single),
    ("REQBODY_PROCESSOR", Variable::ReqbodyProcessor, Single),
    ("REQBODY_PROCESSOR_ERROR", Variable::ReqbodyProcessorError, Single),
    ("REQBODY_PROCESSOR_ERROR_MSG", Variable::ReqbodyProcessorErrorMsg, Single),
    ("REQUEST_BASENAME", Variable::RequestBasename, Single),
    ("REQUEST_BODY", Variable::RequestBody, Single),
    ("REQUEST_BODY_LENGTH", Variable::RequestBodyLength, Single),
    ("REQUEST_COOKIES", Variable::RequestCookies, ExactCase),
    ("REQUEST_COOKIES_NAMES", Variable::RequestCookiesNames, ExactCase),
    ("REQUEST_FILENAME", Variable::RequestFilename, Single),
    ("REQUEST_HEADERS", Variable::RequestHeaders, AnyCase),
    ("REQUEST_HEADERS_NAMES", Variable::RequestHeadersNames, AnyCase),
    ("REQUEST_LINE", Variable::RequestLine, Single),
    ("REQUEST_METHOD", Variable::RequestMethod, Single),
    ("REQUEST_PROTOCOL", Variable::RequestProtocol, Single),
    ("REQUEST_URI", Variable::RequestUri, Single),
    ("REQUEST_URI_RAW", Variable::RequestUriRaw, Single),
    ("RESOURCE", Variable::Resource, AnyCase),
    ("RESPONSE_BODY", Variable::ResponseBody, Single),
    ("RESPONSE_CONTENT_LENGTH", Variable::ResponseContentLength, Single),
    ("RESPONSE_CONTENT_TYPE", Variable::ResponseContentType, Single),
    ("RESPONSE_HEADERS", Variable::ResponseHeaders, AnyCase),
    ("RESPONSE_HEADERS_NAMES", Variable::ResponseHeadersNames, AnyCase),
    ("RESPONSE_PROTOCOL", Variable::ResponseProtocol, Single),
    ("RESPONSE_STATUS", Variable::ResponseStatus, Single),
    ("RULE", Variable::Rule, AnyCase),
    ("SERVER_ADDR", Variable::ServerAddr, Single),
    ("SERVER_NAME", Variable::ServerName, Single),
    ("SERVER_PORT", Variable::ServerPort, Single),
    ("SESSION", Variable::Session, AnyCase),
    ("SESSIONID", Variable::SessionId, Single),
    ("STATUS", Variable::ResponseStatus, Single),
    ("STATUS_LINE", Variable::StatusLine, Single),
    ("TIME", Variable::Time, Single),
    ("TIME_DAY", Variable::TimeDay, Single),
    ("TIME_EPOCH", Variable::TimeEpoch, Single),
    ("TIME_HOUR", Variable::TimeHour, Single),
    ("TIME_MIN", Variable::TimeMin, Single),
    ("TIME_MON", Variable::TimeMon, Single),
    ("TIME_SEC", Variable::TimeSec, Single),
    ("TIME_WDAY", Variable::TimeWday, Single),
    ("TIME_YEAR", Variable::TimeYear, Single),
    ("TX", Variable::Tx, AnyCase),
    ("UNIQUE_ID", Variable::UniqueId, Single),
    ("URLENCODED_ERROR", Variable::UrlencodedError, Single),
    ("USER", Variable::User, AnyCase),
    ("USERID", Variable::UserId, Single),
    ("WEBAPPID", Variable::WebappId, Single),
    ("XML", Variable::Xml, ExactCase),
];

impl Variable {
    /// The variable of that name, in any case of letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let entry = NAMES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
        entry.map(|(_, variable, _)| *variable)
    }

    /// All names, in capitals.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().map(|(name, ..)| name)
    }

    /// Its usual name, in capitals.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, it, _)| *it == self).map_or("", |(name, ..)| name)
    }

    /// How many values it has, and how their names are compared.
    #[must_use]
    pub fn shape(self) -> Shape {
        NAMES.iter().find(|(_, it, _)| *it == self).map_or(Single, |(.., shape)| *shape)
    }

    /// The name of one of its values as it is compared: in small ASCII letters unless the
    /// collection tells them apart.
    #[must_use]
    pub fn key(self, name: &[u8]) -> Box<[u8]> {
        match self.shape() {
            ExactCase => name.into(),
            AnyCase | Single => name.to_ascii_lowercase().into(),
        }
    }

    /// Is it a collection of named values?
    #[must_use]
    pub fn is_collection(self) -> bool {
        self.shape() != Single
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_leads_to_its_variable_and_back() {
        for (name, variable, shape) in NAMES {
            assert_eq!(Variable::named(name), Some(variable), "{name}");
            assert_eq!(Variable::named(&name.to_lowercase()), Some(variable), "{name}");
            assert_eq!(Variable::named(variable.name()), Some(variable), "{name}");
            assert_eq!(variable.shape(), shape, "{name}");
        }
        assert_eq!(Variable::named("ARGSS"), None);
    }
}
