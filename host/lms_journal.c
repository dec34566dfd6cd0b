#include "host/lms_journal.h"

#include "host/file.h"
#include "host/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Lines of fixed length; the last field of a journal line is the chain: SHA-256 over the chain
 * before (32 zeros at the start) and the line's text in front of the chain.
 *	mue-lms-journal 1 KID CHAIN
 *	sign INDEX DIGEST CHAIN
 */
#define HEADER_TEXT (sizeof("mue-lms-journal 1 ") - 1 + 16 + 1)
#define RECORD_TEXT (sizeof("sign ") - 1 + 13 + 1 + 64 + 1)
#define TAIL        (64 + 1) /* chain and line end */
#define LINE_SIZE   256
#define STATE_MAX   256

static void advance(uint8_t chain[32], const char *text, size_t len)
{
	uint8_t both[32 + LINE_SIZE];

	memcpy(both, chain, 32);
	memcpy(both + 32, text, len);
	mue_hash_sha256(both, 32 + len, chain);
}

static int side_paths(const char *path, struct mue_lms_journal *j, struct mue_error *e)
{
	int a = snprintf(j->journal, sizeof(j->journal), "%s.journal", path);
	int b = snprintf(j->state, sizeof(j->state), "%s.state", path);

	if (a < 0 || b < 0 || (size_t)a >= sizeof(j->journal) || (size_t)b >= sizeof(j->state))
		return mue_fail(e, MUE_EINVAL, "%.80s...: path too long", path);
	return MUE_OK;
}

/* Its last field is SHA-256 over the text before, against damage. */
static int state_line(const struct mue_lms_journal *j, char ret[STATE_MAX])
{
	uint8_t check[32];
	char hex[65];
	int len = snprintf(ret, STATE_MAX, "mue-lms-state 1 %s %013" PRIu64 " %013" PRIu64 " %s ",
			   j->kid, j->records, j->next, mue_hex(j->chain, 32, hex));

	mue_hash_sha256(ret, (size_t)len, check);
	return len + snprintf(ret + len, STATE_MAX - (size_t)len, "%s\n", mue_hex(check, 32, hex));
}

static int write_state(const struct mue_lms_journal *j, struct mue_error *e)
{
	char line[STATE_MAX];
	int len = state_line(j, line);

	return mue_file_write(j->state, line, (size_t)len, 0600, e);
}

/* "text" and its chain as one line; returns its length. */
static size_t finish_line(char line[LINE_SIZE], size_t text, uint8_t chain[32])
{
	char hex[65];

	advance(chain, line, text);
	memcpy(line + text, mue_hex(chain, 32, hex), 64);
	line[text + 64] = '\n';
	return text + TAIL;
}

int mue_lms_journal_create(const char *path, const uint8_t kid[MUE_KID_SIZE], struct mue_error *e)
{
	struct mue_lms_journal j = { .fd = -1 };
	char line[LINE_SIZE + 1];
	int r = side_paths(path, &j, e), len;

	if (r < 0)
		return r;
	mue_hex(kid, MUE_KID_SIZE, j.kid);
	len = snprintf(line, sizeof(line), "mue-lms-journal 1 %s ", j.kid);
	len = (int)finish_line(line, (size_t)len, j.chain);
	r = mue_file_create(j.journal, line, (size_t)len, 0600, e);
	if (r < 0)
		return r;
	len = state_line(&j, line);
	return mue_file_create(j.state, line, (size_t)len, 0600, e);
}

/* One line of the journal at `off`: checks its chain and moves `chain` on.  1: a whole good line,
 * 0: the end, MUE_EKEY: torn or damaged. */
static int read_line(int fd, uint64_t off, uint64_t size, size_t text, uint8_t chain[32],
		     char line[LINE_SIZE])
{
	uint8_t want[32], got[32];
	char hex[65];

	if (off == size)
		return 0;
	if (size - off < text + TAIL || mue_fd_pread(fd, off, line, text + TAIL, NULL) < 0)
		return MUE_EKEY;
	memcpy(want, chain, 32);
	advance(want, line, text);
	memcpy(hex, line + text, 64);
	hex[64] = 0;
	if (line[text + 64] != '\n' || !mue_unhex(hex, got, 32) || memcmp(got, want, 32) != 0)
		return MUE_EKEY;
	memcpy(chain, want, 32);
	return 1;
}

static bool parse_number(const char *p, uint64_t *ret)
{
	uint64_t v = 0;

	for (int i = 0; i < 13; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*ret = v;
	return true;
}

static int load_state(struct mue_lms_journal *j, struct mue_error *e)
{
	struct mue_buf b = { .max = STATE_MAX };
	struct mue_lms_journal s = *j;
	char again[STATE_MAX], hex[65] = "";
	const char *p;
	size_t head = sizeof("mue-lms-state 1 ") - 1 + 16 + 1;
	int r = mue_file_read(j->state, &b, e);

	if (r < 0) {
		mue_buf_free(&b);
		return mue_fail(
			e, MUE_EKEY,
			"%s: cannot be read; without it nobody knows which indices are used, "
			"make a new key",
			j->state);
	}
	p = mue_buf_str(&b);
	r = MUE_EKEY;
	if (b.len == head + 14 + 14 + 65 + 65 && parse_number(p + head, &s.records) &&
	    parse_number(p + head + 14, &s.next)) {
		memcpy(hex, p + head + 28, 64);
		/* Written again it must be the same bytes: every other check in one. */
		if (mue_unhex(hex, s.chain, 32) && state_line(&s, again) > 0 &&
		    strcmp(again, p) == 0)
			r = MUE_OK;
	}
	mue_buf_free(&b);
	if (r < 0)
		return mue_fail(e, r, "%s: damaged, or of another key", j->state);
	*j = s;
	return MUE_OK;
}

/* What a replay of the journal finds. */
struct replay {
	uint64_t records, next, end; /* end: bytes of whole good lines */
	uint8_t chain[32];
	uint8_t chain_at_state[32]; /* after as many records as the state knows */
	bool torn;                  /* something that is no whole line follows */
};

static int replay(const struct mue_lms_journal *j, struct replay *ret, struct mue_error *e)
{
	struct replay p = { 0 };
	char line[LINE_SIZE];
	struct stat st;
	uint64_t index;
	int r;

	if (fstat(j->fd, &st) < 0)
		return mue_fail_errno(e, "%s", j->journal);
	r = read_line(j->fd, 0, (uint64_t)st.st_size, HEADER_TEXT, p.chain, line);
	if (r <= 0 || memcmp(line, "mue-lms-journal 1 ", 18) != 0 ||
	    memcmp(line + 18, j->kid, 16) != 0)
		return mue_fail(e, MUE_EKEY, "%s: not this key's journal", j->journal);
	for (p.end = HEADER_TEXT + TAIL;; p.end += RECORD_TEXT + TAIL, p.records++) {
		if (p.records == j->records)
			memcpy(p.chain_at_state, p.chain, 32);
		r = read_line(j->fd, p.end, (uint64_t)st.st_size, RECORD_TEXT, p.chain, line);
		if (r <= 0)
			break;
		if (memcmp(line, "sign ", 5) != 0 || !parse_number(line + 5, &index) ||
		    index < p.next)
			return mue_fail(e, MUE_EKEY, "%s: record %" PRIu64 " is damaged",
					j->journal, p.records + 1);
		p.next = index + 1;
	}
	p.torn = r < 0;
	*ret = p;
	return MUE_OK;
}

/* The state is written after the journal, so the journal is as long as the state says, or has one
 * record more, whole or torn, whose signature never left. */
static int agree(const struct mue_lms_journal *j, const struct replay *p, struct mue_error *e)
{
	if (p->records < j->records)
		return mue_fail(
			e, MUE_EKEY,
			"%s: %s after %" PRIu64 " signatures, but %" PRIu64
			" were made: an old copy was put back or it is damaged; this key is "
			"not safe any more, make a new one",
			j->journal, p->torn ? "damaged" : "ends", p->records, j->records);
	if (p->records > j->records + 1 || (p->records == j->records + 1 && p->torn))
		return mue_fail(
			e, MUE_EKEY,
			"%s: older than the journal (%" PRIu64 " signatures against %" PRIu64
			"): an old copy was put back; this key is not safe any more, make a "
			"new one",
			j->state, j->records, p->records);
	if (memcmp(p->chain_at_state, j->chain, 32) != 0 ||
	    (p->records == j->records && j->next < p->next))
		return mue_fail(e, MUE_EKEY, "%s: is not what %s was written for", j->journal,
				j->state);
	return MUE_OK;
}

/* Burns what was reserved when the last signer died, and removes a torn record. */
static int recover(struct mue_lms_journal *j, const struct replay *p, struct mue_error *e)
{
	int r;

	if (p->records == j->records && !p->torn)
		return MUE_OK;
	if (p->torn)
		j->next++;
	else if (p->next > j->next)
		j->next = p->next;
	j->records = p->records;
	memcpy(j->chain, p->chain, 32);
	r = write_state(j, e);
	if (r < 0 || !p->torn)
		return r;
	if (ftruncate(j->fd, (off_t)p->end) < 0 || fsync(j->fd) < 0)
		return mue_fail_errno(e, "%s", j->journal);
	return MUE_OK;
}

int mue_lms_journal_open(const char *path, const uint8_t kid[MUE_KID_SIZE],
			 struct mue_lms_journal *ret, struct mue_error *e)
{
	struct mue_lms_journal j = { .fd = -1 };
	struct replay p;
	int r = side_paths(path, &j, e);

	if (r < 0)
		return r;
	mue_hex(kid, MUE_KID_SIZE, j.kid);
	j.fd = open(j.journal, O_RDWR | O_APPEND | O_CLOEXEC);
	if (j.fd < 0) {
		if (errno == ENOENT)
			return mue_fail(e, MUE_EKEY,
					"%s: not there; without it nobody knows which indices are "
					"used, make a new key",
					j.journal);
		return mue_fail_errno(e, "%s", j.journal);
	}
	r = mue_file_lock(j.fd, e);
	if (r < 0)
		mue_prefix(e, "%s", j.journal);
	if (r == 0)
		r = load_state(&j, e);
	if (r == 0)
		r = replay(&j, &p, e);
	if (r == 0)
		r = agree(&j, &p, e);
	if (r == 0)
		r = recover(&j, &p, e);
	if (r < 0) {
		mue_fd_close(&j.fd);
		return r;
	}
	*ret = j;
	return MUE_OK;
}

int mue_lms_journal_reserve(struct mue_lms_journal *j, const uint8_t digest[32], uint64_t *ret,
			    struct mue_error *e)
{
	char line[LINE_SIZE + 1], hex[65];
	uint64_t index = j->next;
	int len = snprintf(line, sizeof(line), "sign %013" PRIu64 " %s ", index,
			   mue_hex(digest, 32, hex));
	size_t whole = finish_line(line, (size_t)len, j->chain);
	int r = mue_file_append(j->fd, line, whole, e);

	if (r < 0)
		return mue_prefix(e, "%s", j->journal), r;
	j->records++;
	j->next++;
	r = write_state(j, e);
	if (r < 0)
		return r;
	*ret = index;
	return MUE_OK;
}

void mue_lms_journal_close(struct mue_lms_journal *j)
{
	mue_fd_close(&j->fd);
}
