/*
 * mgmt_action.h - actions in the store: making them, and moving them by the table of
 * fleet/action.h.  Every change of an action's state, whoever causes it, goes through
 * mue_action_apply, so that target, history and rollout counts never disagree.
 */
#ifndef MUE_SERVER_STORE_MGMT_ACTION_H
#define MUE_SERVER_STORE_MGMT_ACTION_H

#include "server/fleet/action.h"
#include "server/store/store.h"

/* An action to be made.  Strings may be NULL where the schema allows NULL. */
struct mue_assignment {
	int64_t target_id, set_id;
	enum mue_force_type type;
	int64_t force_time; /* ms since 1970, with timeforced; else 0 */
	int64_t weight;     /* 0..1000; -1: none given */
	bool confirmation;  /* the device must confirm, unless it auto-confirms */
	const char *window_schedule, *window_duration, *window_timezone;
	const char *who;
};

/*
 * Assigns: makes the action active at once, asks older actions of the target to stop, sets the
 * target pending.  *ret_action: its id, or 0 when the set is installed or under way already (then
 * nothing changes).  Verdicts of mue_assign_check (api/upload.h) when the set does not fit the
 * target.
 */
int mue_action_assign(struct mue_db *db, const struct mue_assignment *a, int64_t *ret_action,
		      struct mue_error *e);

/* The target has it already, says the operator: a finished action, the set counts as installed. */
int mue_action_assign_offline(struct mue_db *db, const struct mue_assignment *a,
			      int64_t *ret_action, struct mue_error *e);

/* Makes a scheduled action of a rollout group open: see mue_action_assign.  An action whose set is
 * installed already becomes finished; one that does not fit the target ends in error, with the
 * reason in its history. */
int mue_action_open(struct mue_db *db, int64_t action_id, bool confirmation, const char *who,
		    struct mue_error *e);

/* What happened to an action, for its history. */
struct mue_action_note {
	enum mue_action_event event;
	int64_t occurred_at; /* ms; 0: now */
	int64_t code;        /* -1: none */
	const char *mark;    /* digest of the report, NULL: none */
	const char *const *messages;
	size_t message_count;
	const char *who;
};

/*
 * Applies an event: state, history, the target's status, assigned and installed set.
 * 1: the state changed; 0: noted only.  MUE_ENOTFOUND; MUE_ECONFLICT and MUE_EPERM as
 * mue_action_step (nothing is written then).
 */
int mue_action_apply(struct mue_db *db, int64_t action_id, const struct mue_action_note *note,
		     struct mue_error *e);

/* mue_action_apply with one sentence, or none (NULL), by `who`. */
int mue_action_say(struct mue_db *db, int64_t action_id, enum mue_action_event event,
		   const char *sentence, const char *who, struct mue_error *e);

/* Adds a line to the history without an event. */
int mue_action_remark(struct mue_db *db, int64_t action_id, const char *status,
		      const struct mue_action_note *note, struct mue_error *e);

#endif
