/*
 * presence.h - the fleet in RAM: what the poll path needs of each target, so that a poll reads no
 * database.  Loaded at the start, corrected after each commit that touched a target or its actions
 * (mue_store_on_touched); when a target was last seen goes to the database in batches.
 */
#ifndef MUE_SERVER_PRESENCE_H
#define MUE_SERVER_PRESENCE_H

#include "host/err.h"
#include "server/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct mue_presence;

enum mue_offer { MUE_OFFER_NONE, MUE_OFFER_DEPLOY, MUE_OFFER_CONFIRM, MUE_OFFER_CANCEL };

/* A copy of one target's entry. */
struct mue_seen {
	int64_t target_id;
	enum mue_offer offer;
	int64_t action_id;    /* of the offer */
	int32_t c;            /* changes when the offer's content does */
	int64_t installed_id; /* last finished action; 0: none */
	bool wants_attributes;
	bool auto_confirm;
	uint32_t poll_s; /* 0: the server's */
	int64_t last_seen;
};

int mue_presence_open(struct mue_store *store, struct mue_presence **ret, struct mue_error *e);
void mue_presence_close(struct mue_presence *p);

/* Reads the targets with these ids again; those that are gone are forgotten.  On the writer's
 * thread. */
void mue_presence_reload(struct mue_presence *p, struct mue_db *db, const int64_t *ids,
			 size_t count);

/* MUE_ENOTFOUND when there is no such target. */
int mue_presence_get(struct mue_presence *p, const char *controller_id, struct mue_seen *ret);
/* Notes a poll: last_seen = now. */
void mue_presence_touch(struct mue_presence *p, const char *controller_id, int64_t now_ms);
/* In constant time for tokens of equal length. */
bool mue_presence_token_is(struct mue_presence *p, const char *controller_id, const char *token);
/* Newest poll of a target that may not have reached the database; 0: none. */
int64_t mue_presence_last_seen(struct mue_presence *p, int64_t target_id);

/* The mean polling interval that operators have set (config "pollingTime" = HH:MM:SS); 0: none. */
uint32_t mue_presence_poll_s(struct mue_presence *p);
int mue_presence_reload_settings(struct mue_presence *p, struct mue_db *db, struct mue_error *e);

/* Writes what was seen since the last flush. */
int mue_presence_flush(struct mue_presence *p, struct mue_store *store, struct mue_error *e);

struct mue_presence_counts {
	uint64_t targets, offers[4], polls;
};
void mue_presence_count(struct mue_presence *p, struct mue_presence_counts *ret);

#endif
