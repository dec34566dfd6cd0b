/*
 * lms_journal.h - the memory of an LMS signer: which indices are used.
 *
 * An append-only journal and a small state file that must agree; docs/FORMATS.md, "LMS key".
 * Locked by flock on the journal while it is open.
 */
#ifndef MUE_HOST_LMS_JOURNAL_H
#define MUE_HOST_LMS_JOURNAL_H

#include "host/err.h"
#include "host/key.h"

#include <stdint.h>

struct mue_lms_journal {
	int fd;
	char kid[2 * MUE_KID_SIZE + 1];
	uint64_t records;  /* signatures written down */
	uint64_t next;     /* the first index that is not used */
	uint8_t chain[32]; /* SHA-256 chained over the header and all records */
	char journal[4096], state[4096];
};

/* Makes both files for the key `path`; MUE_EEXIST when one is there. */
int mue_lms_journal_create(const char *path, const uint8_t kid[MUE_KID_SIZE], struct mue_error *e);

/*
 * Opens, locks, replays.  An index that was reserved but never known to be finished is burnt.
 * MUE_EKEY: a record is damaged, or one of the two files is an old copy.  MUE_EBUSY.
 */
int mue_lms_journal_open(const char *path, const uint8_t kid[MUE_KID_SIZE],
			 struct mue_lms_journal *ret, struct mue_error *e);

/* Uses up j->next for a message of this digest, durably in both files; the index is *ret. */
int mue_lms_journal_reserve(struct mue_lms_journal *j, const uint8_t digest[32], uint64_t *ret,
			    struct mue_error *e);

void mue_lms_journal_close(struct mue_lms_journal *j);

#endif
