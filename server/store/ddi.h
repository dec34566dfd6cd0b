/*
 * ddi.h - the questions that devices' requests ask of the database.
 */
#ifndef MUE_SERVER_STORE_DDI_H
#define MUE_SERVER_STORE_DDI_H

#include "server/fleet/action.h"
#include "server/store/store.h"

#include <jansson.h>

/* ---- targets ---- */

/* 1..256 visible ASCII characters without slash, backslash, quotes and percent. */
bool mue_controller_id_ok(const char *id);

/* The target's id, made when there is none yet (with a random token).  MUE_EINVAL for a name that
 * is none. */
int mue_target_ensure(struct mue_db *db, const char *controller_id, const char *by, int64_t *ret_id,
		      struct mue_error *e);
/* MUE_ENOTFOUND. */
int mue_target_find(struct mue_db *db, const char *controller_id, int64_t *ret_id,
		    struct mue_error *e);

enum mue_attributes_mode { MUE_ATTRIBUTES_MERGE, MUE_ATTRIBUTES_REPLACE, MUE_ATTRIBUTES_REMOVE };

enum { MUE_ATTRIBUTES_MAX = 500, MUE_ATTRIBUTE_KEY_MAX = 128, MUE_ATTRIBUTE_VALUE_MAX = 1024 };

/* `data`: object of strings.  MUE_EINVAL for another shape or past a limit. */
int mue_attributes_set(struct mue_db *db, int64_t target_id, json_t *data,
		       enum mue_attributes_mode mode, struct mue_error *e);

/* ---- actions ---- */

struct mue_action_row {
	int64_t id, target_id, set_id;
	enum mue_action_state state;
	enum mue_force_type type;
	int64_t force_time;                             /* 0: none */
	char schedule[128], duration[32], timezone[16]; /* maintenance window; "" without */
};

/* The action, when it belongs to that target.  MUE_ENOTFOUND. */
int mue_action_of(struct mue_db *db, int64_t target_id, int64_t action_id,
		  struct mue_action_row *ret, struct mue_error *e);

/* Has the device said exactly this before, so that it needs no second record?  1 when the newest
 * row of the history has this mark, or the action has ended and any row has it; 0; or a verdict. */
int mue_action_repeated(struct mue_db *db, const struct mue_action_row *a, const char *mark,
			struct mue_error *e);
/* Rows of the action's history. */
int mue_action_history_size(struct mue_db *db, int64_t action_id, int64_t *ret,
			    struct mue_error *e);

/* ---- what a device is given ---- */

/* The chunks of a set as DDI shows them: one a software module, with its artifacts, links below
 * `links` (".../softwaremodules").  *ret is owned by the caller. */
int mue_chunks(struct mue_db *db, int64_t set_id, const char *links, json_t **ret,
	       struct mue_error *e);
/* The artifacts of one module, as in a chunk. */
int mue_module_artifacts(struct mue_db *db, int64_t module_id, const char *links, json_t **ret,
			 struct mue_error *e);
/* The newest `count` messages of an action's history, newest first; -1: all. */
int mue_action_messages(struct mue_db *db, int64_t action_id, int64_t count, json_t **ret,
			struct mue_error *e);

struct mue_artifact_row {
	char sha256[65], md5[33];
	uint64_t size;
};

/* An artifact of a module of a set that this target was ever given.  MUE_ENOTFOUND also when it
 * exists but was not given to this target. */
int mue_artifact_for_target(struct mue_db *db, int64_t target_id, int64_t module_id,
			    const char *filename, struct mue_artifact_row *ret,
			    struct mue_error *e);
/* Was a set with this module ever given to this target?  MUE_ENOTFOUND. */
int mue_module_for_target(struct mue_db *db, int64_t target_id, int64_t module_id,
			  struct mue_error *e);

#endif
