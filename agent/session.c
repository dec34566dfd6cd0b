#include "agent/session.h"

#include "core/crc.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER (1u << 20)
#define PUSH   (4u << 20) /* bytes between two write-outs in the background */
#define MAGIC  "MUEINST1"
#define CRC_AT 96

/* docs/FORMATS.md, "Install journal"; numbers are little-endian. */
struct record {
	uint32_t sequence;
	uint64_t size, offset;
	uint8_t key[32], digest[32];
};

static void put(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static void encode(const struct record *r, uint8_t out[MUE_SESSION_RECORD])
{
	memset(out, 0, MUE_SESSION_RECORD);
	memcpy(out, MAGIC, 8);
	put(out + 8, r->sequence, 4);
	put(out + 16, r->size, 8);
	put(out + 24, r->offset, 8);
	memcpy(out + 32, r->key, 32);
	memcpy(out + 64, r->digest, 32);
	put(out + CRC_AT, mue_crc32(0, out, CRC_AT), 4);
}

static bool decode(const uint8_t in[MUE_SESSION_RECORD], struct record *ret)
{
	if (memcmp(in, MAGIC, 8) != 0 || get(in + CRC_AT, 4) != mue_crc32(0, in, CRC_AT))
		return false;
	ret->sequence = (uint32_t)get(in + 8, 4);
	ret->size = get(in + 16, 8);
	ret->offset = get(in + 24, 8);
	memcpy(ret->key, in + 32, 32);
	memcpy(ret->digest, in + 64, 32);
	return true;
}

/* Records of this session, by falling offset.  Returns how many. */
static size_t load_records(struct mue_session *s, struct record ret[MUE_SESSION_RECORDS])
{
	uint8_t raw[MUE_SESSION_RECORD];
	struct record r;
	size_t n = 0, at;

	for (unsigned i = 0; i < MUE_SESSION_RECORDS; i++) {
		if (s->journal->ops->read(s->journal, i * MUE_SESSION_RECORD, raw, sizeof(raw),
					  NULL) < 0 ||
		    !decode(raw, &r))
			continue;
		if (r.sequence > s->sequence)
			s->sequence = r.sequence;
		if (memcmp(r.key, s->key, 32) != 0 || r.size != s->size || r.offset > s->size)
			continue;
		for (at = n++; at > 0 && ret[at - 1].offset < r.offset; at--)
			ret[at] = ret[at - 1];
		ret[at] = r;
	}
	return n;
}

/* Hashes the place's bytes [from, to), from the medium. */
static int hash_place(struct mue_session *s, struct mue_hash *h, uint64_t from, uint64_t to,
		      struct mue_error *e)
{
	while (from < to) {
		size_t n = to - from < BUFFER ? (size_t)(to - from) : BUFFER;
		int r = s->place->ops->read(s->place, from, s->keeper.buffer, n, e);

		if (r < 0)
			return r;
		mue_hash_update(h, s->keeper.buffer, n);
		from += n;
	}
	return 0;
}

/* Does the place begin with what this record says?  Then the session continues there. */
static bool holds(struct mue_session *s, const struct record *r)
{
	uint8_t digest[32];
	struct mue_hash h;

	if (mue_hash_init(&h, MUE_HASH_SHA256) < 0)
		return false;
	if (hash_place(s, &h, 0, r->offset, NULL) == 0 && mue_hash_peek(&h, digest) == 0 &&
	    memcmp(digest, r->digest, 32) == 0) {
		mue_hash_drop(&s->hash);
		s->hash = h;
		s->offset = r->offset;
		return true;
	}
	mue_hash_drop(&h);
	return false;
}

/* A record of [0, offset) with that digest.  Records 0 and 1 are hints, 2 and 3 are synced. */
static int note(struct mue_session *s, uint64_t offset, const uint8_t digest[32], bool synced,
		struct mue_error *e)
{
	struct record r = { .size = s->size, .offset = offset };
	uint8_t raw[MUE_SESSION_RECORD];
	unsigned index;
	int verdict;

	pthread_mutex_lock(&s->keeper.lock);
	r.sequence = ++s->sequence;
	pthread_mutex_unlock(&s->keeper.lock);
	index = (synced ? 2 : 0) + (r.sequence & 1);
	memcpy(r.key, s->key, 32);
	memcpy(r.digest, digest, 32);
	encode(&r, raw);
	verdict = s->journal->ops->write(s->journal, index * MUE_SESSION_RECORD, raw, sizeof(raw),
					 e);
	if (verdict == 0 && synced)
		verdict = s->journal->ops->sync(s->journal, e);
	return verdict;
}

/* --- the keeper: durable, noted, read back --- */

static int keep(struct mue_session *s, uint64_t due, const uint8_t digest[32], struct mue_error *e)
{
	int r = s->place->ops->sync(s->place, e);

	if (r == 0)
		r = note(s, due, digest, true, e);
	if (r == 0 && (r = hash_place(s, &s->keeper.back, s->keeper.kept, due, e)) < 0)
		mue_prefix(e, "reading back");
	return r;
}

static void *keeper_main(void *ctx)
{
	struct mue_session *s = ctx;
	struct mue_keeper *k = &s->keeper;
	struct mue_error e = { 0 };
	uint8_t digest[32];
	uint64_t due;
	int r = 0;

	pthread_mutex_lock(&k->lock);
	while (r == 0 && !k->stop) {
		if (k->due == k->kept) {
			pthread_cond_wait(&k->wake, &k->lock);
			continue;
		}
		due = k->due;
		memcpy(digest, k->digest, 32);
		pthread_mutex_unlock(&k->lock);
		r = keep(s, due, digest, &e);
		pthread_mutex_lock(&k->lock);
		if (r < 0)
			k->error = e;
		else
			k->kept = due;
		pthread_cond_broadcast(&k->wake);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* Hands [0, offset) to the keeper; one that is still busy gets it the next time, unless `wait`. */
static int hand_over(struct mue_session *s, bool wait, struct mue_error *e)
{
	struct mue_keeper *k = &s->keeper;
	uint8_t digest[32];
	int r = 0;

	if (mue_hash_peek(&s->hash, digest) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (!k->running) {
		r = k->kept < s->offset ? keep(s, s->offset, digest, e) : 0;
		k->due = k->kept = r < 0 ? k->kept : s->offset;
		return r;
	}
	pthread_mutex_lock(&k->lock);
	while (wait && k->due != k->kept && !k->error.code)
		pthread_cond_wait(&k->wake, &k->lock);
	if (k->due == k->kept) {
		k->due = s->offset;
		memcpy(k->digest, digest, 32);
		pthread_cond_broadcast(&k->wake);
	}
	while (wait && k->due != k->kept && !k->error.code)
		pthread_cond_wait(&k->wake, &k->lock);
	if (k->error.code) {
		r = k->error.code;
		if (e)
			*e = k->error;
	}
	pthread_mutex_unlock(&k->lock);
	return r;
}

static int start_keeper(struct mue_session *s, struct mue_error *e)
{
	struct mue_keeper *k = &s->keeper;

	if (mue_hash_init(&k->back, MUE_HASH_SHA256) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	/* Without a thread it is all done in turn. */
	k->running = s->place->ops->threads &&
		     pthread_create(&k->thread, NULL, keeper_main, s) == 0;
	return 0;
}

static void stop_keeper(struct mue_session *s)
{
	struct mue_keeper *k = &s->keeper;

	if (k->running) {
		pthread_mutex_lock(&k->lock);
		k->stop = true;
		pthread_cond_broadcast(&k->wake);
		pthread_mutex_unlock(&k->lock);
		pthread_join(k->thread, NULL);
		k->running = false;
	}
	mue_hash_drop(&k->back);
}

/* --- the session --- */

int mue_session_open(struct mue_session *s, struct mue_installer *place,
		     struct mue_installer *journal, const uint8_t key[32], uint64_t size,
		     struct mue_error *e)
{
	struct record records[MUE_SESSION_RECORDS];
	size_t n;
	int r;

	memset(s, 0, sizeof(*s));
	s->place = place;
	s->journal = journal;
	s->size = size;
	s->note_every = MUE_SESSION_NOTE;
	s->sync_every = MUE_SESSION_SYNC;
	memcpy(s->key, key, 32);
	pthread_mutex_init(&s->keeper.lock, NULL);
	pthread_cond_init(&s->keeper.wake, NULL);
	s->keeper.buffer = aligned_alloc(MUE_INSTALLER_ALIGN, BUFFER);
	if (!s->keeper.buffer || mue_hash_init(&s->hash, MUE_HASH_SHA256) < 0) {
		free(s->keeper.buffer);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	r = journal->ops->open(journal, MUE_SESSION_JOURNAL, e);
	if (r == 0)
		r = place->ops->open(place, size, e);
	if (r == 0) {
		n = load_records(s, records);
		for (size_t i = 0; i < n; i++)
			if (holds(s, &records[i]))
				break;
		s->noted = s->pushed = s->offset;
		r = start_keeper(s, e);
	}
	if (r < 0)
		mue_session_close(s);
	return r;
}

/* After new bytes: write-out in the background, and the records that are due. */
static int progress(struct mue_session *s, struct mue_error *e)
{
	uint8_t digest[32];

	if (s->offset - s->pushed >= PUSH) {
		s->place->ops->push(s->place, s->pushed, s->offset - s->pushed);
		s->pushed = s->offset;
	}
	/* `due` is only changed by this thread. */
	if (s->offset - s->keeper.due >= s->sync_every)
		return hand_over(s, false, e);
	if (s->offset - s->noted < s->note_every)
		return 0;
	s->noted = s->offset;
	if (mue_hash_peek(&s->hash, digest) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	return note(s, s->offset, digest, false, e);
}

int mue_session_write(struct mue_session *s, const void *data, size_t len, struct mue_error *e)
{
	int r;

	if (len > s->size - s->offset)
		return mue_fail(e, MUE_ESIZE, "more bytes arrive than the manifest says (%llu)",
				(unsigned long long)s->size);
	r = s->place->ops->write(s->place, s->offset, data, len, e);
	if (r < 0)
		return r;
	mue_hash_update(&s->hash, data, len);
	s->offset += len;
	return progress(s, e);
}

static int spoiled(struct mue_session *s, const char *what, struct mue_error *e)
{
	struct mue_error ignored;

	stop_keeper(s);
	s->offset = s->noted = 0; /* so that close notes nothing */
	(void)mue_session_void(s->journal, &ignored);
	return mue_fail(e, MUE_EDIGEST, "%s: the digest differs from the manifest's", what);
}

int mue_session_finish(struct mue_session *s, const uint8_t digest[32], struct mue_error *e)
{
	uint8_t got[32];
	int r;

	if (s->offset != s->size)
		return mue_fail(e, MUE_ETRUNC, "%llu of %llu bytes are there",
				(unsigned long long)s->offset, (unsigned long long)s->size);
	if (mue_hash_peek(&s->hash, got) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (memcmp(got, digest, 32) != 0)
		return spoiled(s, "received", e);
	r = hand_over(s, true, e);
	if (r < 0)
		return r;
	if (mue_hash_peek(&s->keeper.back, got) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (memcmp(got, digest, 32) != 0)
		return spoiled(s, "read back from the medium", e);
	s->noted = s->offset;
	return 0;
}

void mue_session_close(struct mue_session *s)
{
	uint8_t digest[32];

	if (!s->keeper.buffer)
		return;
	stop_keeper(s);
	if (s->hash.handle && s->offset > s->noted && mue_hash_peek(&s->hash, digest) == 0)
		(void)note(s, s->offset, digest, false, NULL);
	mue_hash_drop(&s->hash);
	s->place->ops->close(s->place);
	s->journal->ops->close(s->journal);
	free(s->keeper.buffer);
	s->keeper.buffer = NULL;
	pthread_mutex_destroy(&s->keeper.lock);
	pthread_cond_destroy(&s->keeper.wake);
}

int mue_session_void(struct mue_installer *journal, struct mue_error *e)
{
	static const uint8_t nothing[MUE_SESSION_JOURNAL];
	int r = journal->ops->open(journal, MUE_SESSION_JOURNAL, e);

	if (r == 0)
		r = journal->ops->write(journal, 0, nothing, sizeof(nothing), e);
	if (r == 0)
		r = journal->ops->sync(journal, e);
	journal->ops->close(journal);
	return r;
}
