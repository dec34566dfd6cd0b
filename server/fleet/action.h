/*
 * action.h - the life of one action: one distribution set on its way to one target.
 *
 * Pure: a table of states and events, no I/O, no memory.  The state names are those of hawkBit's
 * Management API (`detailStatus`, status `type`) and are what the store keeps.
 */
#ifndef MUE_SERVER_FLEET_ACTION_H
#define MUE_SERVER_FLEET_ACTION_H

#include "core/err.h"

#include <stdbool.h>

/* clang-format off */
#define MUE_ACTION_STATES(X) \
	X(SCHEDULED,             "scheduled")             /* its rollout group is not open yet */ \
	X(WAIT_FOR_CONFIRMATION, "wait_for_confirmation") /* a person at the device must agree */ \
	X(RUNNING,               "running")               /* offered, or the device is at work */ \
	X(RETRIEVED,             "retrieved")             /* the device has read the deployment */ \
	X(DOWNLOAD,              "download")              \
	X(DOWNLOADED,            "downloaded")            /* the end for downloadonly, else a step */ \
	X(WARNING,               "warning")               /* at work, reported a difficulty */ \
	X(CANCELING,             "canceling")             /* the device has been asked to stop */ \
	X(CANCEL_REJECTED,       "cancel_rejected")       /* it refused and works on */ \
	X(CANCELED,              "canceled")              \
	X(FINISHED,              "finished")              \
	X(ERROR,                 "error")

#define MUE_ACTION_EVENTS(X) \
	X(START)            /* its group opened, or it was assigned directly */ \
	X(START_CONFIRM)    /* the same, but the device must confirm first */ \
	X(CONFIRM)          \
	X(DENY)             \
	X(RETRIEVE)         /* the device fetched its deploymentBase */ \
	X(PROCEED)          /* feedback: proceeding, scheduled, resumed */ \
	X(DOWNLOAD)         \
	X(DOWNLOADED)       \
	X(WARN)             /* feedback: rejected, or proceeding with failure */ \
	X(SUCCEED)          /* feedback: closed with success or none */ \
	X(FAIL)             /* feedback: closed with failure */ \
	X(DEVICE_CANCEL)    /* feedback on the deployment: canceled, on the device's own account */ \
	X(CANCEL)           /* the operator wants it stopped */ \
	X(CANCEL_CONFIRM)   /* feedback on the cancel: closed with success or none */ \
	X(CANCEL_REFUSE)    /* feedback on the cancel: rejected, or closed with failure */ \
	X(FORCE_QUIT)       /* the operator closes it without waiting for the device */ \
	X(SUPERSEDE)        /* another action of the same target takes over */

#define MUE_FORCE_TYPES(X) \
	X(SOFT,         "soft") \
	X(FORCED,       "forced") \
	X(TIMEFORCED,   "timeforced") \
	X(DOWNLOADONLY, "downloadonly")
/* clang-format on */

enum mue_action_state {
#define X(name, text) MUE_ACTION_##name,
	MUE_ACTION_STATES(X)
#undef X
		MUE_ACTION_STATE_COUNT
};

enum mue_action_event {
#define X(name) MUE_EVENT_##name,
	MUE_ACTION_EVENTS(X)
#undef X
		MUE_EVENT_COUNT
};

enum mue_force_type {
#define X(name, text) MUE_FORCE_##name,
	MUE_FORCE_TYPES(X)
#undef X
		MUE_FORCE_COUNT
};

/* Name of a state or force type as the APIs and the store write it.  Static storage. */
const char *mue_action_name(enum mue_action_state s);
const char *mue_force_name(enum mue_force_type t);

/* The inverse; MUE_ENOTFOUND when no state (force type) has that name. */
int mue_action_parse(const char *name, enum mue_action_state *ret);
int mue_force_parse(const char *name, enum mue_force_type *ret);

/* True while the action still wants something of the device: open or being cancelled. */
bool mue_action_active(enum mue_action_state s, enum mue_force_type t);

/* True once nothing more can happen, except that a downloaded downloadonly action may still be
 * installed later.  SCHEDULED is neither active nor ended. */
bool mue_action_ended(enum mue_action_state s, enum mue_force_type t);

/*
 * What `e` does to an action in state `s`.
 * Returns 1: *ret_next is the new state, record it.  0: nothing changes (a repeat, or a remark for
 * the history).  MUE_ECONFLICT: the action has ended otherwise (HTTP 410 to a device, 405 to an
 * operator).  MUE_EPERM: the event does not apply in this state (404, 405).
 */
int mue_action_step(enum mue_action_state s, enum mue_force_type t, enum mue_action_event e,
		    enum mue_action_state *ret_next);

/*
 * Translates a DDI feedback: status.execution ("closed", "proceeding", ...) and
 * status.result.finished ("success", "failure", "none").  MUE_EFORMAT for words DDI v1 does not
 * know.
 */
int mue_action_feedback(const char *execution, const char *finished, enum mue_action_event *ret);

/* The same for feedback on a cancelAction; words that only inform give MUE_EVENT_PROCEED. */
int mue_action_cancel_feedback(const char *execution, const char *finished,
			       enum mue_action_event *ret);

#endif
