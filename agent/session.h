/*
 * session.h - one payload on its way into its place: hashed while it streams, resumable, read back.
 *
 * The session's key is the manifest's digest.  A journal of four 512-byte records says how far it
 * got: (key, size, offset, SHA-256 of the bytes before offset).  Two of them are written often and
 * not synced (a killed process loses at most MUE_SESSION_NOTE bytes), two only after the place was
 * synced (a power cut loses at most MUE_SESSION_SYNC).  On opening, the place is read again from
 * its start and a record counts only when the bytes before its offset have that digest: whatever
 * was lost or torn, the session continues from bytes that are really there.
 * Format of a record: docs/FORMATS.md, "Install journal".
 */
#ifndef MUE_AGENT_SESSION_H
#define MUE_AGENT_SESSION_H

#include "agent/installers/installer.h"
#include "host/hash.h"

#include <pthread.h>

#define MUE_SESSION_RECORD  512
#define MUE_SESSION_RECORDS 4
#define MUE_SESSION_JOURNAL (MUE_SESSION_RECORD * MUE_SESSION_RECORDS)
#define MUE_SESSION_NOTE    (1u << 20)  /* bytes between unsynced records */
#define MUE_SESSION_SYNC    (16u << 20) /* bytes between synced ones */

struct mue_session {
	struct mue_installer *place, *journal;
	uint8_t key[32];
	uint64_t size, offset;           /* of the payload; bytes there */
	uint64_t note_every, sync_every; /* bytes; mue_session_open sets the constants above */
	uint64_t noted, pushed;          /* offset of the last record, of the last push */
	uint32_t sequence;               /* of the last record; under `keeper.lock` */
	struct mue_hash hash;            /* over [0, offset) as received */
	/* What makes bytes durable and reads them back: in a thread of its own when the place
	 * allows that, so that a medium's time and a digest's time are not added up. */
	struct mue_keeper {
		pthread_t thread;
		bool running, stop;
		pthread_mutex_t lock;
		pthread_cond_t wake;
		uint64_t due;         /* make [0, due) durable and read it back */
		uint8_t digest[32];   /* of [0, due) as received */
		uint64_t kept;        /* done up to here; `kept == due`: idle */
		struct mue_hash back; /* over [0, kept) as read back */
		uint8_t *buffer;      /* aligned */
		struct mue_error error;
	} keeper;
};

/*
 * Opens place and journal (both kept, initialised by the caller) for a payload of `size` bytes and
 * finds out how much of it is there: s->offset.  Close it in every case when 0 was returned.
 * Verdicts of the installer; MUE_ENOMEM.
 */
int mue_session_open(struct mue_session *s, struct mue_installer *place,
		     struct mue_installer *journal, const uint8_t key[32], uint64_t size,
		     struct mue_error *e);

/* The next bytes.  MUE_ESIZE: more than the manifest says. */
int mue_session_write(struct mue_session *s, const void *data, size_t len, struct mue_error *e);

/*
 * All bytes are there: their digest is compared with `digest`, the place is synced, read back from
 * the medium and hashed again.  MUE_ETRUNC: bytes are missing.  MUE_EDIGEST: the bytes received or
 * the bytes read back differ; the journal is then void, the next open starts at 0.
 */
int mue_session_finish(struct mue_session *s, const uint8_t digest[32], struct mue_error *e);

/* Makes a final note, so that nothing received is lost, and releases everything. */
void mue_session_close(struct mue_session *s);

/* Forgets a session for good: its journal is void. */
int mue_session_void(struct mue_installer *journal, struct mue_error *e);

#endif
