/*
 * rollout.h - rollouts in the store: planning their groups, and driving them by the tables of
 * fleet/rollout.h.  All state is in the database and every step is one transaction, so that a
 * server killed at any time goes on where it was.
 */
#ifndef MUE_SERVER_STORE_ROLLOUT_H
#define MUE_SERVER_STORE_ROLLOUT_H

#include "server/fleet/rollout.h"
#include "server/store/store.h"

enum { MUE_ROLLOUT_GROUPS = 500, MUE_ROLLOUT_BATCH = 500 };

/*
 * Fills the groups of a rollout in state creating, in order of position: each takes its share of
 * the targets that match the rollout's filter and its own, whose type is compatible with the
 * set's, who do not report a vendor or class that the set is not made for, and that no group before
 * it took; lowest ids first.  MUE_EINVAL: a filter that does not
 * compile, no target at all, or targets that no group takes.
 */
int mue_rollout_plan(struct mue_db *db, int64_t rollout_id, int64_t overdue_ms,
		     struct mue_error *e);

/* Moves a rollout by an event of the table and keeps `reason` (NULL: none) as why it stands still.
 * MUE_ENOTFOUND, MUE_EPERM with a sentence. */
int mue_rollout_event(struct mue_db *db, int64_t rollout_id, enum mue_rollout_event event,
		      const char *reason, const char *who, struct mue_error *e);

/* Opens the next waiting group by a person's word.  MUE_EPERM, MUE_ENOTFOUND. */
int mue_rollout_trigger(struct mue_db *db, int64_t rollout_id, const char *who,
			struct mue_error *e);

/* Asks whether the rollout has something to do now; only reads. 1: yes, 0: no. */
int mue_rollout_pending(struct mue_db *db, int64_t rollout_id, struct mue_error *e);

/* Does a bounded piece of what is to be done (at most MUE_ROLLOUT_BATCH actions).  1: there may be
 * more, call again; 0: at rest. */
int mue_rollout_tick(struct mue_db *db, int64_t rollout_id, struct mue_error *e);

/* The counts of a group, or of all groups of a rollout (group 0). */
int mue_rollout_counts(struct mue_db *db, int64_t rollout_id, int64_t group_id,
		       struct mue_group_counts *ret, struct mue_error *e);

/* Ids of the rollouts that may have something to do; at most `room`. */
int mue_rollout_open(struct mue_db *db, int64_t *ret, size_t room, size_t *ret_count,
		     struct mue_error *e);

#endif
