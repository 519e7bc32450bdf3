//! What is known of one request while it is on its way.

use std::net::IpAddr;
use std::sync::Arc;

use caller::{Attempted, Callers, Sighting};
use catalog::{Place, Query, RoleHint};
use conduct::{Act, Decoy, Guess, Keys, Program, Variant, Wanted};
use http::{HeaderName, HeaderValue, Method};
use traffic::event::EventRule;
use traffic::media::Media;
use traffic::recording::RulesPart;
use traffic::sniff::{self, Look};
use traffic::{
    AnswerHead, Digest, EndpointId, EventId, Fields, Hasher, Identity, Layer, Mode, Path, Role,
    SurfaceHint, Timestamp, Verdict,
};

use crate::inspection::Inspection;
use crate::policy::{Policy, RouteRef};
use crate::record::Draft;

/// Answers of log-in and code endpoints are read up to here.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// So many fields of a body are read at first. It is more than tells what a request is for; the
/// others are read where it matters which account it names, and cost a large body more than all
/// else that is done to it.
const FIELDS_READ_FIRST: usize = 256;

/// How much of a request's body was looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum BodySeen {
    /// All of it; there may have been none.
    #[default]
    Whole,
    /// Its beginning.
    InPart,
    /// Nothing.
    NotAtAll,
}

/// One request on its way through.
#[derive(Debug)]
pub struct Pass {
    pub(crate) id: EventId,
    pub(crate) policy: Arc<Policy>,
    pub(crate) policy_version: u64,
    pub(crate) route: RouteRef,
    pub(crate) modes: [Mode; Layer::ALL.len()],
    pub(crate) method: Method,
    pub(crate) authority: String,
    pub(crate) path: Path,
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) peer_ja4: Option<Box<str>>,
    pub(crate) media: Media,
    pub(crate) fields: Fields,
    /// It has a body of which nothing was read, or not yet.
    pub(crate) is_body_unread: bool,
    pub(crate) sighting: Sighting,
    /// What the request alone suggests; read when it is decided, with the body if there is one.
    pub(crate) hint: RoleHint,
    pub(crate) wanted: Wanted,
    pub(crate) variant: Variant,
    pub(crate) program: Program,
    /// Another site may have made a browser send it.
    pub(crate) is_provoked: bool,
    /// The secrets in it, where the request alone suggests that it tries some.
    pub(crate) tried: Option<caller::Tried>,
    /// Whether a recording says that its password was one of the most common.
    pub(crate) had_common_password: bool,
    /// What the request says of the face that it touches.
    pub(crate) surface: SurfaceHint,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) notes: Vec<&'static str>,
    pub(crate) body_seen: BodySeen,
    pub(crate) settled: Option<Box<Settled>>,
    pub(crate) draft: Option<Box<Draft>>,
    /// What rules make of it, where there are any.
    pub(crate) inspection: Option<Box<Inspection>>,
}

/// What was decided, and on which facts.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) place: Place,
    pub(crate) act: Act,
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
    /// Its place among the unanswered attempts.
    pub(crate) ticket: Option<conduct::Place>,
    pub(crate) reads_answer: bool,
}

// === impl Settled ===

impl Settled {
    /// As whom an endpoint counts this caller: whom its credential speaks for, else the session,
    /// else the device at its address, for a browser alone is what thousands have in common. Of a
    /// credential that was refused nobody knows whose it is, and anyone can make up many: that is
    /// the device, too. A token that was just handed out counts as the account it is for, or each
    /// log-in would be a caller of its own.
    pub(crate) fn counted_caller(&self, callers: &Callers, status: u16) -> Digest {
        let identity = &self.act.identity;
        let entering = callers.entering(identity);
        let speaks_for = entering.or(identity.principal).or(identity.session);
        let taken = speaks_for.filter(|_| !matches!(status, 401 | 403));
        taken.unwrap_or_else(|| self.act.keys.address.then(identity.device))
    }
}

// === impl Pass ===

impl Pass {
    /// How much of the request's body is to be held back and handed to [`Pass::read_body`] before
    /// the decision; none when it is to stream on.
    pub fn body_wanted(&self) -> Option<usize> {
        (self.is_asked() && self.media.can_carry_attack()).then(|| self.inspect_bytes())
    }

    /// [`Pass::body_wanted`] of a body that is here as far as it will ever be.
    pub fn wanted_of(&mut self, body: &[u8], is_complete: bool) -> Option<usize> {
        if self.doubts_body() {
            self.recognise(body, is_complete);
        }
        self.body_wanted()
    }

    /// Whether a layer enforces that goes by what bodies say: then none goes on unread.
    pub fn must_read_body(&self) -> bool {
        let enforces = |layer| self.mode(layer) == Mode::Enforce;
        let reads_rules = enforces(Layer::Rules) && self.inspection.is_some();
        (reads_rules || enforces(Layer::Takeover)) && self.inspect_bytes() > 0
    }

    /// Whether the body calls itself something that is not read: then its first bytes tell what it
    /// is, see [`Pass::recognise`]. Of gRPC nothing is awaited, since its callers may await us.
    pub fn doubts_body(&self) -> bool {
        let is_read = self.body_wanted().is_some() || self.is_grpc();
        self.is_asked() && !is_read && self.inspect_bytes() > 0
    }

    /// Whether the body calls itself a stream of gRPC messages.
    pub fn is_grpc(&self) -> bool {
        self.media == Media::Grpc
    }

    /// Reads the body as what it begins like, whatever its type says. Says whether it is like
    /// anything; none when more of it is needed to tell.
    pub fn recognise(&mut self, start: &[u8], is_all: bool) -> Option<bool> {
        match sniff::look(start, is_all) {
            // Many boundaries have a `=`, as forms do.
            _ if self.media == Media::Multipart && start.starts_with(b"--") => Some(false),
            Look::Undecided => None,
            Look::Opaque => Some(false),
            Look::Like(media) => {
                self.media = media;
                Some(true)
            }
        }
    }

    /// The body hides what it is.
    pub fn distrust_body(&mut self) {
        self.media = Media::Unknown;
    }

    /// Whether a body that begins so is like one that is read.
    pub fn looks_read(start: &[u8]) -> bool {
        matches!(sniff::look(start, true), Look::Like(_))
    }

    fn is_asked(&self) -> bool {
        self.modes.iter().any(|mode| *mode != Mode::Off)
    }

    /// Takes in the body as far as it was held. `is_complete` says whether it ended there.
    pub fn read_body(&mut self, body: &[u8], is_complete: bool, hasher: &Hasher) {
        if self.media == Media::Multipart {
            self.recognise(body, true);
        }
        let most = FIELDS_READ_FIRST;
        let is_read =
            traffic::body::read_up_to(body, self.media, is_complete, &mut self.fields, most);
        self.is_body_unread &= !(is_read || (is_complete && body.is_empty()));
        if !is_complete {
            self.notes.push("the body was inspected in part");
            self.body_seen = BodySeen::InPart;
        }
        // A recording keeps a form in place of parts and elements, and what rules found in them.
        let is_rewritten = hasher.reads_redacted()
            && !matches!(self.media, Media::Json | Media::Form)
            && traffic::body::begins_like_a_form(body);
        if let Some(inspection) = self.inspection.as_mut().filter(|_| !is_rewritten) {
            inspection.body(body, is_complete);
        }
        if let Some(draft) = &mut self.draft {
            draft.body(body, self.media, is_complete, hasher);
        }
    }

    /// Takes in that the body goes on unread, though [`Pass::body_wanted`] asked for it: no memory
    /// is left to hold it, which is no doing of this request.
    pub fn miss_body(&mut self) {
        self.body_seen = BodySeen::NotAtAll;
        self.notes.push("the body was not inspected: no memory is left to hold it");
    }

    /// Is its body a document that a program reads as a whole? Such a one is worth waiting for:
    /// whoever takes their time with it could otherwise send what nobody looks at.
    pub const fn body_is_document(&self) -> bool {
        self.media.can_be_inspected()
    }

    /// How much of the answer's body is to be collected for [`Engine::learn`]; none when it need
    /// not be.
    pub fn answer_wanted(&self, head: &AnswerHead<'_>) -> Option<usize> {
        self.answer_read(head).max(self.answer_collected())
    }

    /// How much of the answer's body is read for what it teaches.
    pub(super) fn answer_read(&self, head: &AnswerHead<'_>) -> Option<usize> {
        let reads = self.settled.as_ref().is_some_and(|settled| settled.reads_answer);
        let content_type =
            head.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        (reads && Media::of(content_type).can_be_inspected()).then_some(ANSWER_BYTES_MAX)
    }

    /// The name of this request towards caller and upstream, unless a trusted peer named it.
    pub fn request_id(&self) -> String {
        self.request_id.as_deref().map_or_else(|| self.id.to_string(), str::to_owned)
    }

    /// Takes over the name that a trusted peer gave this request.
    pub fn accept_request_id(&mut self, id: &str) {
        self.request_id = Some(id.into());
    }

    /// Takes over what was found when the exchange was recorded, by rules in the request and in its
    /// answer, and in its password: before it is decided.
    pub(crate) fn recall(&mut self, rules: [RulesPart; 2], common_password: bool) {
        self.had_common_password = common_password;
        if let Some(inspection) = &mut self.inspection {
            inspection.recall(rules);
        }
    }

    /// Notes something odd about the request in its event.
    pub fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// The header by which the upstream is told that the password is one of the most common, where
    /// it is and the site wants to know.
    pub fn common_password_header(&self) -> Option<&HeaderName> {
        let act = &self.settled.as_ref()?.act;
        let is_marked = act.guess.is_common && act.role.takes_a_password();
        let is_on = is_marked && self.mode(Layer::Takeover) != Mode::Off;
        self.policy.common_password_header(&self.route).filter(|_| is_on)
    }

    /// The rules that matched, as they are told.
    pub fn found(&self) -> impl Iterator<Item = EventRule> {
        let found = self.inspection.iter().flat_map(|inspection| inspection.all_found());
        found.map(|found| found.told.clone())
    }

    /// The numbers of the rules that matched, when the policy tells them to this caller: one on
    /// this machine.
    pub fn rules_to_tell(&self) -> Option<String> {
        let inspection = self.inspection.as_ref().filter(|_| self.tells_rules())?;
        Some(inspection.numbers())
    }

    /// The client address: the peer's, or what trusted proxies say.
    pub const fn client(&self) -> IpAddr {
        self.sighting.address
    }

    /// The policy that this request goes by.
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The site and route that this request falls under.
    pub const fn route(&self) -> &RouteRef {
        &self.route
    }

    /// The verdict, once decided.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.settled.as_ref().map(|settled| &settled.verdict)
    }

    /// The endpoint, as far as the request tells.
    pub fn endpoint(&self) -> Option<EndpointId> {
        self.settled.as_ref().and_then(|settled| settled.place.endpoint)
    }

    /// How much of a body is looked at.
    fn inspect_bytes(&self) -> usize {
        usize::try_from(self.policy.limits.inspect_body.value).unwrap_or(usize::MAX)
    }

    pub(crate) fn query(&self, now: Timestamp) -> Query<'_> {
        Query {
            host: traffic::head::host_of(&self.authority),
            method: &self.method,
            path: &self.path,
            now,
        }
    }

    /// Did rules find anything in it?
    pub(crate) fn is_suspicious(&self) -> bool {
        self.inspection.as_ref().is_some_and(|inspection| !inspection.request.found.is_empty())
    }

    pub(crate) fn mode(&self, layer: Layer) -> Mode {
        self.modes.get(layer.index()).copied().unwrap_or_default()
    }

    /// The role that the user gave this route, or the one that was learnt.
    pub(crate) fn role_or(&self, learnt: Role) -> Role {
        self.policy.label(&self.route).unwrap_or(learnt)
    }

    /// Whether nobody honest asks for its path: as the policy says, else as everybody knows. A
    /// crawler that calls from its own networks may go astray where only people do not.
    fn decoy(&self) -> Option<Decoy> {
        let Sighting { agent, address, .. } = &self.sighting;
        match self.policy.decoy(&self.route) {
            Some(true) if self.policy.is_its_network(agent.family, *address) == Some(true) => None,
            Some(is_marked) => is_marked.then_some(Decoy::Marked),
            None => Decoy::is_known(&self.path).then_some(Decoy::Known),
        }
    }

    /// What it guesses with, as an endpoint of `role` reads it.
    fn guess(&self, role: Role, identity: &Identity, hasher: &Hasher) -> Guess {
        let read = || caller::tried(&self.fields, &self.sighting, hasher);
        let tried = self.tried.clone().unwrap_or_else(read);
        // An identifier within the path names the transaction; at its end it may be the code.
        let mut within = self.path.segments().rev().skip(1);
        let named = within.any(|segment| segment.kind.is_identifier());
        let is_code = matches!(role, Role::OtpVerify | Role::ResetConfirm | Role::Redeem);
        let odd = self.fields.anomalies();
        let is_cut = odd.broken || odd.truncated || odd.too_deep || odd.too_many;
        Guess {
            is_unread: self.is_body_unread
                || is_cut
                || identity.named.is_cut()
                || tried.transactions.is_cut(),
            password: tried.password,
            count: if is_code { tried.codes } else { tried.passwords },
            is_common: tried.is_common || self.had_common_password,
            transactions: match tried.transactions {
                none if none.is_empty() => named.then(|| self.path.digest()).into(),
                some => some,
            },
            is_basic: false,
        }
    }

    /// Whether a trusted proxy said who is calling, and it could not be read.
    pub(crate) const fn is_hidden(&self) -> bool {
        self.sighting.forwarding.is_some()
    }

    /// Whether a name and a password in its head are tried where no log-in is. It is their account
    /// then that is `attempted`; at a log-in it is one of those that may be.
    pub(super) fn tries_basic(
        &self,
        callers: &Callers,
        learnt: Role,
        attempted: &mut Attempted,
    ) -> bool {
        let role = self.role_or(learnt);
        if !callers.tries_basic(&self.sighting, role) {
            return false;
        }
        if role.tries_a_secret() {
            attempted.named.extend(self.sighting.claims.basic_user());
            return false;
        }
        *attempted = Attempted::by_basic(&self.sighting);
        true
    }

    /// What a name and a password in its head guess at.
    fn basic_guess(&self) -> Guess {
        let basic = self.sighting.basic();
        Guess {
            password: basic.map(|basic| basic.value),
            count: 1,
            is_common: basic.is_some_and(|basic| basic.is_common) || self.had_common_password,
            is_basic: true,
            ..Guess::default()
        }
    }

    /// `tries_basic` where the endpoint is no log-in, and the request tries a name and a password
    /// all the same.
    pub(super) fn act(
        &self,
        identity: Identity,
        place: &Place,
        tries_basic: bool,
        hasher: &Hasher,
    ) -> Act {
        let role = if tries_basic { Role::Login } else { self.role_or(place.role) };
        let guess = if tries_basic {
            self.basic_guess()
        } else if role.tries_a_secret() || role.takes_a_password() {
            self.guess(role, &identity, hasher)
        } else {
            Guess::default()
        };
        let mut keys = Keys::of(&identity, hasher);
        if self.is_hidden() {
            keys.hide();
        }
        Act {
            keys,
            is_proxy: self.policy.trusts(identity.address),
            identity,
            service: place.service,
            endpoint: place.endpoint,
            endpoint_known: place.is_known,
            role,
            unused_days: place.unused_days,
            variant: self.variant,
            path_shape: place.path_shape,
            wanted: self.wanted,
            is_provoked: self.is_provoked,
            decoy: self.decoy(),
            program: self.program,
            guess,
        }
    }
}
