#include "server/presence.h"

#include <gnutls/gnutls.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next_name, *next_id;
	struct mue_seen seen;
	_Atomic int64_t last_seen;
	atomic_bool dirty; /* last_seen is newer than the database's */
	uint32_t hash;
	char token[129];
	char controller_id[];
};

struct mue_presence {
	pthread_rwlock_t lock;
	struct entry **by_name, **by_id;
	size_t buckets, count; /* buckets: a power of two */
	atomic_ullong polls;
	atomic_uint poll_s;
};

static uint32_t hash_name(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h ^ h >> 15;
}

static size_t slot_of_id(const struct mue_presence *p, int64_t id)
{
	return ((uint64_t)id * 0x9e3779b97f4a7c15u >> 20) & (p->buckets - 1);
}

static struct entry *find(const struct mue_presence *p, const char *name)
{
	uint32_t h = hash_name(name);
	struct entry *x = p->by_name[h & (p->buckets - 1)];

	while (x && (x->hash != h || strcmp(x->controller_id, name)))
		x = x->next_name;
	return x;
}

static struct entry *find_id(const struct mue_presence *p, int64_t id)
{
	struct entry *x = p->by_id[slot_of_id(p, id)];

	while (x && x->seen.target_id != id)
		x = x->next_id;
	return x;
}

static void link_entry(struct mue_presence *p, struct entry *x)
{
	struct entry **name = &p->by_name[x->hash & (p->buckets - 1)];
	struct entry **id = &p->by_id[slot_of_id(p, x->seen.target_id)];

	x->next_name = *name;
	*name = x;
	x->next_id = *id;
	*id = x;
}

static void unlink_entry(struct mue_presence *p, struct entry *x)
{
	struct entry **at = &p->by_name[x->hash & (p->buckets - 1)];

	while (*at != x)
		at = &(*at)->next_name;
	*at = x->next_name;
	at = &p->by_id[slot_of_id(p, x->seen.target_id)];
	while (*at != x)
		at = &(*at)->next_id;
	*at = x->next_id;
}

static void grow(struct mue_presence *p)
{
	struct entry **old = p->by_name;
	size_t old_buckets = p->buckets;
	struct entry **name = calloc(2 * old_buckets, sizeof *name);
	struct entry **id = calloc(2 * old_buckets, sizeof *id);

	if (!name || !id) { /* longer chains, still right */
		free(name);
		free(id);
		return;
	}
	free(p->by_id);
	p->by_name = name;
	p->by_id = id;
	p->buckets *= 2;
	for (size_t i = 0; i < old_buckets; i++)
		for (struct entry *x = old[i], *next; x; x = next) {
			next = x->next_name;
			link_entry(p, x);
		}
	free(old);
}

/* The oldest open action decides; one that is being cancelled goes first (DDI shows no deployment
 * beside a cancel). */
#define COLUMNS                                                                              \
	"SELECT t.id, t.controller_id, t.security_token, t.last_seen, t.request_attributes," \
	" t.poll_s, t.auto_confirm,"                                                         \
	" (SELECT a.id FROM action a WHERE a.target_id = t.id AND a.active = 1"              \
	"  AND a.status <> 'scheduled' ORDER BY a.status <> 'canceling', a.id LIMIT 1),"     \
	" (SELECT max(a.id) FROM action a WHERE a.target_id = t.id AND a.active = 0"         \
	"  AND a.status = 'finished') FROM target t"

static int fill_offer(struct mue_db *db, struct mue_seen *s, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e, "SELECT status, type, set_id FROM action WHERE id = ?1",
			     "i", s->action_id);

	if (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		const char *status = mue_rows_text(&rows, 0);

		if (!strcmp(status, "canceling"))
			s->offer = MUE_OFFER_CANCEL;
		else if (!strcmp(status, "wait_for_confirmation"))
			s->offer = MUE_OFFER_CONFIRM;
		else
			s->offer = MUE_OFFER_DEPLOY;
		/* Forced by hand afterwards, or another set: the device must look again. */
		s->c = (int32_t)(hash_name(mue_rows_text(&rows, 1)) * 31u +
				 (uint32_t)mue_rows_int(&rows, 2) * 2654435761u);
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static void place(struct mue_presence *p, const char *name, const char *token,
		  const struct mue_seen *s)
{
	struct entry *x = find_id(p, s->target_id);
	int64_t last_seen = s->last_seen;
	bool dirty = false;

	if (x && strcmp(x->controller_id, name)) {
		unlink_entry(p, x);
		free(x);
		x = NULL;
	}
	if (x) {
		if (atomic_load(&x->last_seen) > last_seen)
			last_seen = atomic_load(&x->last_seen);
		dirty = atomic_load(&x->dirty);
	} else {
		x = calloc(1, sizeof *x + strlen(name) + 1);
		if (!x)
			abort(); /* a target that cannot be seen would never be updated */
		strcpy(x->controller_id, name);
		x->hash = hash_name(name);
		x->seen.target_id = s->target_id;
		link_entry(p, x);
		if (++p->count > 2 * p->buckets)
			grow(p);
	}
	x->seen = *s;
	atomic_store(&x->last_seen, last_seen);
	atomic_store(&x->dirty, dirty);
	snprintf(x->token, sizeof x->token, "%s", token);
}

static void forget(struct mue_presence *p, int64_t id)
{
	struct entry *x;

	pthread_rwlock_wrlock(&p->lock);
	x = find_id(p, id);
	if (x) {
		unlink_entry(p, x);
		free(x);
		p->count--;
	}
	pthread_rwlock_unlock(&p->lock);
}

static int take_row(struct mue_presence *p, struct mue_db *db, struct mue_rows *rows,
		    struct mue_error *e)
{
	struct mue_seen s = {
		.target_id = mue_rows_int(rows, 0),
		.last_seen = mue_rows_int(rows, 3),
		.wants_attributes = mue_rows_int(rows, 4) != 0,
		.poll_s = (uint32_t)mue_rows_int(rows, 5),
		.auto_confirm = mue_rows_int(rows, 6) != 0,
		.action_id = mue_rows_int(rows, 7),
		.installed_id = mue_rows_int(rows, 8),
	};
	int r = s.action_id ? fill_offer(db, &s, e) : 0;

	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&p->lock);
	place(p, mue_rows_text(rows, 1), mue_rows_text(rows, 2), &s);
	pthread_rwlock_unlock(&p->lock);
	return 0;
}

void mue_presence_reload(struct mue_presence *p, struct mue_db *db, const int64_t *ids,
			 size_t count)
{
	struct mue_error e;

	for (size_t i = 0; i < count; i++) {
		struct mue_rows rows;
		int r = mue_db_query(db, &rows, &e, COLUMNS " WHERE t.id = ?1", "i", ids[i]);

		if (r == 0)
			r = mue_rows_next(&rows, &e);
		if (r > 0)
			r = take_row(p, db, &rows, &e);
		else if (r == 0)
			forget(p, ids[i]);
		mue_rows_end(&rows);
		if (r < 0)
			abort(); /* RAM and database would disagree from here on */
	}
}

uint32_t mue_presence_poll_s(struct mue_presence *p)
{
	return atomic_load(&p->poll_s);
}

int mue_presence_reload_settings(struct mue_presence *p, struct mue_db *db, struct mue_error *e)
{
	unsigned h = 0, m = 0, s = 0;
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e, "SELECT value FROM config WHERE key = 'pollingTime'",
			     NULL);

	if (r == 0 && (r = mue_rows_next(&rows, e)) > 0 &&
	    (sscanf(mue_rows_text(&rows, 0), "%2u:%2u:%2u", &h, &m, &s) != 3 || m > 59 || s > 59))
		h = m = s = 0;
	mue_rows_end(&rows);
	if (r < 0)
		return r;
	atomic_store(&p->poll_s, h * 3600 + m * 60 + s);
	return 0;
}

static int load_all(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e, COLUMNS, NULL);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0)
		r = take_row(arg, db, &rows, e);
	mue_rows_end(&rows);
	return r < 0 ? r : mue_presence_reload_settings(arg, db, e);
}

int mue_presence_open(struct mue_store *store, struct mue_presence **ret, struct mue_error *e)
{
	struct mue_presence *p = calloc(1, sizeof *p);
	int r;

	if (!p)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	pthread_rwlock_init(&p->lock, NULL);
	p->buckets = 1024;
	p->by_name = calloc(p->buckets, sizeof *p->by_name);
	p->by_id = calloc(p->buckets, sizeof *p->by_id);
	if (!p->by_name || !p->by_id)
		r = mue_fail(e, MUE_ENOMEM, "out of memory");
	else
		r = mue_store_read(store, load_all, p, e);
	if (r < 0)
		mue_presence_close(p);
	else
		*ret = p;
	return r;
}

void mue_presence_close(struct mue_presence *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->by_name && i < p->buckets; i++)
		for (struct entry *x = p->by_name[i], *next; x; x = next) {
			next = x->next_name;
			free(x);
		}
	free(p->by_name);
	free(p->by_id);
	pthread_rwlock_destroy(&p->lock);
	free(p);
}

int mue_presence_get(struct mue_presence *p, const char *controller_id, struct mue_seen *ret)
{
	struct entry *x;

	pthread_rwlock_rdlock(&p->lock);
	x = find(p, controller_id);
	if (x) {
		*ret = x->seen;
		ret->last_seen = atomic_load(&x->last_seen);
	}
	pthread_rwlock_unlock(&p->lock);
	return x ? 0 : MUE_ENOTFOUND;
}

void mue_presence_touch(struct mue_presence *p, const char *controller_id, int64_t now_ms)
{
	struct entry *x;

	pthread_rwlock_rdlock(&p->lock);
	x = find(p, controller_id);
	if (x) {
		atomic_store(&x->last_seen, now_ms);
		atomic_store(&x->dirty, true);
	}
	pthread_rwlock_unlock(&p->lock);
	atomic_fetch_add(&p->polls, 1);
}

bool mue_presence_token_is(struct mue_presence *p, const char *controller_id, const char *token)
{
	bool is = false;
	struct entry *x;

	pthread_rwlock_rdlock(&p->lock);
	x = find(p, controller_id);
	if (x && x->token[0] && strlen(token) == strlen(x->token))
		is = gnutls_memcmp(token, x->token, strlen(token)) == 0;
	pthread_rwlock_unlock(&p->lock);
	return is;
}

int64_t mue_presence_last_seen(struct mue_presence *p, int64_t target_id)
{
	struct entry *x;
	int64_t seen = 0;

	pthread_rwlock_rdlock(&p->lock);
	x = find_id(p, target_id);
	if (x)
		seen = atomic_load(&x->last_seen);
	pthread_rwlock_unlock(&p->lock);
	return seen;
}

struct flush_row {
	int64_t id, seen;
};

struct flush {
	struct flush_row *rows;
	size_t count;
};

static void collect(struct mue_presence *p, struct flush *f)
{
	pthread_rwlock_rdlock(&p->lock);
	f->rows = calloc(p->count + 1, sizeof *f->rows);
	for (size_t i = 0; f->rows && i < p->buckets; i++)
		for (struct entry *x = p->by_name[i]; x; x = x->next_name)
			if (atomic_exchange(&x->dirty, false))
				f->rows[f->count++] = (struct flush_row){
					x->seen.target_id, atomic_load(&x->last_seen)
				};
	pthread_rwlock_unlock(&p->lock);
}

static int write_seen(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct flush *f = arg;
	int r = 0;

	for (size_t i = 0; i < f->count && r == 0; i++)
		r = mue_db_exec(db, e,
				"UPDATE target SET last_seen = ?2, update_status ="
				" CASE update_status WHEN 'unknown' THEN 'registered'"
				" ELSE update_status END WHERE id = ?1",
				"ii", f->rows[i].id, f->rows[i].seen);
	return r;
}

int mue_presence_flush(struct mue_presence *p, struct mue_store *store, struct mue_error *e)
{
	struct flush f = { 0 };
	int r = 0;

	collect(p, &f);
	if (!f.rows)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (f.count)
		r = mue_store_write(store, write_seen, &f, e);
	free(f.rows);
	return r;
}

void mue_presence_count(struct mue_presence *p, struct mue_presence_counts *ret)
{
	struct mue_presence_counts c = { 0 };

	pthread_rwlock_rdlock(&p->lock);
	c.targets = p->count;
	for (size_t i = 0; i < p->buckets; i++)
		for (struct entry *x = p->by_name[i]; x; x = x->next_name)
			c.offers[x->seen.offer]++;
	pthread_rwlock_unlock(&p->lock);
	c.polls = atomic_load(&p->polls);
	*ret = c;
}
