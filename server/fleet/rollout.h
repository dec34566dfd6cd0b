/*
 * rollout.h - the life of a rollout and of its groups: bench -> canary -> waves.
 *
 * Pure.  Two tables say which event leads where; mue_rollout_advance says what a running rollout
 * has to do next, given the counts of its groups.  State names are those of hawkBit's Management
 * API and of the store.
 */
#ifndef MUE_SERVER_FLEET_ROLLOUT_H
#define MUE_SERVER_FLEET_ROLLOUT_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define MUE_ROLLOUT_STATES(X) \
	X(CREATING,             "creating")             /* targets are being split into groups */ \
	X(WAITING_FOR_APPROVAL, "waiting_for_approval") \
	X(APPROVAL_DENIED,      "approval_denied")      \
	X(READY,                "ready")                \
	X(STARTING,             "starting")             /* one scheduled action a target is being made */ \
	X(RUNNING,              "running")              \
	X(PAUSED,               "paused")               /* open groups work on, no group opens */ \
	X(STOPPING,             "stopping")             /* every open action is being cancelled */ \
	X(STOPPED,              "stopped")              \
	X(FINISHED,             "finished")             \
	X(DELETED,              "deleted")

#define MUE_ROLLOUT_EVENTS(X) \
	X(PLANNED)          /* the groups have their targets, nobody need approve */ \
	X(PLANNED_APPROVAL) /* the same, but another person must approve */ \
	X(APPROVE)          \
	X(DENY)             \
	X(START)            /* by a person or by the clock */ \
	X(SCHEDULED)        /* every target has its action */ \
	X(PAUSE)            \
	X(RESUME)           \
	X(TRIP_PAUSE)       /* a group's error threshold, with the action PAUSE */ \
	X(TRIP_STOP)        /* the same, with the action STOP */ \
	X(STOP)             \
	X(CANCELLED)        /* the stop reached every action */ \
	X(COMPLETE)         /* every group has ended */ \
	X(DELETE)

#define MUE_GROUP_STATES(X) \
	X(CREATING,  "creating")  \
	X(READY,     "ready")     \
	X(SCHEDULED, "scheduled") /* its actions exist, the gate before it is shut */ \
	X(RUNNING,   "running")   \
	X(FINISHED,  "finished")  \
	X(ERROR,     "error")     /* its error threshold tripped, or it ended below success */
/* clang-format on */

enum mue_rollout_state {
#define X(name, text) MUE_ROLLOUT_##name,
	MUE_ROLLOUT_STATES(X)
#undef X
		MUE_ROLLOUT_STATE_COUNT
};

enum mue_rollout_event {
#define X(name) MUE_ROLLOUT_EV_##name,
	MUE_ROLLOUT_EVENTS(X)
#undef X
		MUE_ROLLOUT_EVENT_COUNT
};

enum mue_group_state {
#define X(name, text) MUE_GROUP_##name,
	MUE_GROUP_STATES(X)
#undef X
		MUE_GROUP_STATE_COUNT
};

const char *mue_rollout_name(enum mue_rollout_state s);
const char *mue_group_name(enum mue_group_state s);
/* MUE_ENOTFOUND when no state has that name. */
int mue_rollout_parse(const char *name, enum mue_rollout_state *ret);
int mue_group_parse(const char *name, enum mue_group_state *ret);

/* 0: *ret_next is the state after `e`.  MUE_EPERM: `e` does not apply in state `s`. */
int mue_rollout_step(enum mue_rollout_state s, enum mue_rollout_event e,
		     enum mue_rollout_state *ret_next);

/* ---- groups ---- */

/* How many of a group's targets are where.  The fields add up to the group's total. */
struct mue_group_counts {
	uint32_t notstarted; /* planned, no action yet */
	uint32_t scheduled;
	uint32_t running; /* every active state */
	uint32_t finished;
	uint32_t error;
	uint32_t cancelled;
};

uint32_t mue_group_total(const struct mue_group_counts *c);

/*
 * Thresholds in percent of the group's total, compared exactly in integers as hawkBit compares:
 * success is reached at finished >= success_percent, failure above error_percent (so that 0 lets no
 * error pass, and 100 can never trip).
 */
struct mue_group_rule {
	uint8_t success_percent; /* 0..100 */
	uint8_t error_percent;   /* 0..100 */
	bool watches_errors;     /* false: no error condition */
	bool error_stops;        /* error action STOP instead of PAUSE */
};

struct mue_group {
	enum mue_group_state state;
	struct mue_group_rule rule;
	struct mue_group_counts counts;
};

bool mue_group_success(const struct mue_group *g);
bool mue_group_tripped(const struct mue_group *g);
/* No action of the group can change any more. */
bool mue_group_ended(const struct mue_group *g);

enum mue_advance_kind {
	MUE_ADVANCE_NOTHING,
	MUE_ADVANCE_OPEN,  /* group becomes RUNNING, its scheduled actions start */
	MUE_ADVANCE_CLOSE, /* group becomes FINISHED */
	MUE_ADVANCE_TRIP,  /* group becomes ERROR, the rollout pauses or stops by the rule */
	MUE_ADVANCE_SHORT, /* group ended below its success threshold: ERROR, the rollout pauses */
	MUE_ADVANCE_COMPLETE, /* the rollout is finished */
};

struct mue_advance {
	enum mue_advance_kind kind;
	size_t group; /* index; meaningless for NOTHING and COMPLETE */
};

/*
 * The next thing to do for a rollout in state `s` with groups g[0..n).  The caller applies it and
 * asks again until NOTHING.  Only a RUNNING rollout advances.  Rules, in this order:
 * an open group above its error threshold trips; an open group that has ended is closed, unless it
 * stayed below its success threshold and a group behind it waits; the first scheduled group opens
 * when every group before it has let through: finished, open with success reached, or in error
 * (only a person's resume makes a rollout run again after that); when all groups have ended the
 * rollout is complete.
 */
struct mue_advance mue_rollout_advance(enum mue_rollout_state s, const struct mue_group *g,
				       size_t n);

/* The group that a person's "trigger next group" opens: the first scheduled one.  MUE_ENOTFOUND
 * when none waits, MUE_EPERM when the rollout does not run. */
int mue_rollout_next_group(enum mue_rollout_state s, const struct mue_group *g, size_t n,
			   size_t *ret);

/* ---- the planner ---- */

/*
 * How many of `remaining` targets (those that match the rollout's and the group's filter and are in
 * no group before it) the group takes.  max_targets > 0 is our "targetCount" and wins over the
 * percentage; percentage is in (0, 100], rounded half up as hawkBit does, except that a share never
 * rounds to nobody while somebody remains: an empty canary would let the next group pass unproved.
 */
uint32_t mue_plan_take(double percentage, uint32_t max_targets, uint32_t remaining);

/* The percentage of group `i` of `n` equal groups, so that the last one takes the rest. */
double mue_plan_equal(unsigned i, unsigned n);

#endif
