/*
 * suit.h - SUIT envelopes and manifests (draft-ietf-suit-manifest-37) as signed update
 * instructions: open, verify, describe, run; with one level of dependency manifests
 * (draft-ietf-suit-trust-domains-12).
 *
 * Three profiles; each takes what the one before takes (docs/FORMATS.md, section "SUIT"):
 *	P0 boot   one component, fixed key order, no interpreter: core/suit_p0.h
 *	P1 mcu    up to 4 components; fetch, copy, swap, write, wait, battery, one level of
 *	          dependencies; no text needed
 *	P2 linux  up to 16 components, try-each, run-sequence, every command of the draft
 * The road of an envelope: mue_suit_open (form and digests) -> mue_suit_verify (signatures) ->
 * mue_suit_describe (what it is) -> mue_suit_start / mue_suit_step (do it).  Nothing before
 * mue_suit_verify has returned 0 may be believed.
 * No allocation, no recursion; every view points into the caller's envelope, which must stay
 * unchanged as long as any of these structs is used.
 */
#ifndef MUE_CORE_SUIT_H
#define MUE_CORE_SUIT_H

#include "core/cbor.h"
#include "core/cose.h"
#include "core/sha256.h"

#define MUE_SUIT_DIGEST_SIZE    32
#define MUE_SUIT_UUID_SIZE      16
#define MUE_SUIT_COMPONENTS_MAX 16
#define MUE_SUIT_SIGNATURES_MAX 8
#define MUE_SUIT_FRAMES_MAX     6 /* sequences inside each other */

enum mue_suit_profile { MUE_SUIT_P0 = 0, MUE_SUIT_P1 = 1, MUE_SUIT_P2 = 2 };

/* The command sequences, in the order in which an update and then each boot run them. */
enum mue_suit_sequence {
	MUE_SUIT_DEPENDENCY_RESOLUTION, /* brings the dependencies' envelopes */
	MUE_SUIT_PAYLOAD_FETCH,
	MUE_SUIT_INSTALL,
	MUE_SUIT_VALIDATE,
	MUE_SUIT_LOAD,
	MUE_SUIT_INVOKE,
	MUE_SUIT_UNINSTALL,
	MUE_SUIT_SEQUENCES
};

/* What a release is for: our parameter "release kind". */
enum mue_suit_kind {
	MUE_SUIT_KIND_UNSAID = 0,
	MUE_SUIT_KIND_SECURITY = 1,
	MUE_SUIT_KIND_FEATURE = 2
};

/* --- open --- */

/* An opened envelope: form and digests hold, signatures are not looked at yet. */
struct mue_suit {
	struct mue_view envelope;         /* all of it */
	struct mue_view manifest;         /* content of the manifest's byte string */
	struct mue_view digest_structure; /* the SUIT_Digest that is signed (detached payload) */
	uint8_t digest[MUE_SUIT_DIGEST_SIZE]; /* SHA-256 of the manifest: the session key */
	struct mue_view blocks;               /* the authentication blocks, one after the other */
	uint8_t block_count;
	uint8_t profile; /* enum mue_suit_profile that it was opened with */
	uint64_t sequence_number;
	struct mue_view reference_uri;
	struct mue_view components;   /* CBOR array of component ids */
	struct mue_view dependencies; /* CBOR map: index => {?1: component id}; absent: none */
	uint16_t dependency_mask;     /* bit per component that is a dependency's envelope */
	uint8_t listed_count;         /* components in the array; dependencies may go on behind */
	uint8_t component_count;      /* all: 0 <= index < component_count */
	struct mue_view shared;       /* shared sequence */
	struct mue_view sequence[MUE_SUIT_SEQUENCES]; /* absent: not in the manifest, or severed */
	uint8_t severed; /* bit per enum mue_suit_sequence: digest there, content severed */
	bool text_severed;
	struct mue_view text;       /* text map */
	struct mue_view coswid;     /* CoSWID tag, not interpreted */
	struct mue_view integrated; /* the envelope's map pairs "#name" => bytes, CBOR */
	uint8_t integrated_count;
};

/*
 * Takes an envelope apart and checks everything but signatures: strict CBOR, known members only,
 * exactly one digest and it equals SHA-256 of the manifest, digests of severable members, the
 * syntax of every command of every sequence, the limits of `profile`, no trailing bytes.
 * MUE_EDIGEST: a digest differs.  MUE_EPROFILE: more than the profile allows (also: delegation,
 * reports).  Else the reader's verdicts.  P0 as profile means: take only what
 * the bootloader's mue_suit_p0_open takes.
 */
int mue_suit_open(struct mue_view envelope, enum mue_suit_profile profile, struct mue_suit *ret);

/* The smallest profile that takes it, or mue_suit_open's verdict for P2. */
int mue_suit_profile_of(struct mue_view envelope, enum mue_suit_profile *ret);

/* --- verify --- */

/* One authentication block. */
struct mue_suit_signature {
	uint8_t tag; /* enum mue_cose_tag; only MUE_COSE_SIGN1 can be verified; 0: unreadable */
	struct mue_cose_id id;
	struct mue_cose_sign1 sign1; /* filled for MUE_COSE_SIGN1 */
};

/* The i-th block, 0 <= i < block_count. */
int mue_suit_signature(const struct mue_suit *s, uint8_t i, struct mue_suit_signature *ret);

/*
 * 0 when at least one COSE_Sign1 block holds under a key of `v`; *ret_mask (may be NULL) then has a
 * bit per block that does.  MUE_ESIGNATURE: none holds.  MUE_EPROFILE: there are blocks, but all
 * of a kind or algorithm that we do not take (COSE_Mac0).
 */
int mue_suit_verify(const struct mue_suit *s, const struct mue_verifier *v, uint8_t *ret_mask);

/* --- parameters of a component --- */

/* Numbers of draft-ietf-suit-manifest, draft-ietf-suit-update-management, and ours (negative). */
enum mue_suit_parameter {
	MUE_SUIT_P_VENDOR = 1,
	MUE_SUIT_P_CLASS = 2,
	MUE_SUIT_P_DIGEST = 3,
	MUE_SUIT_P_USE_BEFORE = 4,
	MUE_SUIT_P_SLOT = 5,
	MUE_SUIT_P_STRICT_ORDER = 12,
	MUE_SUIT_P_SOFT_FAILURE = 13,
	MUE_SUIT_P_SIZE = 14,
	MUE_SUIT_P_CONTENT = 18,
	MUE_SUIT_P_ENCRYPTION = 19,
	MUE_SUIT_P_URI = 21,
	MUE_SUIT_P_SOURCE = 22,
	MUE_SUIT_P_INVOKE_ARGS = 23,
	MUE_SUIT_P_DEVICE = 24,
	MUE_SUIT_P_FETCH_ARGS = 25,
	MUE_SUIT_P_BATTERY_MWH = 26,
	MUE_SUIT_P_PRIORITY = 27,
	MUE_SUIT_P_VERSION = 28,
	MUE_SUIT_P_WAIT = 29,
	MUE_SUIT_P_COUNTER = -257,   /* security counter */
	MUE_SUIT_P_KIND = -258,      /* enum mue_suit_kind */
	MUE_SUIT_P_PRECURSOR = -259, /* SHA-256 of the image that a delta starts from */
	MUE_SUIT_P_SBOM = -260,      /* SHA-256 of the SBOM file */
	MUE_SUIT_P_BATTERY = -261,   /* minimum battery, per cent */
	MUE_SUIT_P_ROOT = -262       /* SHA-256 of a block container's header (core/blocks.h) */
};

/* What the manifest has said of a component so far.  Absent views and has_* false: not said. */
struct mue_suit_params {
	struct mue_view vendor, class_id, device; /* 16 bytes each */
	struct mue_view digest;                   /* 32 bytes: SHA-256 of the image */
	struct mue_view precursor, sbom, root;    /* 32 bytes each */
	struct mue_view uri, content, invoke_args, fetch_args;
	struct mue_view version;    /* CBOR [comparison, [numbers]] */
	struct mue_view wait;       /* CBOR map of wait events */
	struct mue_view encryption; /* SUIT_Encryption_Info, not looked into: a port that cannot
				     * decrypt must refuse to fetch or write when this is there */
	uint64_t size, use_before;  /* bytes; seconds since 1970 */
	uint64_t battery_mwh;       /* parameter 26, as the draft has it */
	uint32_t slot, counter;
	int32_t priority; /* negative: more urgent */
	uint8_t battery;  /* per cent: our parameter, what our releases use */
	uint8_t source;   /* component index */
	uint8_t kind;     /* enum mue_suit_kind */
	bool has_size, has_use_before, has_battery_mwh, has_slot, has_counter, has_priority,
		has_battery, has_source;
};

/* --- describe: what inspect, the server and the agent show --- */

struct mue_suit_component {
	struct mue_view kind, name; /* of the component id [kind, name]; kind absent when the id
				     * has not two elements, name is then the whole id's CBOR */
	struct mue_view version;    /* text */
	struct mue_view description;
	struct mue_view payload; /* integrated payload that uri names, absent: detached */
	bool dependency;         /* it is the envelope of a dependency manifest */
	struct mue_suit_params params;
};

struct mue_suit_info {
	uint8_t profile;
	uint64_t sequence_number;
	uint8_t digest[MUE_SUIT_DIGEST_SIZE];     /* the session key */
	struct mue_view name, version, notes;     /* of the release; text, absent if severed */
	uint32_t counter;                         /* security counter, 0 when unsaid */
	uint8_t kind;                             /* enum mue_suit_kind */
	struct mue_view sbom, precursor;          /* of the first component that says one */
	struct mue_view vendor, class_id;         /* of component 0 */
	uint8_t component_count, signature_count; /* signatures beyond the array are not listed */
	struct mue_suit_component component[MUE_SUIT_COMPONENTS_MAX];
	struct mue_suit_signature signature[MUE_SUIT_SIGNATURES_MAX];
};

/*
 * Fills the plain summary.  Of a try-each the first alternative counts, so the parameters are those
 * for slot 0.  About 5 kB: not for a microcontroller's stack.
 */
int mue_suit_describe(const struct mue_suit *s, struct mue_suit_info *ret);

/* The i-th component id: its elements' contents, at most `max`; *ret_count is the true count. */
int mue_suit_component_id(const struct mue_suit *s, uint8_t i, struct mue_view *ret, uint8_t max,
			  uint8_t *ret_count);

/* The integrated payload that the URI "#name" names; MUE_ENOTFOUND. */
int mue_suit_integrated(const struct mue_suit *s, struct mue_view uri, struct mue_view *ret);

/* --- run: the command interpreter, sans I/O --- */

/* Conditions and directives that reach the port. */
enum mue_suit_command {
	MUE_SUIT_C_VENDOR = 1,
	MUE_SUIT_C_CLASS = 2,
	MUE_SUIT_C_IMAGE_MATCH = 3,
	MUE_SUIT_C_USE_BEFORE = 4,
	MUE_SUIT_C_SLOT = 5,
	MUE_SUIT_C_CONTENT = 6,
	MUE_SUIT_C_DEPENDENCY_INTEGRITY = 7,
	MUE_SUIT_C_IS_DEPENDENCY = 8,
	MUE_SUIT_D_PROCESS_DEPENDENCY = 11,
	MUE_SUIT_D_SET_INDEX = 12,
	MUE_SUIT_C_ABORT = 14,
	MUE_SUIT_D_TRY_EACH = 15,
	MUE_SUIT_D_WRITE = 18,
	MUE_SUIT_D_OVERRIDE = 20,
	MUE_SUIT_D_FETCH = 21,
	MUE_SUIT_D_COPY = 22,
	MUE_SUIT_D_INVOKE = 23,
	MUE_SUIT_C_DEVICE = 24,
	MUE_SUIT_C_IMAGE_NOT_MATCH = 25,
	MUE_SUIT_C_BATTERY = 26,
	MUE_SUIT_C_AUTHORIZED = 27,
	MUE_SUIT_C_VERSION = 28,
	MUE_SUIT_D_WAIT = 29,
	MUE_SUIT_D_SWAP = 31,
	MUE_SUIT_D_RUN = 32,
	MUE_SUIT_D_UNLINK = 33,
	MUE_SUIT_D_OVERRIDE_MULTIPLE = 34,
	MUE_SUIT_D_COPY_PARAMS = 35
};

struct mue_suit_port;

/*
 * What the interpreter asks of its host.  `c` is a component index, `p` its parameters.  Return 0
 * when done; MUE_EBUSY: not yet, mue_suit_step returns MUE_EBUSY and asks the same again when it is
 * called next (a fetch over hours is many steps); any other verdict: failed.  A member that is
 * NULL: the command is refused with MUE_EPROFILE.
 */
struct mue_suit_port_ops {
	/* Does the condition hold?  IMAGE_MATCH, IMAGE_NOT_MATCH, SLOT, CONTENT, USE_BEFORE,
	 * BATTERY, AUTHORIZED, VERSION, DEPENDENCY_INTEGRITY.  No side effects.  A failure in a
	 * try-each or a soft sequence goes on to the next alternative, whatever verdict it is. */
	int (*check)(const struct mue_suit_port *port, uint8_t condition, uint8_t c,
		     const struct mue_suit_params *p);
	/* Stores what p->uri names in component c ("#name": mue_suit_integrated). */
	int (*fetch)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	/* Stores p->content in component c. */
	int (*write)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	/* Stores component p->source in component c. */
	int (*copy)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	int (*swap)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	int (*invoke)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	/* Waits for p->wait: MUE_EBUSY until then. */
	int (*wait)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	/* Removes component c (uninstall). */
	int (*unlink)(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p);
	/* Runs `sequence` of the dependency whose envelope is component c:
	 * mue_suit_dependency_open, mue_suit_verify, mue_suit_dependency_params, then a
	 * mue_suit_run of the port's own. */
	int (*dependency)(const struct mue_suit_port *port, uint8_t sequence, uint8_t c,
			  const struct mue_suit_params *p);
};

struct mue_suit_port {
	const struct mue_suit_port_ops *ops;
	void *ctx;
	/* This device's identity, 16 bytes each: the interpreter compares it itself and answers
	 * MUE_EVENDOR, MUE_ECLASS, MUE_ECONDITION.  NULL: that condition never holds. */
	const uint8_t *vendor, *class_id, *device;
	bool any_device; /* every identity holds: only for describing, never on a device */
};

/* One sequence being run; the interpreter's own. */
struct mue_suit_frame {
	const uint8_t *at, *end; /* the next command; of a try-each: the next alternative */
	uint32_t selected;       /* components that commands apply to, a bit each */
	uint32_t pending;        /* of them, those the command at `at` has still to visit */
	uint16_t left;           /* alternatives left (try-each) */
	int8_t kind;             /* sequence, run-sequence, alternative, try-each */
	bool soft, strict;
};

/* A run; plain data (copyable, and comparable only by the interpreter). */
struct mue_suit_run {
	const struct mue_suit *suit;
	const struct mue_suit_port *port;
	struct mue_suit_params *params; /* the caller's, one per component */
	uint8_t count;                  /* components */
	uint8_t depth;                  /* frames in use; 0: done */
	uint8_t phase;
	bool condition;    /* what failed was a condition */
	int verdict;       /* of the last condition that failed */
	uint8_t sequence;  /* enum mue_suit_sequence under way */
	uint8_t component; /* that the last command was applied to: for messages */
	uint8_t command;   /* enum mue_suit_command last executed: for messages */
	struct mue_suit_frame frame[MUE_SUIT_FRAMES_MAX];
};

/*
 * Begins to run the shared sequence and then `sequence`.  `params` is an array of at least
 * component_count, owned by the caller and kept; it is cleared when `fresh`, and keeps what earlier
 * sequences set when not.  MUE_ENOSPC: `params_count` too small.  MUE_ENODATA: the sequence is
 * severed.  A sequence that the manifest has not is an empty one.
 */
int mue_suit_start(struct mue_suit_run *run, const struct mue_suit *s,
		   enum mue_suit_sequence sequence, const struct mue_suit_port *port,
		   struct mue_suit_params *params, uint8_t params_count, bool fresh);

/*
 * Executes commands until the sequence is done (0), the port says MUE_EBUSY, or a command fails
 * (its verdict; the run is over).  Calling it again after 0 gives 0.
 */
int mue_suit_step(struct mue_suit_run *run);

/* --- dependencies: draft-ietf-suit-trust-domains-12 --- */

/*
 * Opens the envelope of a dependency of `s`, as mue_suit_open does under the same profile, and
 * checks that its manifest is the one that p->digest (of the dependency's component) names: what
 * dependency-integrity asks but for the signature, which the caller checks on *ret with
 * mue_suit_verify.  The bytes are an integrated payload (mue_suit_integrated) or what was fetched.
 * MUE_ECONDITION: no digest is said.  MUE_EDIGEST: another manifest.  MUE_EPROFILE: it has
 * dependencies itself (one level only).  Else mue_suit_open's verdicts.
 */
int mue_suit_dependency_open(const struct mue_suit *s, const struct mue_suit_params *p,
			     struct mue_view envelope, struct mue_suit *ret);

/*
 * What the dependent has said of components goes on to the dependency's components of the same id;
 * the rest of ret[0..dependency->component_count) is cleared.  Then mue_suit_start with fresh
 * false: what the dependency says overrides.  `params` are those of the dependent's run.
 * MUE_ENOSPC: `ret_count` too small.
 */
int mue_suit_dependency_params(const struct mue_suit *s, const struct mue_suit_params *params,
			       const struct mue_suit *dependency, struct mue_suit_params *ret,
			       uint8_t ret_count);

#endif
