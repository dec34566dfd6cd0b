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

/* Hashes the place's bytes [s->offset, to), from the medium. */
static int hash_place(struct mue_session *s, struct mue_hash *h, uint64_t from, uint64_t to,
		      struct mue_error *e)
{
	while (from < to) {
		size_t n = to - from < BUFFER ? (size_t)(to - from) : BUFFER;
		int r = s->place->ops->read(s->place, from, s->buffer, n, e);

		if (r < 0)
			return r;
		mue_hash_update(h, s->buffer, n);
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

static int note(struct mue_session *s, bool synced, struct mue_error *e)
{
	struct record r = { .sequence = ++s->sequence, .size = s->size, .offset = s->offset };
	uint8_t raw[MUE_SESSION_RECORD];
	unsigned index = (synced ? 2 : 0) + (s->sequence & 1);
	int e2;

	memcpy(r.key, s->key, 32);
	if (mue_hash_peek(&s->hash, r.digest) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	encode(&r, raw);
	e2 = s->journal->ops->write(s->journal, index * MUE_SESSION_RECORD, raw, sizeof(raw), e);
	if (e2 == 0 && synced)
		e2 = s->journal->ops->sync(s->journal, e);
	if (e2 == 0)
		s->noted = s->offset;
	return e2;
}

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
	s->buffer = aligned_alloc(MUE_INSTALLER_ALIGN, BUFFER);
	if (!s->buffer || mue_hash_init(&s->hash, MUE_HASH_SHA256) < 0) {
		free(s->buffer);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	r = journal->ops->open(journal, MUE_SESSION_JOURNAL, e);
	if (r == 0)
		r = place->ops->open(place, size, e);
	if (r < 0) {
		mue_session_close(s);
		return r;
	}
	n = load_records(s, records);
	for (size_t i = 0; i < n; i++)
		if (holds(s, &records[i]))
			break;
	s->noted = s->synced = s->pushed = s->offset;
	return 0;
}

/* After new bytes: write-out in the background, and the records that are due. */
static int progress(struct mue_session *s, struct mue_error *e)
{
	int r;

	if (s->offset - s->pushed >= PUSH) {
		s->place->ops->push(s->place, s->pushed, s->offset - s->pushed);
		s->pushed = s->offset;
	}
	if (s->offset - s->synced >= s->sync_every) {
		r = s->place->ops->sync(s->place, e);
		if (r < 0)
			return r;
		s->synced = s->offset;
		return note(s, true, e);
	}
	if (s->offset - s->noted >= s->note_every)
		return note(s, false, e);
	return 0;
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

	s->offset = s->noted = 0; /* so that close notes nothing */
	(void)mue_session_void(s->journal, &ignored);
	return mue_fail(e, MUE_EDIGEST, "%s: the digest differs from the manifest's", what);
}

int mue_session_finish(struct mue_session *s, const uint8_t digest[32], struct mue_error *e)
{
	struct mue_hash back;
	uint8_t got[32];
	int r;

	if (s->offset != s->size)
		return mue_fail(e, MUE_ETRUNC, "%llu of %llu bytes are there",
				(unsigned long long)s->offset, (unsigned long long)s->size);
	if (mue_hash_peek(&s->hash, got) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (memcmp(got, digest, 32) != 0)
		return spoiled(s, "received", e);
	r = s->place->ops->sync(s->place, e);
	if (r < 0)
		return r;
	if (mue_hash_init(&back, MUE_HASH_SHA256) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = hash_place(s, &back, 0, s->size, e);
	mue_hash_final(&back, got);
	if (r < 0)
		return mue_prefix(e, "reading back");
	if (memcmp(got, digest, 32) != 0)
		return spoiled(s, "read back from the medium", e);
	return note(s, true, e);
}

void mue_session_close(struct mue_session *s)
{
	struct mue_error ignored;

	if (!s->buffer)
		return;
	if (s->hash.handle && s->offset > s->noted)
		(void)note(s, false, &ignored);
	mue_hash_drop(&s->hash);
	s->place->ops->close(s->place);
	s->journal->ops->close(s->journal);
	free(s->buffer);
	s->buffer = NULL;
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
