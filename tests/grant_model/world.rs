//! What is in a world, what may go wrong there, and which guards stand.

/// Ticks of the model. One is ten seconds: a try for the grant takes one at most, the 10 s rule allows one.
pub const TICK_MS: i64 = 10_000;
/// Grant to dial: the 10 s rule.
pub const RULE: u8 = 1;
/// A session's own timers end ringing and talking after this.
pub const CALL: u8 = 1;
/// A line and a number are held until then: the rule, the call, and a tick to say goodbye.
pub const HOLD: u8 = RULE + CALL + 1;
/// Claim to revocation.
pub const DEADLINE: u8 = 2;
/// A lease outlives its slot by less than this.
pub const LEASE: u8 = 1;
/// Attempts that a model keeps of each contact.
pub const TRIES: usize = 2;

/// Every law has a bit in [`super::state::Now::broken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Law {
    OneCall,
    OneCallPerNumber,
    FreshGrant,
    Gates,
    Cap,
    NoRowVanishes,
    NothingUndone,
    Held,
    InSlot,
    TruthBelieved,
    LostRests,
    OnlyDialledCounts,
    Budget,
    Lines,
    RestAtLast,
    NumberCap,
}

pub const LAWS: [(Law, &str); 16] = [
    (Law::OneCall, "an attempt makes at most one call"),
    (Law::OneCallPerNumber, "a number has at most one call at a time"),
    (Law::FreshGrant, "nobody is dialled with a grant older than 10 s"),
    (Law::Gates, "nothing is granted after suppression, pause, stop or window's end was committed"),
    (Law::Cap, "a contact has no more tries than its cap"),
    (Law::NoRowVanishes, "every contact rests, is due, or has an attempt under way"),
    (Law::NothingUndone, "old news undoes no newer claim, no live call and no end"),
    (Law::Held, "row, line and number are held as long as the call lasts"),
    (Law::InSlot, "a start leaves in its slot or not at all"),
    (Law::TruthBelieved, "the granted session's word ends its live call"),
    (Law::LostRests, "a lost call is not made again without evidence"),
    (Law::OnlyDialledCounts, "only a try that was dialled is counted"),
    (Law::Budget, "there are no more calls than the budget allows"),
    (Law::Lines, "there are no more open calls than lines"),
    (Law::RestAtLast, "when trouble ends, every contact comes to rest"),
    (Law::NumberCap, "a number is not dialled more often than its own cap, over all campaigns"),
];

/// What stands between a phone and a second call. `false` takes it out: the real function is asked all the
/// same, but what it would have seen is hidden from it.
#[derive(Clone, Debug)]
pub struct Guards {
    /// `grant`: a repeated answer only to the session that holds it.
    pub same_session: bool,
    /// `grant`: only the current token opens.
    pub current_token: bool,
    /// `clear`: the gate "number busy".
    pub number_gate: bool,
    /// The store: `one_live_call`.
    pub live_index: bool,
    /// The scenario: an old grant is given back.
    pub ten_seconds: bool,
    /// The scenario: answers to earlier tries are ignored.
    pub own_try: bool,
    /// `clear`, one gate each.
    pub suppression: bool,
    pub pause: bool,
    pub stop: bool,
    pub window: bool,
    pub cap: bool,
    pub budget: bool,
    /// The gate that counts a number's calls over all campaigns.
    pub number_cap: bool,
    /// `claim`: the compare-and-set.
    pub claim_compares: bool,
    /// `defer`: names the hash of the token that it speaks of.
    pub revocation_names_hash: bool,
    /// `settle`: evidence names its session.
    pub evidence_names_session: bool,
    /// `may_leave`: the clock is read again just before sending.
    pub check_before_sending: bool,
    /// The row: `held_until` is stored at the grant, not computed from today's settings.
    pub stored_hold: bool,
    /// The store: an answer to a start is kept apart and moves nothing.
    pub start_apart: bool,
    /// `follow`: no rule retries `lost`.
    pub lost_rests: bool,
    /// `follow`: deferrals are no tries.
    pub deferral_uncounted: bool,
    /// The planner: planned and dialing attempts hold lines too.
    pub lines_ahead: bool,
    /// The store: appending looks at the run under its lock.
    pub append_locks: bool,
    /// `reconcile`: claims without a grant are revoked.
    pub sweep: bool,
}

impl Guards {
    pub const ALL: Guards = Guards {
        same_session: true,
        current_token: true,
        number_gate: true,
        live_index: true,
        ten_seconds: true,
        own_try: true,
        suppression: true,
        pause: true,
        stop: true,
        window: true,
        cap: true,
        budget: true,
        number_cap: true,
        claim_compares: true,
        revocation_names_hash: true,
        evidence_names_session: true,
        check_before_sending: true,
        stored_hold: true,
        start_apart: true,
        lost_rests: true,
        deferral_uncounted: true,
        lines_ahead: true,
        append_locks: true,
        sweep: true,
    };
}

/// Who is called, and what may happen. The bounds keep it finite.
#[derive(Clone, Debug)]
pub struct World {
    /// One or two.
    pub contacts: u8,
    /// Two contacts of two campaigns are the same person's number.
    pub one_number: bool,
    /// Two contacts are in one run; else each is in its own.
    pub one_run: bool,
    /// Tries at a contact: one or two.
    pub cap: u8,
    pub lines: i64,
    pub nodes: u8,
    /// How often a session asks for its grant: three times, and fewer where that is not what is looked at.
    pub asks: u8,
    pub sessions_max: u8,
    pub claims_max: u8,

    /// One start may make two sessions.
    pub twins: bool,
    /// Events and requests may come twice.
    pub doubled: bool,
    /// The provider may refuse a start.
    pub refusals: bool,
    /// Jobs, evidence and sweeps may be acted on long after they were read.
    pub stale: bool,

    /// How often an operator may pause, resume, close or open.
    pub toggles: u8,
    pub pausing: bool,
    /// The whole account pauses, not a run.
    pub pausing_all: bool,
    pub windows: bool,
    pub opt_out: bool,
    /// The callee asks in the call never to be called again.
    pub callee_opts_out: bool,
    pub stopping: bool,
    /// `call_s` may be made shorter while calls are live.
    pub shortening: bool,
    /// The second contact is appended to the running run.
    pub appending: bool,
    /// Calls that are paid for; an operator may add one.
    pub budget: Option<u8>,
    /// Calls that a number may get, over all campaigns.
    pub number_cap: Option<u8>,
    /// `RestAtLast` is asked in every state.
    pub calm: bool,

    pub guards: Guards,
}

/// One contact, one node, nothing goes wrong but what always can: messages are late or lost, processes die.
pub const PLAIN: World = World {
    contacts: 1,
    one_number: false,
    one_run: false,
    cap: 1,
    lines: 9,
    nodes: 1,
    asks: 3,
    sessions_max: 2,
    claims_max: 2,
    twins: false,
    doubled: false,
    refusals: false,
    stale: false,
    toggles: 0,
    pausing: false,
    pausing_all: false,
    windows: false,
    opt_out: false,
    callee_opts_out: false,
    stopping: false,
    shortening: false,
    appending: false,
    budget: None,
    number_cap: None,
    calm: false,
    guards: Guards::ALL,
};
